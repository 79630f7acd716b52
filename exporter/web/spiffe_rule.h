// Which SPIFFE IDs may come in: one id, a pattern of paths, or a whole trust domain.
#ifndef EXPORTER_WEB_SPIFFE_RULE_H_
#define EXPORTER_WEB_SPIFFE_RULE_H_

#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/result.h"

namespace spire_exporter {

// Immutable value type. A pattern is a SPIFFE ID in whose path `*` stands for one whole segment,
// and
// `/**` at the end for any segments, at least one: `spiffe://example.org/ns/*/sa/prometheus`,
// `spiffe://example.org/ns/monitoring/**`. The trust domain is never a pattern.
class SpiffeRule {
 public:
  static Result<SpiffeRule> ParsePattern(std::string_view text);
  static Result<SpiffeRule> ParseTrustDomain(std::string_view text);

  // `id` is a well-formed SPIFFE ID (SpiffeIdOf()).
  bool Matches(std::string_view id) const;
  // That all who match are of.
  const std::string& trust_domain() const { return trust_domain_; }

 private:
  std::string trust_domain_;
  bool any_path_ = false;              // a whole trust domain
  bool open_end_ = false;              // `/**`
  std::vector<std::string> segments_;  // `*` is any
};

}  // namespace spire_exporter

#endif  // EXPORTER_WEB_SPIFFE_RULE_H_
