#include "exporter/http/listen_address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <charconv>

#include "exporter/base/text.h"

namespace spire_exporter {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

Error Bad(std::string_view text, std::string_view why) {
  return Error{.code = Code::kInvalidArgument,
               .what = Quoted(text) + ": " + std::string(why) +
                       ": expected host:port, :port, [v6]:port or unix:PATH",
               .where = ""};
}

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

Result<ListenAddress> ParseUnix(std::string_view text) {
  ListenAddress address;
  address.kind = ListenAddress::Kind::kUnix;
  address.path = text.substr(kUnixPrefix.size());
  if (address.path.empty()) return Bad(text, "the path is missing");
  if (address.path.front() != '/') return Bad(text, "the path is not absolute");
  if (address.path.find('\0') != std::string::npos) return Bad(text, "the path holds a zero byte");
  if (address.path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Bad(text, "the path is longer than 107 bytes");
  }
  return address;
}

// Checks the host and takes the brackets off.
Status ParseHost(std::string_view text, std::string_view host, ListenAddress* address) {
  if (!host.empty() && host.front() == '[') {
    if (host.back() != ']') return Bad(text, "the bracket is not closed");
    address->host = host.substr(1, host.size() - 2);
    // A zone (`fe80::1%eth0`) is left to the resolver.
    const std::string plain = address->host.substr(0, address->host.find('%'));
    in6_addr parsed;
    if (inet_pton(AF_INET6, plain.c_str(), &parsed) != 1) {
      return Bad(text, "no IPv6 address stands in the brackets");
    }
    return {};
  }
  if (host.find(':') != std::string_view::npos) {
    return Bad(text, "an IPv6 address needs brackets");
  }
  for (const char c : host) {
    if (!IsHostCharacter(c)) return Bad(text, "the host is not a name or an address");
  }
  address->host = host;
  return {};
}

}  // namespace

std::string ListenAddress::ToString() const {
  if (kind == Kind::kUnix) return std::string(kUnixPrefix) + path;
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  if (text.substr(0, kUnixPrefix.size()) == kUnixPrefix) return ParseUnix(text);
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Bad(text, "the port is missing");
  ListenAddress address;
  const Status host = ParseHost(text, text.substr(0, colon), &address);
  if (!host) return host.error();
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] =
      std::from_chars(port.data(), port.data() + port.size(), address.port, 10);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) {
    return Bad(text, "the port is not a number from 0 to 65535");
  }
  return address;
}

}  // namespace spire_exporter
