#include "collectors/telemetry/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <cstring>
#include <optional>

#include "exporter/base/text.h"

namespace spire_exporter::telemetry {
namespace {

constexpr std::string_view kUdp = "udp://";
constexpr std::string_view kUnixgram = "unixgram://";

Error Wrong(std::string_view text, std::string_view what) {
  return Error{Code::kInvalidArgument,
               Quoted(text) + ": " + std::string(what) +
                   "; expected udp://ADDRESS:PORT, udp://[V6ADDRESS]:PORT or unixgram:///PATH",
               "", false};
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (problem != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return port;
}

Result<ListenAddress> ParseUdp(std::string_view text) {
  const std::string_view rest = text.substr(kUdp.size());
  const size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) return Wrong(text, "no port");
  const std::optional<uint16_t> port = ParsePort(rest.substr(colon + 1));
  if (!port) return Wrong(text, "the port is not a number up to 65535");
  std::string host(rest.substr(0, colon));
  ListenAddress address;
  address.text = text;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    sockaddr_in6 v6 = {};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(*port);
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6.sin6_addr) != 1) {
      return Wrong(text, "not an IPv6 address between the brackets");
    }
    std::memcpy(&address.storage, &v6, sizeof(v6));
    address.size = sizeof(v6);
    return address;
  }
  if (host == "localhost") host = "127.0.0.1";
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(*port);
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) != 1) {
    return Wrong(text, "not an address (names are not resolved; an IPv6 address needs brackets)");
  }
  std::memcpy(&address.storage, &v4, sizeof(v4));
  address.size = sizeof(v4);
  return address;
}

Result<ListenAddress> ParseUnixgram(std::string_view text) {
  const std::string_view path = text.substr(kUnixgram.size());
  if (path.size() < 2 || path.front() != '/') return Wrong(text, "the path is not absolute");
  if (path.find('\0') != std::string_view::npos) return Wrong(text, "the path has a zero byte");
  sockaddr_un local = {};
  if (path.size() >= sizeof(local.sun_path)) {
    return Wrong(text, "the path is longer than 107 bytes, which is all that a socket can have");
  }
  local.sun_family = AF_UNIX;
  std::memcpy(local.sun_path, path.data(), path.size());
  ListenAddress address;
  address.text = text;
  address.path = path;
  std::memcpy(&address.storage, &local, sizeof(local));
  address.size = sizeof(local);
  return address;
}

}  // namespace

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  if (text.starts_with(kUdp)) return ParseUdp(text);
  if (text.starts_with(kUnixgram)) return ParseUnixgram(text);
  return Wrong(text, "not a listen address");
}

}  // namespace spire_exporter::telemetry
