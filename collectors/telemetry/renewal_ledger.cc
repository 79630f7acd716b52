#include "collectors/telemetry/renewal_ledger.h"

#include <algorithm>
#include <utility>

namespace spire_exporter::telemetry {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What SPIRE's client and this process's reading can put between two lines of one moment.
constexpr Duration kSameMoment = milliseconds(300);
constexpr Duration kSettled = seconds(1);
// A call for signatures ends after 30 s.
constexpr Duration kCallMax = seconds(60);
// Slack of the ages, for arrivals and SPIRE's whole seconds.
constexpr Duration kSlackFrom = seconds(1);
constexpr Duration kSlackUntil = seconds(2);
// SPIRE's availability_target: with lives longer than this, renewal may come as early as twelve
// hours after the signing.
constexpr Duration kTargetLife = hours(36);
constexpr Duration kTargetFrom = hours(12);
// The agent asks for what it lacks twice a second.
constexpr int kRetriesToBelieve = 3;
constexpr Duration kRetriesWithin = seconds(4);
// What pages of SPIRE's endpoint leave open of an age.
constexpr Duration kSlackOfPages = seconds(15);

// A share of the life, in thousandths, from the signing on.
Duration AgeWhenLeft(Duration ttl, int thousandths) {
  return ttl - (ttl + kBackDating) / 1000 * thousandths;
}

}  // namespace

Duration RenewalLedger::RenewedFrom() const {
  if (!ttl_) return Duration::zero();
  Duration from = AgeWhenLeft(*ttl_, 550) - kSlackFrom;
  if (*ttl_ > kTargetLife) from = std::min(from, kTargetFrom);
  return std::max(from, Duration::zero());
}

Duration RenewalLedger::RenewedUntil() const {
  return std::max(AgeWhenLeft(ttl_.value_or(Duration::zero()), 450), Duration::zero()) +
         kSlackUntil;
}

void RenewalLedger::SetTtl(std::optional<Duration> ttl) {
  if (ttl) ttl_ = ttl;
}

void RenewalLedger::OnStarted(SteadyTime now) {
  OnDoubt(now);
  cached_.reset();
  unseen_ = 0;
  sure_ = true;
}

void RenewalLedger::OnDoubt(SteadyTime now) {
  records_.clear();
  signed_ = taken_ = gone_ = unexplained_ = 0;
  unseen_ = cached_.value_or(0);
  sure_ = false;
  unsure_since_ = doubted_ = now;
  pending_.reset();
  before_.reset();
  refused_.reset();
  unannounced_.reset();
  retries_ = {};
  left_over_ = 0;
}

RenewalLedger::Pending& RenewalLedger::Announced(const Instant& at, SteadyTime now) {
  if (!pending_) {
    pending_ = Pending{0, 0, at, now, false};
  } else if (now - pending_->seen > kSameMoment && !pending_->failed) {
    // Another sync counts all that is still due.
    *pending_ = Pending{0, 0, at, now, false};
  }
  return *pending_;
}

void RenewalLedger::MaybeSignedAlready(const Instant& at, SteadyTime now) {
  if (!signed_seen_ || now - *signed_seen_ > kSameMoment) return;
  unannounced_.reset();
  if (retries_.count > 0) --retries_.count;
  Sign(at, now);
}

void RenewalLedger::OnExpiring(uint64_t svids, const Instant& at, SteadyTime now) {
  Settle(now);
  if (svids == 0) return;
  Pending& pending = Announced(at, now);
  pending.expiring = std::max(pending.expiring, svids);
  MaybeSignedAlready(at, now);
}

void RenewalLedger::OnOutdated(uint64_t svids, const Instant& at, SteadyTime now) {
  Settle(now);
  if (svids == 0) return;
  Pending& pending = Announced(at, now);
  pending.outdated = std::max(pending.outdated, svids);
  MaybeSignedAlready(at, now);
}

void RenewalLedger::OnSigned(const Instant& at, Duration took, SteadyTime now) {
  Settle(now);
  signed_seen_ = now;
  took = std::clamp(took, Duration::zero(), kCallMax);
  if (!pending_) {
    OnUnannounced(now, took);
    return;
  }
  Instant begun{at.steady - took,
                at.system - std::chrono::duration_cast<SystemTime::duration>(took)};
  Sign(begun.steady > pending_->at.steady ? begun : pending_->at, now);
}

