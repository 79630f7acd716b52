#include "exporter/http/peer_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

namespace spire_exporter {
namespace {

PeerAddress DescribeV4(const in_addr& address) {
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &address, text, sizeof(text));
  return {std::string("4") + text, text};
}

}  // namespace

PeerAddress DescribePeer(int fd, const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof(v4));
    return DescribeV4(v4.sin_addr);
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &address, sizeof(v6));
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      in_addr v4;
      std::memcpy(&v4, &v6.sin6_addr.s6_addr[12], sizeof(v4));
      return DescribeV4(v4);
    }
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    std::string key = "6";
    for (size_t i = 0; i < 8; ++i) key.push_back(static_cast<char>(v6.sin6_addr.s6_addr[i]));
    return {key, text};
  }
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) credentials.uid = 0;
  return {"u" + std::to_string(credentials.uid), "unix"};
}

}  // namespace spire_exporter
