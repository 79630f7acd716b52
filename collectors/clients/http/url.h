// The addresses that the HTTP client understands.
#ifndef COLLECTORS_CLIENTS_HTTP_URL_H_
#define COLLECTORS_CLIENTS_HTTP_URL_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "exporter/base/result.h"

namespace spire_exporter {

// `http://host[:port][/path][?query]` and the same with https. No user information, no fragment.
struct Url {
  bool tls = false;
  std::string host;   // a name, or an address without brackets
  bool ipv6 = false;  // host is an IPv6 address
  uint16_t port = 80;
  std::string target = "/";  // path and query, as in the request line

  // `host`, or `host:port` where it is not the scheme's own, as in the Host header.
  std::string Authority() const;
};

// kInvalidArgument with what was expected. Refuses anything that could end a line or a request, so
// that a Url can be written into one.
Result<Url> ParseUrl(std::string_view text);

}  // namespace spire_exporter

#endif  // COLLECTORS_CLIENTS_HTTP_URL_H_
