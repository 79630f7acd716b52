// Two ends of one connection within this process.
#ifndef COLLECTORS_CLIENTS_SPIRE_SOCKET_PAIR_H_
#define COLLECTORS_CLIENTS_SPIRE_SOCKET_PAIR_H_

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "exporter/base/result.h"
#include "exporter/base/text.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::spire {

// Neither blocks. kInternal when there are no descriptors left.
inline Result<std::array<UniqueFd, 2>> MakeSocketPair() {
  int fds[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) {
    return Error{Code::kInternal, "socketpair: " + ErrnoText(errno), "", true};
  }
  return std::array{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_SOCKET_PAIR_H_
