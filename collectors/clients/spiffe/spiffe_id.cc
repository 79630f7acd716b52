#include "collectors/clients/spiffe/spiffe_id.h"

#include <algorithm>

namespace spire_exporter::spiffe {
namespace {

constexpr size_t kIdBytesMax = 2048;
constexpr size_t kTrustDomainBytesMax = 255;

bool IsSmallWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool IsSegment(std::string_view segment) {
  return !segment.empty() && segment != "." && segment != ".." &&
         std::all_of(segment.begin(), segment.end(),
                     [](char c) { return IsSmallWord(c) || (c >= 'A' && c <= 'Z'); });
}

}  // namespace

bool IsSpiffeId(std::string_view text) {
  if (text.size() > kIdBytesMax || !text.starts_with(kSpiffeScheme)) return false;
  text.remove_prefix(kSpiffeScheme.size());
  const std::string_view domain = text.substr(0, text.find('/'));
  if (domain.empty() || domain.size() > kTrustDomainBytesMax ||
      !std::all_of(domain.begin(), domain.end(), IsSmallWord)) {
    return false;
  }
  text.remove_prefix(domain.size());
  while (!text.empty()) {
    text.remove_prefix(1);  // the slash
    const std::string_view segment = text.substr(0, text.find('/'));
    if (!IsSegment(segment)) return false;
    text.remove_prefix(segment.size());
  }
  return true;
}

bool IsWorkloadId(std::string_view text) {
  return IsSpiffeId(text) && text.find('/', kSpiffeScheme.size()) != std::string_view::npos;
}

}  // namespace spire_exporter::spiffe
