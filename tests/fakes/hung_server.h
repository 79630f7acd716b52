// A server that hangs, for tests of whatever connects to something.
#ifndef TESTS_FAKES_HUNG_SERVER_H_
#define TESTS_FAKES_HUNG_SERVER_H_

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"
#include "tests/fakes/hang.h"

namespace spire_exporter::fakes {

// Runs on a thread of its own in real time until it goes. Its methods are safe from any thread.
//
//   auto server = HungServer::Start("127.0.0.1:0", HangWay::kDrip);
//   ASSERT_TRUE(server.ok()) << server.error().ToString();
//   Connect(server.value()->address());
class HungServer {
 public:
  // Addresses as ListenStream() takes them; port 0 for any.
  static Result<std::unique_ptr<HungServer>> Start(
      const std::string& address, HangWay way, Duration drip_interval = std::chrono::seconds(1));
  ~HungServer();
  HungServer(const HungServer&) = delete;
  HungServer& operator=(const HungServer&) = delete;

  // As a client dials it.
  const std::string& address() const { return address_; }
  // The port, or 0 for a unix socket.
  int port() const;
  // Connections accepted so far; none for kNoAccept.
  uint64_t accepted() const { return accepted_.load(std::memory_order_relaxed); }
  // Connections that the peer has not closed yet.
  uint64_t open() const { return open_.load(std::memory_order_relaxed); }

 private:
  HungServer(UniqueFd listener, UniqueFd stop, HangWay way, Duration drip_interval);
  void Run();
  void AcceptAll(SteadyTime now);

  const RealClock clock_;
  const UniqueFd listener_;
  const UniqueFd stop_;
  const std::string address_;
  FullBacklog backlog_;
  HungPeers peers_;  // of the thread
  // relaxed: lone numbers for tests to poll.
  std::atomic<uint64_t> accepted_{0};
  std::atomic<uint64_t> open_{0};
  std::thread thread_;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_HUNG_SERVER_H_
