#include "collectors/runway/runway_judge.h"

#include <algorithm>

namespace spire_exporter::runway {
namespace {

using std::chrono::duration_cast;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kBackDating = seconds(10);
constexpr Duration kSyncInterval = seconds(5);  // SPIRE's default
// Of sources that say nothing else.
constexpr Duration kFresh = spire::kFreshFor;
constexpr Duration kSilentWhileIssuing = minutes(2);
constexpr Duration kPassedLongAgo = hours(1);
// Without a canary, agents that synchronised within this, or within two intervals and the slack,
// are taken to be served.
constexpr Duration kSyncedOfLate = minutes(1);
constexpr Duration kSyncSlack = seconds(10);
// Clocks that run apart by less have not been set.
constexpr Duration kSlew = seconds(2);

// Of facts that say themselves for how long they are as of now.
template <typename T>
std::optional<FactsBoard::Observed<T>> Fresh(const FactsBoard& facts, std::string_view subject,
                                             SteadyTime now) {
  auto fact = facts.Latest<T>(subject);
  if (fact && now - fact->at > fact->value->fresh_for) fact.reset();
  return fact;
}

// Whether the stream says that nothing that was due has been signed.
bool RefusedInStream(const FactsBoard& facts, SteadyTime now) {
  const auto stream = facts.Latest<spire::SyncFact>("sync/stream");
  return stream && now - stream->at <= kFresh && stream->value->refused;
}

std::optional<FactsBoard::Observed<spire::SyncFact>> LastSync(const FactsBoard& facts) {
  auto sync = facts.Latest<spire::SyncFact>("sync");
  auto stream = facts.Latest<spire::SyncFact>("sync/stream");
  if (!sync || !sync->value->last_success) return stream;
  if (stream && stream->value->last_success && stream->at - sync->at > kFresh) return stream;
  return sync;
}

// No SVID outlives the CA that signed it.
void CutShort(std::optional<Duration> ca, SourceView* view) {
  if (!ca || !view->runway || *view->runway <= *ca) return;
  view->sooner = std::max(view->sooner - (*view->runway - *ca), Duration::zero());
  view->later = Duration::zero();
  view->runway = ca;
}

}  // namespace

void RunwayJudge::See(SteadyTime at, const Now& now, Seen* seen) {
  if (seen->at == at) return;
  seen->at = at;
  seen->offset = now.system.time_since_epoch() -
                 duration_cast<SystemTime::duration>(now.steady.time_since_epoch());
}

Duration RunwayJudge::Left(SystemTime end, const Seen& seen, const Now& now) {
  const Duration by_system = end - now.system;
  const SystemTime then(seen.offset +
                        duration_cast<SystemTime::duration>(now.steady.time_since_epoch()));
  const Duration by_steady = end - then;
  return by_steady < by_system - kSlew ? by_steady : by_system;
}

bool RunwayJudge::Dropped(Duration left, SteadyTime at, const Now& now, Duration fresh_for) {
  if (now.issuing == "yes") return now.steady - at > std::max(kSilentWhileIssuing, fresh_for);
  return now.issuing == "unknown" && left < -kPassedLongAgo;
}

SourceView RunwayJudge::ViewOf(Source& source, const FactsBoard& facts, const Now& now) {
  SourceView view;
  view.clock = source.clock;
  view.source = source.source;
  const auto fact = facts.Latest<spire::Horizon>(source.subject);
  const bool fresh = fact && now.steady - fact->at <= kFresh;
  const bool good =
      fact && !fact->value->groups.empty() && (fact->value->whole || !source.whole_only);
  if (good) {
    See(fact->at, now, &source.seen);
    source.last = fact->value;
    source.at = fact->at;
  }
  if (fact && fact->value->shorter_lives) source.last = nullptr;  // what was whole was not
  if (source.last != nullptr) {
    const Duration left = Left(source.last->groups.front().expiry, source.seen, now);
    if (Dropped(left, source.at, now, kFresh)) {
      source.last = nullptr;
    } else {
      view.runway = left;
      view.sooner = source.last->sooner;
      view.later = source.last->later;
      view.state = good && fresh ? "current" : "kept";
    }
  }
  if (!view.runway && fact && fresh) view.state = "partial";
  return view;
}

SourceView RunwayJudge::Bound(const FactsBoard& facts, const Now& now) {
  SourceView view;
  view.clock = "workload";
  view.source = "bound";
  const auto sync = LastSync(facts);
  if (sync && sync->value->last_success) {
    if (synced_ != SystemTime(*sync->value->last_success)) See(sync->at, now, &sync_);
    synced_ = *sync->value->last_success;
    synced_at_ = sync->at;
  }
  if (!synced_ || !life_) return view;
  if (const auto ledger = facts.Latest<spire::Horizon>("workload/ledger");
      ledger && ledger->value->shorter_lives) {
    view.state = "partial";
    return view;
  }
  const Duration interval = SyncInterval(facts);
  // The agent's word is of entries: what servers refuse to sign does not keep it from being synced.
  // Where syncs go on long after the last good token, nothing is known to have been signed since.
  const auto canary = facts.Latest<spire::CanaryFact>("canary");
  if (now.issuing == "no" && canary && canary->value->jwt_minted &&
      *synced_ - *canary->value->jwt_minted > 3 * interval) {
    synced_ = *canary->value->jwt_minted - duration_cast<SystemTime::duration>(interval);
  }
  // An SVID that a good synchronisation left alone had 0.45 of its life left at the least.
  const Duration ahead = *life_ / 100 * 45 - interval;
  const Duration left = Left(*synced_ + duration_cast<SystemTime::duration>(ahead), sync_, now);
  if (Dropped(left, synced_at_, now, kFresh)) return view;
  view.runway = left;
  view.state = now.steady - synced_at_ <= kFresh ? "current" : "kept";
  return view;
}

void RunwayJudge::Expiring(const Source& source, const SourceView& view, const Now& now,
                           RunwayView* all) {
  if (!view.runway || source.last == nullptr) return;
  const spire::Horizon& horizon = *source.last;
  const bool outlived = source.clock == "workload" && all->ca;
  const Duration ca = outlived ? *all->ca : Duration::max();
  ExpiringView expiring{source.clock, {}};
  for (size_t i = 0; i < kWithinMinutes.size(); ++i) {
    uint64_t count = 0;
    bool beyond = horizon.whole;
    for (const spire::Horizon::Group& group : horizon.groups) {
      if (std::min(Left(group.expiry, source.seen, now), ca) > minutes(kWithinMinutes[i])) {
        beyond = true;
        break;
      }
      count += group.count;
    }
    if (beyond) expiring.within[i] = count;
  }
  all->expiring.push_back(expiring);
  for (const spire::Horizon::ClassEnd& end : horizon.classes) {
    if (all->classes.size() >= 20) break;
    all->classes.push_back({source.clock, end.name, Left(end.first_expiry, source.seen, now)});
  }
}

std::string_view RunwayJudge::Issuing(const FactsBoard& facts, const Now& now) const {
  const auto canary = Fresh<spire::CanaryFact>(facts, "canary", now.steady);
  if (canary && canary->value->issuing) return *canary->value->issuing ? "yes" : "no";
  const auto servers = Fresh<spire::ServersFact>(facts, "servers", now.steady);
  if (servers && servers->value->serving == 0) return "no";
  if (RefusedInStream(facts, now.steady)) return "no";
  const auto sync = LastSync(facts);
  if (!sync || !sync->value->last_success || now.steady - sync->at > kFresh) return "unknown";
  const Duration of_late = std::max(kSyncedOfLate, 2 * SyncInterval(facts) + kSyncSlack);
  return now.system - *sync->value->last_success <= of_late ? "yes" : "no";
}

Duration RunwayJudge::SyncInterval(const FactsBoard& facts) const {
  if (options_.sync_interval) return *options_.sync_interval;
  const auto sync = facts.Latest<spire::SyncFact>("sync");
  if (sync && sync->value->interval) return *sync->value->interval;
  const auto config = facts.Latest<spire::SpireConfigFact>("agent");
  return config ? config->value->sync_interval.value_or(kSyncInterval) : kSyncInterval;
}

void RunwayJudge::TakeLife(const FactsBoard& facts) {
  std::optional<Duration> ttl = options_.x509_svid_ttl;
  const auto config = facts.Latest<spire::SpireConfigFact>("server");
  if (!ttl && config) ttl = config->value->x509_svid_ttl;
  std::optional<Duration> issued;
  const auto canary = facts.Latest<spire::CanaryFact>("canary");
  if (canary && canary->value->x509_not_before && canary->value->x509_not_after) {
    issued = *canary->value->x509_not_after - *canary->value->x509_not_before;
  }
  // A server cuts a life short where its CA ends sooner.
  if (ttl) {
    life_ = std::min(*ttl + kBackDating, issued.value_or(Duration::max()));
  } else if (issued) {
    life_ = issued;
  }
}

void RunwayJudge::HoldLedger(const FactsBoard& facts, const Now& now, bool anybody_could_say,
                             const SourceView& bound, SourceView* ledger) const {
  const auto canary = facts.Latest<spire::CanaryFact>("canary");
  bool held = false;
  // The canary's is one of the SVIDs in the cache.
  if (canary && canary->value->x509_not_after) {
    const Duration of_canary = Left(*canary->value->x509_not_after, canary_, now);
    if (of_canary > Duration::zero() || now.issuing == "no") {
      ledger->runway = std::min(*ledger->runway, of_canary);
      held = true;
    }
  }
  if (!anybody_could_say) return;
  ledger->state = "doubtful";
  // Nor can the first end be before what a sync that others cannot write to left behind.
  const auto sync = LastSync(facts);
  if (bound.runway && sync && sync->value->source == "admin_socket") {
    ledger->runway = std::max(*ledger->runway, *bound.runway);
    held = true;
  }
  // Never from the stream alone where others could write to it.
  if (!held) ledger->runway.reset();
}

void RunwayJudge::AddEnds(const FactsBoard& facts, const Now& now, RunwayView* all) const {
  const auto canary = facts.Latest<spire::CanaryFact>("canary");
  if (canary && canary->value->jwt_minted && canary->value->jwt_lifetime) {
    const SystemTime end = *canary->value->jwt_minted +
                           duration_cast<SystemTime::duration>(*canary->value->jwt_lifetime);
    const Duration left = Left(end, canary_, now);
    if (!Dropped(left, canary->at, now, canary->value->fresh_for)) all->jwt = left;
  }
  const auto servers = facts.Latest<spire::ServersFact>("servers");
  if (servers && servers->value->ca_not_after) {
    const Duration left = Left(*servers->value->ca_not_after, servers_, now);
    if (!Dropped(left, servers->at, now, servers->value->fresh_for)) all->ca = left;
  }
}

Comeback RunwayJudge::JudgeReturn(const FactsBoard& facts, const Now& now,
                                  const RunwayView& all) const {
  std::optional<bool> ended;
  for (const SourceView& view : all.sources) {
    const bool beside = view.source == "cache" || view.source == "ledger";
    if (view.clock == "agent" && beside && view.runway && !ended) {
      ended = *view.runway <= Duration::zero();
    }
  }
  const auto agent = facts.Latest<spire::SpireConfigFact>("agent");
  const auto servers = Fresh<spire::ServersFact>(facts, "servers", now.steady);
  // An agent that is gone gets nothing either, and a start is just what it wants.
  const auto canary = Fresh<spire::CanaryFact>(facts, "canary", now.steady);
  const bool refused = canary && (canary->value->issuing || canary->value->refused)
                           ? canary->value->refused
                           : RefusedInStream(facts, now.steady);
  return JudgeComeback(servers ? servers->value.get() : nullptr,
                       agent ? agent->value.get() : nullptr, ended, refused);
}

RunwayView RunwayJudge::Judge(const FactsBoard& facts, SteadyTime steady, SystemTime system) {
  RunwayView all;
  Now now{steady, system, "unknown"};
  now.issuing = all.issuing = Issuing(facts, now);
  if (const auto canary = facts.Latest<spire::CanaryFact>("canary")) {
    See(canary->at, now, &canary_);
  }
  if (const auto servers = facts.Latest<spire::ServersFact>("servers")) {
    See(servers->at, now, &servers_);
  }
  TakeLife(facts);
  AddEnds(facts, now, &all);

  SourceView bound = Bound(facts, now);
  for (Source& source : sources_) {
    const bool of_agent = source.source != "datastore";
    if (of_agent ? options_.role == Role::kServer : options_.role == Role::kAgent) continue;
    SourceView view = ViewOf(source, facts, now);
    // Without the lifetime of agents' own SVIDs nobody publishes it.
    if (view.state == "absent" && source.subject == "agent/ledger") continue;
    if (view.runway && source.subject == "workload/ledger") {
      HoldLedger(facts, now, source.last->anybody_could_say, bound, &view);
    } else if (view.runway && source.last->anybody_could_say) {
      view.state = "doubtful";
      view.runway.reset();
    }
    if (source.source == "ledger") CutShort(all.ca, &view);
    if (source.subject == "workload/ledger" || source.source == "datastore") {
      Expiring(source, view, now, &all);
    }
    all.sources.push_back(view);
  }
  if (options_.role == Role::kServer) return all;
  CutShort(all.ca, &bound);
  all.sources.push_back(bound);
  all.comeback = JudgeReturn(facts, now, all);
  return all;
}

}  // namespace spire_exporter::runway
