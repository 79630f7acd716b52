// Stands between a client and a real server, and breaks the connection where a test says.
#ifndef COLLECTORS_CLIENTS_POSTGRES_BREAKING_RELAY_H_
#define COLLECTORS_CLIENTS_POSTGRES_BREAKING_RELAY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <thread>

#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::pg {

enum class BreakWay : uint8_t {
  kStall,  // what the server says comes no more
  kDrip,   // a byte of it each 20 ms
  kReset,  // the connection is reset when the server says something
};

// Runs on a thread of its own until it goes. Its methods are safe from any thread.
class BreakingRelay {
 public:
  // To a port of 127.0.0.1.
  static Result<std::unique_ptr<BreakingRelay>> Start(uint16_t server_port);
  ~BreakingRelay();
  BreakingRelay(const BreakingRelay&) = delete;
  BreakingRelay& operator=(const BreakingRelay&) = delete;

  uint16_t port() const { return port_; }
  // Breaks all connections, new ones too, once the server has said so many more bytes.
  void Break(BreakWay way, int64_t after_bytes);
  void Mend() { broken_.store(false); }

 private:
  struct Pair {
    UniqueFd client, server;
    bool over = false;
  };

  BreakingRelay(UniqueFd listener, uint16_t port, uint16_t server_port);
  void Run();
  void Accept();
  void ToServer(Pair& pair);
  void ToClient(Pair& pair, bool paced);
  bool Broken() const { return broken_.load() && left_.load() <= 0; }

  const UniqueFd listener_;
  const uint16_t port_;
  const uint16_t server_port_;
  std::list<Pair> pairs_;  // of the thread
  std::atomic<bool> stop_{false};
  std::atomic<BreakWay> way_{BreakWay::kStall};
  std::atomic<int64_t> left_{0};
  std::atomic<bool> broken_{false};  // written last by Break(), so that the two above are set
  std::thread thread_;
};

}  // namespace spire_exporter::pg

#endif  // COLLECTORS_CLIENTS_POSTGRES_BREAKING_RELAY_H_
