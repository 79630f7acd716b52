// Where the stream is listened for: `udp://127.0.0.1:8125`, `udp://[::1]:8125`,
// `unixgram:///run/spire-exporter/dogstatsd.sock`.
#ifndef COLLECTORS_TELEMETRY_LISTEN_ADDRESS_H_
#define COLLECTORS_TELEMETRY_LISTEN_ADDRESS_H_

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "exporter/base/result.h"

namespace spire_exporter::telemetry {

// Value type; equal when `text` is.
struct ListenAddress {
  std::string text;  // as configured
  std::string path;  // of a socket file; empty for UDP
  sockaddr_storage storage = {};
  socklen_t size = 0;

  bool is_unix() const { return !path.empty(); }
  friend bool operator==(const ListenAddress& a, const ListenAddress& b) {
    return a.text == b.text;
  }
};

inline const sockaddr* AsSockaddr(const ListenAddress& address) {
  return reinterpret_cast<const sockaddr*>(&address.storage);
}

// Names are not resolved but for `localhost`, which is 127.0.0.1. Port 0 takes a free one.
// kInvalidArgument with what was expected.
Result<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_LISTEN_ADDRESS_H_
