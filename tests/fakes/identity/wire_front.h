// Where peers reach a fake: a listening socket with every way to fail below gRPC.
#ifndef TESTS_FAKES_IDENTITY_WIRE_FRONT_H_
#define TESTS_FAKES_IDENTITY_WIRE_FRONT_H_

#include <openssl/ssl.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/mutex.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"
#include "tests/fakes/identity/authority.h"
#include "tests/fakes/identity/tunnel.h"

namespace grpc {
class Server;
}

namespace spire_exporter::fakes {

enum class WireFault {
  kNone,
  kRefuse,      // nobody listens; a socket file is gone
  kAcceptOnly,  // connections succeed, then nothing
  kReset,       // connections are accepted and reset at once
  kDrip,        // true answers, one byte at a time
};

// Runs on a thread of its own until it goes. Its methods are safe from any thread. Connections go
// to `server`, which outlives it, over socket pairs.
class WireFront {
 public:
  // Addresses as ListenStream() takes them; port 0 for any, kept while it goes.
  static Result<std::unique_ptr<WireFront>> Start(const std::string& address, grpc::Server* server);
  ~WireFront();
  WireFront(const WireFront&) = delete;
  WireFront& operator=(const WireFront&) = delete;

  // As a client dials it: `127.0.0.1:1234`, `unix:/run/agent.sock`.
  const std::string& address() const { return address_; }
  // New connections speak TLS with this identity and the ALPN `h2`, asking for no certificate.
  void SpeakTls(const Svid& identity);
  // Ends what is open, and treats what comes next that way. True once it is so.
  Status Fail(WireFault fault, Duration drip_interval = std::chrono::seconds(1));
  // Every open connection is reset once its peer got that many bytes more.
  void CutAfter(uint64_t bytes);
  // Ends what is open, as a restart would.
  void Disconnect();

  // Connections taken so far.
  uint64_t accepted() const { return accepted_.load(std::memory_order_relaxed); }

 private:
  using TlsContext = std::shared_ptr<SSL_CTX>;
  WireFront(UniqueFd listener, UniqueFd wake, grpc::Server* server);
  void Run();
  bool Round(std::vector<pollfd>* fds);
  void AcceptAll() REQUIRES(mutex_);
  void Wake() const;

  const RealClock clock_;
  const std::string address_;
  const UniqueFd wake_;
  grpc::Server* const server_;
  Mutex mutex_;
  UniqueFd listener_ GUARDED_BY(mutex_);
  TlsContext tls_ GUARDED_BY(mutex_);
  WireFault fault_ GUARDED_BY(mutex_) = WireFault::kNone;
  Duration drip_interval_ GUARDED_BY(mutex_){0};
  std::list<Tunnel> tunnels_ GUARDED_BY(mutex_);
  std::list<UniqueFd> silent_ GUARDED_BY(mutex_);  // accepted, and no more
  bool stop_ GUARDED_BY(mutex_) = false;
  std::atomic<uint64_t> accepted_{0};  // relaxed: a lone number for tests to poll
  std::thread thread_;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_WIRE_FRONT_H_
