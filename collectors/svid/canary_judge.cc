#include "collectors/svid/canary_judge.h"

#include <algorithm>
#include <utility>

namespace spire_exporter::svid {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

// A token that was issued that long before it was asked for was not signed for the asking, as far
// as clocks can be trusted.
constexpr seconds kJustIssued{5};

sys_seconds Floor(SystemTime time) {
  return std::chrono::floor<seconds>(time);
}

}  // namespace

CanaryOutcome OutcomeOf(const Error& error, bool agent_answers) {
  switch (error.code) {
    case Code::kPermissionDenied:
      return error.what.find("no identity issued") != std::string::npos ? CanaryOutcome::kNoEntry
                                                                        : CanaryOutcome::kDenied;
    case Code::kUnavailable:
      return agent_answers ? CanaryOutcome::kServerPath : CanaryOutcome::kAgentGone;
    case Code::kDeadlineExceeded:
      return CanaryOutcome::kTimeout;
    case Code::kDataLoss:
    case Code::kResourceExhausted:
      return CanaryOutcome::kMalformed;
    default:
      return CanaryOutcome::kFailed;
  }
}

CanaryOutcome OutcomeOf(spiffe::Verdict verdict) {
  switch (verdict) {
    case spiffe::Verdict::kGood:
      return CanaryOutcome::kOk;
    case spiffe::Verdict::kExpired:
      return CanaryOutcome::kExpired;
    case spiffe::Verdict::kNotYetValid:
      return CanaryOutcome::kNotYetValid;
    case spiffe::Verdict::kUntrusted:
      return CanaryOutcome::kUnverifiable;
    case spiffe::Verdict::kMalformed:
      break;
  }
  return CanaryOutcome::kMalformed;
}

const spire::X509Svid* FindCanary(const spire::X509Context& context, const std::string& spiffe_id) {
  for (const spire::X509Svid& svid : context.svids) {
    if (spiffe_id.empty() || svid.spiffe_id == spiffe_id) return &svid;
  }
  return nullptr;
}

CanarySvid JudgeX509(const spire::X509Svid& svid, SystemTime now) {
  CanarySvid canary;
  canary.spiffe_id = svid.spiffe_id;
  canary.outcome = CanaryOutcome::kMalformed;
  const auto chain = spiffe::SplitCertificates(svid.chain);
  if (!chain.ok() || chain->empty()) return canary;
  if (auto leaf = spiffe::ReadLeaf(chain->front()); leaf.ok()) canary.leaf = *std::move(leaf);
  auto roots = spiffe::SplitCertificates(svid.bundle);
  if (!roots.ok()) return canary;
  canary.roots = *std::move(roots);
  canary.outcome = OutcomeOf(spiffe::VerifyX509Svid(*chain, canary.roots, now));
  // Whoever is served another's identity under its name has been served none.
  if (canary.leaf && canary.leaf->spiffe_id != svid.spiffe_id) {
    canary.outcome = CanaryOutcome::kMalformed;
  }
  return canary;
}

FederatedSummary SummariseFederated(const spire::X509Context& context, SystemTime now) {
  FederatedSummary summary;
  summary.bundles = context.federated_bundles.size();
  for (const auto& [trust_domain, bundle] : context.federated_bundles) {
    const auto authorities = spiffe::SplitCertificates(bundle);
    if (!authorities.ok()) {
      ++summary.unreadable;
      continue;
    }
    for (const std::string& authority : *authorities) {
      const auto facts = spiffe::ReadLeaf(authority);
      if (!facts.ok() || facts->not_after <= Floor(now)) continue;
      if (!summary.first_expiry || facts->not_after < *summary.first_expiry) {
        summary.first_expiry = facts->not_after;
      }
    }
  }
  return summary;
}

AudienceRing::AudienceRing(std::string prefix, Duration interval, SystemTime started)
    : prefix_(std::move(prefix)),
      first_(static_cast<size_t>(std::max(UnixSeconds(started) / Seconds(interval), 0.0)) %
             kSizeMax) {}

std::string AudienceRing::Next(SystemTime now) {
  again_ = !used_.empty() && (used_.front().ends <= Floor(now) || used_.size() == kSizeMax);
  const size_t audience = again_ ? used_.front().audience : (first_ + used_.size()) % kSizeMax;
  return prefix_ + "-" + std::to_string(audience);
}

bool AudienceRing::Signed(const spiffe::JwtFacts& token, SystemTime asked) {
  Used now{(first_ + used_.size()) % kSizeMax, token.issued_at, token.expires_at};
  bool fresh = token.issued_at && *token.issued_at + kJustIssued >= Floor(asked);
  if (again_) {
    now.audience = used_.front().audience;
    fresh = token.issued_at && token.issued_at != used_.front().issued;
    used_.pop_front();
    again_ = false;
  }
  used_.push_back(now);
  return fresh;
}

std::chrono::seconds ClockOffset(sys_seconds issued, SystemTime asked, SystemTime answered) {
  if (issued > Floor(answered)) return issued - Floor(answered);
  if (issued + seconds(1) < Floor(asked)) return issued + seconds(1) - Floor(asked);
  return seconds(0);
}

}  // namespace spire_exporter::svid