void RenewalLedger::OnUnannounced(SteadyTime now, Duration took) {
  if (left_over_ > 0) {
    const uint64_t renewed = std::min(left_over_, kBatchMax);
    left_over_ -= renewed;
    Take(renewed, before_->at);
    Add(before_->at, renewed);
    return;
  }
  if (grew_seen_ && now - *grew_seen_ <= kSameMoment) return;
  unannounced_ = now;
  unannounced_took_ = took;
  if (held_seen_ && now - *held_seen_ <= kSameMoment) CountRetry(now);
}

void RenewalLedger::CountRetry(SteadyTime now) {
  unannounced_.reset();
  if (now - retries_.last > kRetriesWithin + unannounced_took_) retries_ = {0, now, now};
  ++retries_.count;
  retries_.last = now;
  if (!refused_ && retries_.count >= kRetriesToBelieve) Refuse();
}

void RenewalLedger::OnSignFailed(SteadyTime now) {
  Settle(now);
  // What is due stays due; the sync that asked for it left it unsigned.
  if (pending_) pending_->failed = true;
  synced_.reset();
}

void RenewalLedger::OnSynced(const Instant& at, SteadyTime now) {
  Settle(now);
  synced_ = at;
  synced_seen_ = now;
}

void RenewalLedger::Refuse() {
  if (!before_ || before_->retrying ||
      retries_.first - unannounced_took_ - before_->seen > kRetriesWithin) {
    return;  // new ones are refused, or an entry that never is signed: what is held is as it was
  }
  refused_ = Refused{before_->renewed, before_->at, before_->seen,
                     before_->renewed, before_->at, before_->seen};
  records_ = std::move(before_->records);
  signed_ = before_->issued;
  taken_ = before_->taken;
  gone_ = before_->gone;
  unexplained_ = before_->unexplained;
  unseen_ = before_->unseen;
  sure_ = before_->sure;
  unsure_since_ = before_->unsure_since;
  last_sync_ = before_->last_sync;
  before_.reset();
}

// Whether they refuse still, at a sync that was seen a while ago.
bool RenewalLedger::StillRefused(SteadyTime now) {
  Refused& refused = *refused_;
  const bool retried = retries_.last > synced_seen_ - kSettled - unannounced_took_;
  const Duration jitter = RenewedUntil() - RenewedFrom();
  if (!retried || synced_seen_ - refused.latest_seen > jitter) {
    // All that was due at the last announcement has been signed since: retries have ended, or are
    // for an entry that can never be signed.
    if (refused.latest < refused.due) {
      Take(refused.due - refused.latest, refused.at);
      Add(refused.at, refused.due - refused.latest);
    }
    Take(refused.latest, refused.latest_at);
    Add(refused.latest_at, refused.latest);
    refused_.reset();
    retries_ = {};
    return false;
  }
  if (synced_seen_ - refused.since > RenewedUntil() && refused.latest < cached_.value_or(0) / 2) {
    OnDoubt(now);  // by now all would be due
    return false;
  }
  if (refused.latest < refused.due && synced_seen_ - refused.since > jitter) {
    // What is due is announced at every sync once its jitter leaves it no choice: the others were
    // signed after all.
    Take(refused.due - refused.latest, refused.at);
    Add(refused.at, refused.due - refused.latest);
    refused.due = refused.latest;
    refused.at = refused.latest_at;
    refused.since = synced_seen_;
  }
  return true;
}

void RenewalLedger::Settle(SteadyTime now) {
  if (!sure_ && !unsure_since_) unsure_since_ = doubted_ = now;
  if (pending_ && !pending_->failed && now - pending_->seen > kCallMax) {
    // How it went was not heard.
    OnDoubt(now);
  }
  if (unannounced_ && now - *unannounced_ > kSameMoment) unannounced_.reset();
  if (!synced_ || now - synced_seen_ < kSettled || pending_) return;
  if (refused_ && StillRefused(now)) {
    synced_.reset();
    return;
  }
  last_sync_ = std::exchange(synced_, std::nullopt);
  if (!ttl_) return;
  const SteadyTime synced = last_sync_->steady;
  DropAged(synced - RenewedUntil());
  if (!sure_ && synced > *unsure_since_ + RenewedUntil()) {
    sure_ = true;
    unseen_ = 0;
  }
}

