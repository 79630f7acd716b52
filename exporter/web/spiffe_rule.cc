#include "exporter/web/spiffe_rule.h"

#include "exporter/base/text.h"
#include "exporter/tls/peer_certificate.h"

namespace spire_exporter {
namespace {

constexpr std::string_view kScheme = "spiffe://";

// Whether a text is a SPIFFE ID, by the one function that says so.
bool IsSpiffeId(std::string text) {
  PeerCertificate certificate;
  certificate.uris.push_back(std::move(text));
  return !SpiffeIdOf(certificate).empty();
}

Error Bad(std::string_view text, const char* expected) {
  return Error{Code::kInvalidArgument, Quoted(text) + ": expected " + expected, "", false};
}

// The trust domain and the segments of the path of an id.
std::vector<std::string_view> PartsOf(std::string_view id) {
  id.remove_prefix(kScheme.size());
  return Split(id, '/');
}

}  // namespace

Result<SpiffeRule> SpiffeRule::ParsePattern(std::string_view text) {
  constexpr const char* kExpected =
      "a SPIFFE ID whose path may have `*` for a segment and end in `/**`";
  SpiffeRule rule;
  std::string_view pattern = text;
  if (pattern.size() > 3 && pattern.substr(pattern.size() - 3) == "/**") {
    rule.open_end_ = true;
    pattern.remove_suffix(3);
  }
  if (pattern.substr(0, kScheme.size()) != kScheme) return Bad(text, kExpected);
  // With a word in place of each star it must be an id.
  std::string id(kScheme);
  const std::vector<std::string_view> parts = PartsOf(pattern);
  rule.trust_domain_ = parts.front();
  id += parts.front();
  for (size_t i = 1; i < parts.size(); ++i) {
    rule.segments_.emplace_back(parts[i]);
    id += "/";
    id += parts[i] == "*" ? "any" : parts[i];
  }
  if (!IsSpiffeId(id)) return Bad(text, kExpected);
  return rule;
}

Result<SpiffeRule> SpiffeRule::ParseTrustDomain(std::string_view text) {
  SpiffeRule rule;
  rule.trust_domain_ = text;
  rule.any_path_ = true;
  if (text.find('/') != std::string_view::npos ||
      !IsSpiffeId(std::string(kScheme) + rule.trust_domain_)) {
    return Bad(text, "the name of a trust domain such as example.org");
  }
  return rule;
}

bool SpiffeRule::Matches(std::string_view id) const {
  const std::vector<std::string_view> parts = PartsOf(id);
  if (parts.front() != trust_domain_) return false;
  if (any_path_) return true;
  const size_t segments = parts.size() - 1;
  if (open_end_ ? segments <= segments_.size() : segments != segments_.size()) return false;
  for (size_t i = 0; i < segments_.size(); ++i) {
    if (segments_[i] != "*" && segments_[i] != parts[i + 1]) return false;
  }
  return true;
}

}  // namespace spire_exporter
