// Who is at the other end of an accepted socket, and what counts as one peer.
#ifndef EXPORTER_HTTP_PEER_ADDRESS_H_
#define EXPORTER_HTTP_PEER_ADDRESS_H_

#include <sys/socket.h>

#include <string>

namespace spire_exporter {

struct PeerAddress {
  // Equal for connections that count together: a v4 address (mapped ones too), a v6 /64, the uid
  // behind a unix socket.
  std::string key;
  std::string name;  // address without port, or `unix`
};

PeerAddress DescribePeer(int fd, const sockaddr_storage& address);

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_PEER_ADDRESS_H_
