#include "collectors/clients/http/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "exporter/base/text.h"

namespace spire_exporter {
namespace {

Error Wrong(std::string_view text, std::string what) {
  return {Code::kInvalidArgument, "address " + Quoted(text) + ": " + std::move(what), "", false};
}

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

bool IsTargetByte(char c) {
  return c > ' ' && c < '\x7f' && c != '#';
}

bool ParsePort(std::string_view text, uint16_t* port) {
  uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0) return false;
  *port = value;
  return true;
}

}  // namespace

std::string Url::Authority() const {
  std::string out = ipv6 ? "[" + host + "]" : host;
  if (port != (tls ? 443 : 80)) out += ":" + std::to_string(port);
  return out;
}

Result<Url> ParseUrl(std::string_view text) {
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    url.tls = true;
    url.port = 443;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return Wrong(text, "expected http://host:port/ or https://host:port/");
  }
  const size_t end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, end);
  const std::string_view target = rest.substr(end);
  if (authority.find('@') != std::string_view::npos) {
    return Wrong("", "user and password do not belong into an address");
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return Wrong(text, "no ] after an IPv6 address");
    url.host = authority.substr(1, close - 1);
    url.ipv6 = true;
    in6_addr unused;
    if (inet_pton(AF_INET6, url.host.c_str(), &unused) != 1) {
      return Wrong(text, "no IPv6 address between the brackets");
    }
    port = authority.substr(close + 1);
  } else {
    const size_t colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    port = authority.substr(colon);
    if (url.host.empty() || url.host.size() > 253 ||
        !std::all_of(url.host.begin(), url.host.end(), IsNameByte)) {
      return Wrong(text, "expected a host name or an address; IPv6 in brackets");
    }
  }
  if (!port.empty() && (port.front() != ':' || !ParsePort(port.substr(1), &url.port))) {
    return Wrong(text, "expected a port from 1 to 65535");
  }
  if (!std::all_of(target.begin(), target.end(), IsTargetByte)) {
    return Wrong(text, "expected a path of printable ASCII without #");
  }
  if (!target.empty()) url.target = target.front() == '/' ? target : "/" + std::string(target);
  return url;
}

}  // namespace spire_exporter
