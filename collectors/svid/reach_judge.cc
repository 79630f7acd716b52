#include "collectors/svid/reach_judge.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "collectors/clients/spire/records.h"
#include "collectors/svid/seconds_of.h"
#include "collectors/svid/trust_roots.h"

namespace spire_exporter::svid {
namespace {

using spire::ServerStage;
using spire::UnixTime;

constexpr size_t kCertificateBytesMax = size_t{512} << 10;  // kept of one view
constexpr size_t kRootsMax = 100;                           // judged of one bundle
constexpr std::chrono::seconds kBackDating{10};             // of a certificate that SPIRE issues
// What a clock may have been moved between two looks and still count as one.
constexpr double kStepSeconds = 1;

void KeepFirst(std::optional<UnixTime>* first, UnixTime time) {
  *first = std::min(first->value_or(time), time);
}

bool LooksLikeDatabase(Code code) {
  return code == Code::kInternal || code == Code::kDeadlineExceeded;
}

// Whether that is the id of a server of the trust domain, or of any where that is empty.
bool IsServerId(std::string_view id, std::string_view trust_domain) {
  constexpr std::string_view kScheme = "spiffe://";
  constexpr std::string_view kPath = "/spire/server";
  if (!id.starts_with(kScheme) || !id.ends_with(kPath)) return false;
  id.remove_prefix(kScheme.size());
  if (id.size() <= kPath.size()) return false;
  id.remove_suffix(kPath.size());
  if (id.find('/') != std::string_view::npos) return false;
  return trust_domain.empty() || id == trust_domain;
}

spiffe::Verdict Judge(const ServerState& server, const Trusted& trusted) {
  const size_t most = std::min(trusted.roots.size(), kRootsMax);
  const auto verdict =
      spiffe::VerifyX509Svid(server.shown->chain, trusted.roots.first(most), server.seen);
  // Any workload of the trust domain has a chain that verifies, and none is a server.
  const bool stranger = verdict != spiffe::Verdict::kMalformed &&
                        !IsServerId(server.shown->leaf.spiffe_id, trusted.trust_domain);
  return stranger ? spiffe::Verdict::kUntrusted : verdict;
}

Trusted ServedBy(const ServerState& server) {
  if (!server.served) return {};
  return {server.served->certificates, spire::TrustDomainName(server.served->trust_domain)};
}

template <typename TrustedOf>
ChainTally Tally(std::span<const ServerState> servers, TrustedOf trusted_of) {
  ChainTally tally;
  for (const ServerState& server : servers) {
    const Trusted trusted = trusted_of(server);
    if (!server.shown || trusted.roots.empty()) continue;
    if (!tally) tally.emplace();
    ++(*tally)[static_cast<size_t>(Judge(server, trusted))];
  }
  return tally;
}

}  // namespace

std::shared_ptr<const ServedView> ViewOf(const spire::ServedBundle& served) {
  auto view = std::make_shared<ServedView>();
  std::vector<std::string> keys;
  for (const spire::BundleAuthority& authority : served.bundle.authorities) {
    ++view->authorities[static_cast<size_t>(authority.type)];
    if (authority.type == spire::AuthorityType::kJwt) keys.push_back(authority.id);
    if (authority.type != spire::AuthorityType::kX509 || !authority.not_after) continue;
    KeepFirst(&view->first_expiry, *authority.not_after);
    view->last_expiry = std::max(view->last_expiry.value_or(UnixTime{}), *authority.not_after);
  }
  view->x509_number = TrustNumber(served.certificates);
  view->jwt_number = TrustNumber(keys);
  view->refresh_hint = served.bundle.refresh_hint;
  view->sequence_number = served.bundle.sequence_number;
  view->trust_domain = served.bundle.trust_domain;
  size_t bytes = 0;
  for (const std::string& certificate : served.certificates) bytes += certificate.size();
  if (bytes <= kCertificateBytesMax) view->certificates = served.certificates;
  return view;
}

std::optional<ShownChain> ReadShown(std::vector<std::string> chain,
                                    const spire::ServedBundle* served) {
  if (chain.empty()) return std::nullopt;
  const auto leaf = spiffe::ReadLeaf(chain.front());
  if (!leaf.ok()) return std::nullopt;
  ShownChain shown;
  shown.leaf = *leaf;
  std::string issuer = leaf->authority_key_id;
  for (size_t i = 1; i < chain.size(); ++i) {
    const auto above = spiffe::ReadLeaf(chain[i]);
    if (!above.ok()) continue;
    KeepFirst(&shown.above_not_after, above->not_after);
    issuer = above->authority_key_id;
  }
  if (served != nullptr && !issuer.empty()) {
    for (const spire::BundleAuthority& authority : served->bundle.authorities) {
      const bool above = authority.type == spire::AuthorityType::kX509 && authority.id == issuer;
      if (above && authority.not_after) KeepFirst(&shown.above_not_after, *authority.not_after);
    }
  }
  shown.chain = std::move(chain);
  return shown;
}

std::string_view ReachVerdictName(ReachVerdict verdict) {
  return kReachVerdicts[static_cast<size_t>(verdict)];
}

ReachVerdict JudgeReach(bool resolved, std::span<const ServerState> servers) {
  if (!resolved) return ReachVerdict::kNameUnknown;
  size_t serving = 0;
  bool shaken = false, connected = false, database = false;
  for (const ServerState& server : servers) {
    if (server.ended == ServerStage::kDone) ++serving;
    if (server.ended == ServerStage::kTls) connected = true;
    if (server.ended != ServerStage::kBundle) continue;
    shaken = true;
    database = database || LooksLikeDatabase(server.code);
  }
  if (servers.empty()) return ReachVerdict::kUnknown;
  if (serving == servers.size()) return ReachVerdict::kAllServing;
  if (serving > 0) return ReachVerdict::kSomeServing;
  if (database) return ReachVerdict::kDatabase;
  if (shaken) return ReachVerdict::kUnknown;
  return connected ? ReachVerdict::kTlsBroken : ReachVerdict::kUnreachable;
}

ReachSummary Summarise(std::span<const ServerState> servers) {
  ReachSummary summary;
  std::set<uint64_t> views;
  for (const ServerState& server : servers) {
    ++summary.by_stage[static_cast<size_t>(server.ended)];
    if (server.shown) {
      const ShownChain& shown = *server.shown;
      if (summary.first == nullptr || shown.leaf.not_after < summary.first->leaf.not_after) {
        summary.first = &shown;
      }
      if (shown.above_not_after) KeepFirst(&summary.above_not_after, *shown.above_not_after);
    }
    if (!server.served) continue;
    views.insert(server.served->x509_number);
    if (summary.view == nullptr || server.served->sequence_number > summary.view->sequence_number) {
      summary.view = server.served.get();
    }
  }
  summary.views = views.size();
  return summary;
}

ChainTally AgainstServed(std::span<const ServerState> servers) {
  return Tally(servers, ServedBy);
}

ChainTally AgainstRoots(std::span<const ServerState> servers, const Trusted& trusted) {
  return Tally(servers, [&trusted](const ServerState&) { return trusted; });
}

std::optional<bool> Verifies(const ChainTally& tally) {
  if (!tally) return std::nullopt;
  const size_t good = (*tally)[static_cast<size_t>(spiffe::Verdict::kGood)];
  const size_t all = std::accumulate(tally->begin(), tally->end(), size_t{0});
  if (good != 0 && good != all) return std::nullopt;
  return good != 0;
}

std::optional<UnixTime> FirstAuthorityEnd(std::span<const ServerState> servers,
                                          const Trusted& trusted) {
  std::optional<UnixTime> first;
  for (const ServerState& server : servers) {
    if (!server.shown || !server.shown->above_not_after) continue;
    const Trusted own = trusted.roots.empty() ? ServedBy(server) : trusted;
    if (own.roots.empty() || Judge(server, own) != spiffe::Verdict::kGood) continue;
    KeepFirst(&first, *server.shown->above_not_after);
  }
  return first;
}

void ClockProof::Observe(UnixTime not_before, SystemTime now, SteadyTime steady) {
  // By the server's clock; of a certificate from the far future or past as any other.
  const double issued = SecondsOf(not_before + kBackDating);
  const double ahead = issued - UnixSeconds(now);  // at least that much, as it has been issued
  const bool renewed = last_ && last_->not_before != not_before;
  const double passed = last_ ? UnixSeconds(now) - UnixSeconds(last_->at) : 0;
  const bool stepped = last_ && std::abs(passed - Seconds(steady - last_->steady)) > kStepSeconds;
  if (stepped) offset_.reset();  // it was told by another clock of ours
  if (renewed && !stepped) {
    const double behind = UnixSeconds(last_->at) - issued;
    offset_ = ahead > 0 ? ahead : behind > 0 ? -behind : 0;
  } else if (ahead > 0) {
    offset_ = std::max(offset_.value_or(ahead), ahead);
  }
  last_ = Look{not_before, now, steady};
}

}  // namespace spire_exporter::svid
