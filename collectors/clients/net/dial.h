// From a host and a port to a connected TCP socket, within a deadline.
#ifndef COLLECTORS_CLIENTS_NET_DIAL_H_
#define COLLECTORS_CLIENTS_NET_DIAL_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "collectors/clients/net/waiter.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter {

struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t size = 0;
};

// Turns a name into addresses. An address needs no resolver. A name does, and getaddrinfo(3) knows
// no deadline: it runs on a thread of its own, which is left behind when the deadline passes and
// then ends by itself, within the resolver's own timeouts (resolv.conf(5)). No second one is
// started while one is left behind, so that a dead resolver costs one thread, not one per call. An
// answer that came while nobody waited is of the past, and is thrown away.
// Used by one thread.
class Resolver {
 public:
  // Gives the first `addresses_max` addresses of a name.
  explicit Resolver(size_t addresses_max = 8) : addresses_max_(addresses_max) {}

  Result<std::vector<SocketAddress>> Resolve(const std::string& host, uint16_t port,
                                             const Waiter& waiter);

 private:
  struct Lookup;
  const size_t addresses_max_;
  std::shared_ptr<Lookup> left_behind_;
};

// Tries the addresses in turn, each with an equal part of the time that is left. Non-blocking,
// close-on-exec. kUnavailable when all refuse, with the last reason.
Result<UniqueFd> Dial(const std::vector<SocketAddress>& addresses, const Waiter& waiter);

}  // namespace spire_exporter

#endif  // COLLECTORS_CLIENTS_NET_DIAL_H_