void RenewalLedger::OnCached(uint64_t svids, const Instant& at, SteadyTime now) {
  Settle(now);
  const uint64_t held = Held();
  if (svids > cached_.value_or(0)) {
    grew_seen_ = now;
    unannounced_.reset();
    if (!refused_) retries_ = {};
  } else {
    held_seen_ = now;
    if (unannounced_) CountRetry(now);
  }
  if (refused_) {
    cached_ = svids;
    return;
  }
  if (svids > held) {
    if (!cached_ && !sure_) {
      unseen_ += svids - held;
    } else {
      // What was dropped as too old may have been there all the time.
      if (unexplained_ > 0) {
        sure_ = false;
        unsure_since_ = now;
      }
      Add(at, svids - held);
    }
  } else {
    LetGo(held - svids);
  }
  unexplained_ = 0;
  cached_ = svids;
}

void RenewalLedger::Sign(const Instant& at, SteadyTime now) {
  const Pending pending = *std::exchange(pending_, std::nullopt);
  if (refused_) {
    refused_->latest = pending.expiring;
    refused_->latest_at = pending.at;
    refused_->latest_seen = now;
    if (pending.expiring >= refused_->due) {
      if (pending.expiring > refused_->due) refused_->since = now;
      refused_->due = pending.expiring;
      refused_->at = pending.at;
    }
    return;
  }
  const bool retrying =
      retries_.count >= kRetriesToBelieve && now - retries_.last <= kRetriesWithin;
  before_ =
      Before{records_,      signed_,    taken_,           gone_,      unexplained_, unseen_, sure_,
             unsure_since_, last_sync_, pending.expiring, pending.at, now,          retrying};
  left_over_ = pending.expiring - std::min(pending.expiring, kBatchMax);
  const uint64_t renewed = std::min(pending.expiring, kBatchMax);
  const uint64_t outdated = std::min(pending.outdated, kBatchMax - renewed);
  if (renewed > 0) Take(renewed, at);
  LetGo(outdated);
  Add(at, renewed + outdated);
}

void RenewalLedger::Add(const Instant& at, uint64_t count) {
  if (count == 0) return;
  signed_ += count;
  if (!records_.empty() && records_.back().at.steady >= at.steady) {
    records_.back().count += count;
    return;
  }
  records_.push_back({at, count});
  if (records_.size() <= kRecordsMax) return;
  records_[1].count += records_[0].count;
  records_[1].at = records_[0].at;
  records_.pop_front();
}

void RenewalLedger::Take(uint64_t count, const Instant& at) {
  const uint64_t of_unseen = std::min(unseen_, count);
  unseen_ -= of_unseen;
  count -= of_unseen;
  uint64_t old_enough = 0, nearly = 0;
  for (const Record& record : records_) {
    const Duration age = at.steady - record.at.steady;
    if (age >= RenewedFrom()) old_enough += record.count;
    if (age >= RenewedFrom() - kSlackOfPages) nearly += record.count;
  }
  // Before the cache's size is known, all that is renewed may be from before anything was seen.
  if (taken_ + count > old_enough && (sure_ || cached_)) {
    // Somebody lives shorter than the rest, or was never seen. Each such renewal takes the record
    // of another.
    const bool all_seen = sure_ || at.steady - doubted_ > 2 * RenewedUntil();
    if (taken_ + count > nearly && all_seen) shorter_seen_ = at.steady;
    sure_ = false;
    unsure_since_ = at.steady;
  }
  taken_ = std::min(taken_ + count, signed_);
  gone_ = std::min(gone_, signed_ - taken_);
  if (taken_ < old_enough) return;
  // All that could have been renewed have been.
  while (taken_ > 0) {
    Record& first = records_.front();
    const uint64_t all = std::min(first.count, taken_);
    taken_ -= all;
    signed_ -= all;
    first.count -= all;
    if (first.count == 0) records_.pop_front();
  }
}

void RenewalLedger::LetGo(uint64_t count) {
  const uint64_t of_unseen = std::min(unseen_, count);
  unseen_ -= of_unseen;
  gone_ = std::min(gone_ + count - of_unseen, signed_ - taken_);
}

// At a sync that left nothing unsigned, nobody can be older.
void RenewalLedger::DropAged(SteadyTime before) {
  while (!records_.empty() && records_.front().at.steady < before) {
    const uint64_t count = records_.front().count;
    const uint64_t renewed = std::min(taken_, count);
    const uint64_t gone = std::min(gone_, count - renewed);
    taken_ -= renewed;
    gone_ -= gone;
    unexplained_ += count - renewed - gone;
    signed_ -= count;
    records_.pop_front();
  }
}

}  // namespace spire_exporter::telemetry
