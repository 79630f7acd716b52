// The client's side of TLS over a socket, for servers whose certificate is to be looked at and not
// believed.
#ifndef COLLECTORS_CLIENTS_SPIRE_TLS_CLIENT_H_
#define COLLECTORS_CLIENTS_SPIRE_TLS_CLIENT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/net/waiter.h"
#include "collectors/clients/spire/message_guard.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::spire {

// Used by one thread at a time. TLS 1.2 or later, `h2` offered, no client certificate, nothing
// verified.
class TlsClient {
 public:
  static constexpr size_t kChainMax = 16;
  static constexpr size_t kChainBytesMax = size_t{256} << 10;

  // `fd` is connected and does not block. kInternal when OpenSSL has no memory.
  static Result<std::unique_ptr<TlsClient>> Over(UniqueFd fd);
  virtual ~TlsClient() = default;

  // kUnavailable (reset, closed early, refused), kDataLoss (no TLS), kResourceExhausted (a chain of
  // more than there may be), kDeadlineExceeded, kCancelled.
  virtual Status Shake(const Waiter& waiter) = 0;
  // DER, the leaf first, as it was sent. All of them after Shake().
  virtual std::vector<std::string> Chain() const = 0;
  virtual std::string Protocol() const = 0;
  virtual std::string Alpn() const = 0;

  // Passes bytes between the server and `fd`, a socket that does not block either, until one of
  // them ends, or `guard` refuses what the server sends. Shuts `fd` down at its end, and ends when
  // somebody else does. GuardedRelay::Refused() says what is returned.
  virtual Code Relay(int fd, MessageGuard& guard) = 0;
  // Says good-bye, as far as that needs no waiting.
  virtual void Leave() = 0;

 protected:
  TlsClient() = default;
};

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_TLS_CLIENT_H_
