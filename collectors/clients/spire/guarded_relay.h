// Stands between a server's socket and gRPC, with a MessageGuard.
#ifndef COLLECTORS_CLIENTS_SPIRE_GUARDED_RELAY_H_
#define COLLECTORS_CLIENTS_SPIRE_GUARDED_RELAY_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>

#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::spire {

// Passes bytes between two sockets, which must not block, on a thread of its own, which wakes when
// there are some. 32 KiB beside the thread. Safe from any thread.
class GuardedRelay {
 public:
  // Throws std::system_error where there is no thread to be had.
  GuardedRelay(UniqueFd server, UniqueFd client, size_t message_bytes_max);
  ~GuardedRelay();  // shuts both down
  GuardedRelay(const GuardedRelay&) = delete;
  GuardedRelay& operator=(const GuardedRelay&) = delete;

  // Whether the server has closed its side, or was refused. Costs one system call.
  bool Ended() const;
  // kResourceExhausted when it ended because the server announced more than may be, kDataLoss when
  // it does not speak HTTP/2, else kOk.
  Code Refused() const { return refused_.load(std::memory_order_acquire); }

 private:
  void Run();

  const UniqueFd server_;
  const UniqueFd client_;
  const size_t message_bytes_max_;
  // Set before the client's side is shut down, so that whoever sees the end sees the reason.
  std::atomic<Code> refused_{Code::kOk};
  std::thread thread_;
};

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_GUARDED_RELAY_H_
