// A way to one of SPIRE's sockets, shared by all that call over it.
#ifndef COLLECTORS_CLIENTS_SPIRE_CHANNEL_H_
#define COLLECTORS_CLIENTS_SPIRE_CHANNEL_H_

#include <memory>
#include <string>

#include "exporter/base/result.h"

namespace spire_exporter::spire {

// Safe from any thread. A call that finds no connection makes one, so that none fails for what was:
// how often to try is for the caller to bound. Sends no keep-alives, so that an idle one wakes
// nobody. Messages of more than 4 MiB are refused (kResourceExhausted).
class Channel {
 public:
  // `unix:///run/spire/agent.sock`, or the path alone. kInvalidArgument for anything else. The
  // socket need not be there yet.
  static Result<std::shared_ptr<Channel>> ToSocket(const std::string& address);

  virtual ~Channel() = default;

 protected:
  Channel() = default;
};

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_CHANNEL_H_
