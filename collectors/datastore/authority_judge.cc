#include "collectors/datastore/authority_judge.h"

#include <algorithm>
#include <map>
#include <unordered_set>
#include <utility>

namespace spire_exporter::datastore {
namespace {

using spire::AuthorityType;
using spire::Bundle;
using spire::BundleAuthority;
using spire::BundleRow;
using spire::Journal;
using spire::JournalAuthority;
using spire::JournalRow;
using spire::Origin;
using spire::Slot;
using spire::Trust;
using spire::UnixTime;
using std::chrono::hours;
using std::chrono::seconds;

constexpr seconds kShownAfterEnd = hours(1);

size_t Index(AuthorityType type) {
  return static_cast<size_t>(type);
}

seconds Lifetime(const JournalAuthority& authority) {
  return std::max(seconds(0), authority.not_after - authority.issued_at);
}

// Calls `visit(row, authority)` for each.
template <typename Visit>
void ForEachAuthority(const std::vector<JournalRow>& journals, Visit visit) {
  for (const JournalRow& row : journals) {
    if (!row.journal) continue;
    for (const JournalAuthority& each : row.journal->authorities) visit(row, each);
  }
}

bool Before(const std::optional<UnixTime>& end, UnixTime now) {
  return end && *end <= now;
}

std::string Key(AuthorityType type, std::string_view id) {
  return std::string(spire::AuthorityTypeName(type)) + ':' + std::string(id);
}

using Owned = std::unordered_set<std::string>;

// All that the journals name, with what it chains to.
Owned OwnedBy(const std::vector<JournalRow>& journals) {
  Owned owned;
  ForEachAuthority(journals, [&](const JournalRow&, const JournalAuthority& each) {
    owned.insert(Key(each.type, each.id));
    for (const std::string& issuer : each.issuers) owned.insert(Key(each.type, issuer));
  });
  return owned;
}

// The first end above an authority that has an upstream.
std::optional<UnixTime> UpstreamEnd(const JournalAuthority& authority, const Bundle* bundle) {
  if (authority.issuers.empty()) return std::nullopt;
  std::optional<UnixTime> end = authority.chain_not_after;
  if (bundle == nullptr) return end;
  for (const BundleAuthority& root : bundle->authorities) {
    if (root.type != AuthorityType::kX509 || !root.not_after) continue;
    if (std::find(authority.issuers.begin(), authority.issuers.end(), root.id) ==
        authority.issuers.end()) {
      continue;
    }
    end = end ? std::min(*end, *root.not_after) : *root.not_after;
  }
  return end;
}

// Ends before what the journals still name of its type: SPIRE's authorities live equally long, so
// that it is older than they are. Nobody can make one of these that outlasts them.
bool IsLeftover(const BundleAuthority& authority, const std::vector<JournalRow>& journals) {
  if (!authority.not_after) return false;
  bool before_all = true;
  bool known = false;
  bool forgotten = false;
  for (const JournalRow& row : journals) {
    if (!row.journal) continue;
    size_t count = 0;
    std::optional<UnixTime> oldest;
    for (const JournalAuthority& each : row.journal->authorities) {
      if (each.type != authority.type) continue;
      ++count;
      oldest = oldest ? std::min(*oldest, each.not_after) : each.not_after;
    }
    if (!oldest) continue;
    known = true;
    const bool before = *authority.not_after < *oldest;
    before_all = before_all && before;
    forgotten = forgotten || (before && count >= Journal::kKeptPerType);
  }
  return known && (before_all || forgotten);
}

void TallyBundle(const Bundle& bundle, UnixTime now, Judgement* judgement) {
  std::map<uint64_t, size_t> subjects;
  for (const BundleAuthority& each : bundle.authorities) {
    TypeTally& tally = judgement->types[Index(each.type)];
    if (Before(each.not_after, now)) {
      ++tally.expired;
    } else if (each.tainted) {
      ++tally.tainted;
    } else {
      ++tally.valid;
    }
    if (each.type == AuthorityType::kX509) {
      judgement->same_subject = std::max(judgement->same_subject, ++subjects[each.subject_hash]);
    }
  }
}

FederatedVerdict JudgeFederated(const BundleRow& row, UnixTime now) {
  FederatedVerdict verdict;
  verdict.trust_domain = row.trust_domain;
  verdict.updated_seconds = row.updated_seconds;
  for (const BundleAuthority& each : row.bundle->authorities) {
    ++verdict.authorities[Index(each.type)];
    if (each.type != AuthorityType::kX509 || !each.not_after) continue;
    verdict.last_expiry = std::max(verdict.last_expiry.value_or(*each.not_after), *each.not_after);
    if (Before(each.not_after, now)) continue;
    verdict.first_expiry =
        std::min(verdict.first_expiry.value_or(*each.not_after), *each.not_after);
  }
  return verdict;
}

// One server's authorities of one type, and what they add to the tally.
void JudgeServer(const JournalRow& row, AuthorityType type, UnixTime now, Judgement* judgement) {
  const JournalAuthority* active = nullptr;
  bool prepared = false;
  for (const JournalAuthority& each : row.journal->authorities) {
    if (each.type != type || each.not_after <= now) continue;
    if (each.slot == Slot::kPrepared) prepared = true;
    if (each.slot != Slot::kActive) continue;
    if (active == nullptr || each.not_after > active->not_after) active = &each;
  }
  if (type == AuthorityType::kX509) {
    ++(active != nullptr ? judgement->servers_live : judgement->servers_expired);
  }
  if (active == nullptr) return;
  const ServerVerdict verdict{row.id, type, prepared, PrepareAt(*active), ActivateAt(*active)};
  const seconds grace = OverdueAfter(*active);
  TypeTally& tally = judgement->types[Index(type)];
  if (!prepared && now > verdict.prepare_at + grace) ++tally.prepare_overdue;
  if (now > verdict.activate_at + grace) ++tally.activate_overdue;
  judgement->servers.push_back(verdict);
}

int Rank(Slot slot) {
  return slot == Slot::kActive ? 0 : slot == Slot::kPrepared ? 1 : 2;
}

// The authorities that count, active ones first.
std::vector<AuthorityVerdict> JudgeAuthorities(const std::vector<JournalRow>& journals,
                                               const Bundle* bundle, UnixTime now) {
  std::vector<AuthorityVerdict> verdicts;
  ForEachAuthority(journals, [&](const JournalRow& row, const JournalAuthority& each) {
    const bool in_use = each.slot == Slot::kActive || each.slot == Slot::kPrepared;
    if (each.not_after + (in_use ? kShownAfterEnd : seconds(0)) <= now) return;
    const Trust trust = bundle == nullptr ? Trust::kUnknown : TrustOf(each, *bundle);
    verdicts.push_back({row.id, each, trust, UpstreamEnd(each, bundle)});
  });
  std::stable_sort(verdicts.begin(), verdicts.end(),
                   [](const AuthorityVerdict& a, const AuthorityVerdict& b) {
                     return Rank(a.authority.slot) < Rank(b.authority.slot);
                   });
  return verdicts;
}

std::string MissingKey(const AuthorityVerdict& verdict) {
  return std::to_string(verdict.row) + ' ' + Key(verdict.authority.type, verdict.authority.id);
}

bool IsMissing(const AuthorityVerdict& verdict, UnixTime now) {
  return verdict.authority.slot == Slot::kActive && verdict.authority.not_after > now &&
         verdict.trust == Trust::kAbsent;
}

void TallyTrust(const AuthorityVerdict& verdict, UnixTime now, TypeTally* tally) {
  if (verdict.authority.not_after <= now) return;
  if (verdict.authority.slot == Slot::kOld) {
    tally->revoked += verdict.trust == Trust::kAbsent ? 1 : 0;
  } else if (verdict.authority.slot == Slot::kActive) {
    tally->active_tainted += verdict.trust == Trust::kTainted ? 1 : 0;
    tally->active_upstream_tainted += verdict.trust == Trust::kUpstreamTainted ? 1 : 0;
  }
}

// What is in the bundle and in no journal.
std::vector<spire::UnownedAuthority> FindUnowned(const Bundle& bundle,
                                                 const std::vector<JournalRow>& journals,
                                                 UnixTime now) {
  bool upstream = false;
  ForEachAuthority(journals, [&](const JournalRow&, const JournalAuthority& each) {
    upstream = upstream || (each.not_after > now && !each.issuers.empty());
  });
  const Owned owned = OwnedBy(journals);
  std::vector<spire::UnownedAuthority> found;
  for (const BundleAuthority& each : bundle.authorities) {
    if (Before(each.not_after, now) || owned.contains(Key(each.type, each.id))) continue;
    const Origin origin = IsLeftover(each, journals) ? Origin::kLeftover
                          : upstream                 ? Origin::kUpstream
                                                     : Origin::kUnknown;
    found.push_back({each, origin});
  }
  return found;
}

}  // namespace

UnixTime PrepareAt(const JournalAuthority& authority) {
  return authority.not_after - std::min<seconds>(Lifetime(authority) / 2, hours(30 * 24));
}

UnixTime ActivateAt(const JournalAuthority& authority) {
  return authority.not_after - std::min<seconds>(Lifetime(authority) / 6, hours(7 * 24));
}

seconds OverdueAfter(const JournalAuthority& authority) {
  return std::clamp<seconds>(Lifetime(authority) / 24, seconds(30), std::chrono::minutes(5));
}

std::optional<size_t> OwnBundle(const std::vector<BundleRow>& bundles,
                                const std::vector<JournalRow>& journals,
                                std::string_view trust_domain) {
  const Owned owned = trust_domain.empty() ? OwnedBy(journals) : Owned();
  std::optional<size_t> found;
  for (size_t i = 0; i < bundles.size(); ++i) {
    bool own = !trust_domain.empty() && bundles[i].trust_domain == trust_domain;
    if (trust_domain.empty() && bundles[i].bundle) {
      const auto& authorities = bundles[i].bundle->authorities;
      own = std::any_of(authorities.begin(), authorities.end(),
                        [&](const auto& each) { return owned.contains(Key(each.type, each.id)); });
    }
    if (!own) continue;
    if (found) return std::nullopt;
    found = i;
  }
  if (!found && trust_domain.empty() && bundles.size() == 1) return 0;
  return found;
}

void SeenTwice::Next(std::set<std::string> seen) {
  twice_.clear();
  std::set_intersection(seen.begin(), seen.end(), last_.begin(), last_.end(),
                        std::inserter(twice_, twice_.begin()));
  last_ = std::move(seen);
}

Judgement AuthorityJudge::Judge(spire::AuthoritySet* set, SystemTime system_now, bool anew) {
  const auto now = std::chrono::floor<seconds>(system_now);
  const Bundle* const bundle = set->bundle ? set->bundle->bundle.get() : nullptr;
  Judgement judgement;
  judgement.journals_known = !set->journals.empty();
  judgement.bundle_known = bundle != nullptr;
  judgement.unowned_known = set->journals_whole && bundle != nullptr;
  if (bundle != nullptr) TallyBundle(*bundle, now, &judgement);

  for (const JournalRow& row : set->journals) {
    if (!row.journal) {
      ++judgement.servers_unreadable;
      continue;
    }
    for (const AuthorityType type : spire::kAuthorityTypes) {
      JudgeServer(row, type, now, &judgement);
    }
  }
  judgement.authorities = JudgeAuthorities(set->journals, bundle, now);
  JudgeMissing(now, anew, &judgement);
  set->unowned.clear();
  if (judgement.unowned_known) JudgeUnowned(now, anew, set, &judgement);

  for (const BundleRow& row : set->federated) {
    if (row.bundle && !row.trust_domain.empty()) {
      judgement.federated.push_back(JudgeFederated(row, now));
    }
  }
  std::sort(judgement.federated.begin(), judgement.federated.end(),
            [](const auto& a, const auto& b) { return a.trust_domain < b.trust_domain; });
  return judgement;
}

void AuthorityJudge::JudgeMissing(UnixTime now, bool anew, Judgement* judgement) {
  std::set<std::string> missing;
  for (const AuthorityVerdict& verdict : judgement->authorities) {
    TallyTrust(verdict, now, &judgement->types[Index(verdict.authority.type)]);
    if (IsMissing(verdict, now)) missing.insert(MissingKey(verdict));
  }
  if (anew) missing_.Next(std::move(missing));
  for (const AuthorityVerdict& verdict : judgement->authorities) {
    if (IsMissing(verdict, now) && missing_.Has(MissingKey(verdict))) {
      ++judgement->types[Index(verdict.authority.type)].active_missing;
    }
  }
}

void AuthorityJudge::JudgeUnowned(UnixTime now, bool anew, spire::AuthoritySet* set,
                                  Judgement* judgement) {
  std::vector<spire::UnownedAuthority> found =
      FindUnowned(*set->bundle->bundle, set->journals, now);
  const auto key = [](const spire::UnownedAuthority& each) {
    return Key(each.authority.type, each.authority.id);
  };
  if (anew) {
    std::set<std::string> seen;
    for (const auto& each : found) seen.insert(key(each));
    unowned_.Next(std::move(seen));
  }
  for (spire::UnownedAuthority& each : found) {
    if (!unowned_.Has(key(each))) continue;
    ++judgement->types[Index(each.authority.type)].unowned[static_cast<size_t>(each.origin)];
    set->unowned.push_back(std::move(each));
  }
}

void BundleWatch::Observe(const BundleRow& row) {
  if (!row.bundle || row.digest.empty()) return;
  const uint64_t number = row.bundle->sequence_number;
  if (row.trust_domain != trust_domain_) watching_ = false;  // another bundle is ours now
  if (watching_) {
    if (number < sequence_number_) {
      ++rewinds_;
    } else if (number == sequence_number_ && row.digest != digest_) {
      ++unsequenced_;
    }
  }
  watching_ = watching_ || number > 0;
  trust_domain_ = row.trust_domain;
  digest_ = row.digest;
  sequence_number_ = number;
}

}  // namespace spire_exporter::datastore
