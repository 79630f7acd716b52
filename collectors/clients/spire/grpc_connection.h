// One HTTP/2 connection over a socket that somebody else made, and calls over it. Its source alone
// sees gRPC (docs/decisions/0010).
#ifndef COLLECTORS_CLIENTS_SPIRE_GRPC_CONNECTION_H_
#define COLLECTORS_CLIENTS_SPIRE_GRPC_CONNECTION_H_

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "collectors/clients/spire/call.h"
#include "collectors/clients/spire/methods.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::spire {

// Safe from any thread.
class GrpcConnection {
 public:
  // Messages of more are refused (kResourceExhausted), but only once they are there: whoever makes
  // the socket has to bound what comes (guarded_relay.h, tls_client.h).
  static constexpr int kMessageBytesMax = 4 << 20;

  struct Limits {
    std::optional<Deadline> deadline;  // none for a stream that is watched
    std::stop_token stop;
    const Clock& clock;
  };

  // `fd` is a connected stream socket that does not block.
  static std::shared_ptr<GrpcConnection> Over(UniqueFd fd);
  virtual ~GrpcConnection() = default;

  // Calls `method`, hands each message of the answer to `take` until that returns false, and says
  // how the answer ended; good too when `take` had enough. Errors have the peer's code; the end of
  // an answer that the peer gave up is kUnavailable.
  virtual Status Run(Method method, std::string_view request, const Limits& limits,
                     const std::function<bool(std::string_view)>& take) const = 0;

 protected:
  GrpcConnection() = default;
};

// The one message of the answer to a call that `run` makes; kDataLoss when there is another number
// of them.
Result<std::string> OneMessage(
    Method method,
    const std::function<Status(const std::function<bool(std::string_view)>& take)>& run);

// What calls fail with, as `method` names it; and whose answer a MessageGuard refused.
Error CallError(Method method, Code code, std::string_view why);
Error RefusedError(Method method, Code code);

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_GRPC_CONNECTION_H_
