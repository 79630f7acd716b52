#include "exporter/tls/peer_certificate.h"

#include <algorithm>

namespace spire_exporter {
namespace {

constexpr size_t kIdMax = 2048;  // bytes of a SPIFFE ID
constexpr size_t kTrustDomainMax = 255;

bool IsTrustDomainByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool IsPathByte(char c) {
  return IsTrustDomainByte(c) || (c >= 'A' && c <= 'Z');
}

// `path` is empty or begins with a slash.
bool IsPath(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    if (segment.empty() || segment == "." || segment == "..") return false;
    if (!std::all_of(segment.begin(), segment.end(), IsPathByte)) return false;
    path.remove_prefix(end);
  }
  return true;
}

}  // namespace

std::string_view SpiffeIdOf(const PeerCertificate& certificate) {
  constexpr std::string_view kScheme = "spiffe://";
  if (certificate.uris.size() != 1) return {};
  const std::string_view id = certificate.uris.front();
  if (id.size() > kIdMax || id.substr(0, kScheme.size()) != kScheme) return {};
  const std::string_view rest = id.substr(kScheme.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view domain = rest.substr(0, slash);
  if (domain.empty() || domain.size() > kTrustDomainMax ||
      !std::all_of(domain.begin(), domain.end(), IsTrustDomainByte)) {
    return {};
  }
  return IsPath(rest.substr(slash)) ? id : std::string_view();
}

}  // namespace spire_exporter
