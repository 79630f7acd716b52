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
// A word is as of now for so long: the slowest source asks every half a minute.
constexpr Duration kFresh = seconds(90);
constexpr Duration kSilentWhileIssuing = minutes(2);
constexpr Duration kPassedLongAgo = hours(1);
// Without a canary, agents that synchronised within this are taken to be served.
constexpr Duration kSyncedOfLate = minutes(1);
// Clocks that run apart by less have not been set.
constexpr Duration kSlew = seconds(2);

template <typename T>
std::optional<FactsBoard::Observed<T>> Fresh(const FactsBoard& facts, std::string_view subject,
                                             SteadyTime now) {
  auto fact = facts.Latest<T>(subject);
  if (fact && now - fact->at > kFresh) fact.reset();
  return fact;
}

std::optional<FactsBoard::Observed<spire::SyncFact>> LastSync(const FactsBoard& facts) {
  auto sync = facts.Latest<spire::SyncFact>("sync");
  auto stream = facts.Latest<spire::SyncFact>("sync/stream");
  if (!sync || !sync->value->last_success) return stream;
  if (stream && stream->value->last_success && stream->at - sync->at > kFresh) return stream;
  return sync;
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

bool RunwayJudge::Dropped(Duration left, SteadyTime at, const Now& now) {
  if (now.issuing == "yes") return now.steady - at > kSilentWhileIssuing;
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
  if (source.last != nullptr) {
    const Duration left = Left(source.last->groups.front().expiry, source.seen, now);
    if (Dropped(left, source.at, now)) {
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
  const auto config = facts.Latest<spire::SpireConfigFact>("agent");
  Duration interval = options_.sync_interval.value_or(kSyncInterval);
  if (!options_.sync_interval && config && config->value->sync_interval) {
    interval = *config->value->sync_interval;
  }
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
  if (Dropped(left, synced_at_, now)) return view;
  view.runway = left;
  view.state = now.steady - synced_at_ <= kFresh ? "current" : "kept";
  return view;
}

void RunwayJudge::Expiring(const Source& source, const SourceView& view, const Now& now,
                           RunwayView* all) {
  if (!view.runway || source.last == nullptr) return;
  const spire::Horizon& horizon = *source.last;
  ExpiringView expiring{source.clock, {}};
  for (size_t i = 0; i < kWithinMinutes.size(); ++i) {
    uint64_t count = 0;
    bool beyond = horizon.whole;
    for (const spire::Horizon::Group& group : horizon.groups) {
      if (Left(group.expiry, source.seen, now) > minutes(kWithinMinutes[i])) {
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

RunwayView RunwayJudge::Judge(const FactsBoard& facts, SteadyTime steady, SystemTime system) {
  RunwayView all;
  Now now{steady, system, "unknown"};
  const auto canary = facts.Latest<spire::CanaryFact>("canary");
  const auto servers = facts.Latest<spire::ServersFact>("servers");
  const auto sync = LastSync(facts);
  if (canary && steady - canary->at <= kFresh && canary->value->issuing) {
    now.issuing = *canary->value->issuing ? "yes" : "no";
  } else if (servers && steady - servers->at <= kFresh && servers->value->serving == 0) {
    now.issuing = "no";
  } else if (sync && sync->value->last_success && steady - sync->at <= kFresh) {
    now.issuing = system - *sync->value->last_success <= kSyncedOfLate ? "yes" : "no";
  }
  all.issuing = now.issuing;

  std::optional<Duration> ttl = options_.x509_svid_ttl;
  const auto config = facts.Latest<spire::SpireConfigFact>("server");
  if (!ttl && config) ttl = config->value->x509_svid_ttl;
  if (canary) See(canary->at, now, &canary_);
  if (servers) See(servers->at, now, &servers_);
  if (ttl) {
    life_ = *ttl + kBackDating;
  } else if (canary && canary->value->x509_not_before && canary->value->x509_not_after) {
    life_ = *canary->value->x509_not_after - *canary->value->x509_not_before;
  }

  const SourceView bound = Bound(facts, now);
  for (Source& source : sources_) {
    const bool of_agent = source.source != "datastore";
    if (of_agent ? options_.role == Role::kServer : options_.role == Role::kAgent) continue;
    SourceView view = ViewOf(source, facts, now);
    // Published by some sidecars alone.
    if (view.state == "absent" && source.subject == "workload/cache") continue;
    if (view.runway && source.source == "ledger") {
      // The canary's is one of the SVIDs in the cache.
      if (canary && canary->value->x509_not_after) {
        const Duration of_canary = Left(*canary->value->x509_not_after, canary_, now);
        if (of_canary > Duration::zero() || now.issuing == "no") {
          view.runway = std::min(*view.runway, of_canary);
        }
      }
      if (source.last->anybody_could_say) {
        view.state = "doubtful";
        // Nor can the first end be before what a sync that others cannot write to left behind.
        if (bound.runway && sync && sync->value->source == "admin_socket") {
          view.runway = std::max(*view.runway, *bound.runway);
        }
      }
    }
    const bool counted = source.source == "ledger" || source.source == "datastore";
    if (counted) Expiring(source, view, now, &all);
    all.sources.push_back(view);
  }
  if (options_.role != Role::kServer) all.sources.push_back(bound);

  if (canary && canary->value->jwt_minted && canary->value->jwt_lifetime) {
    const SystemTime end = *canary->value->jwt_minted +
                           duration_cast<SystemTime::duration>(*canary->value->jwt_lifetime);
    const Duration left = Left(end, canary_, now);
    if (!Dropped(left, canary->at, now)) all.jwt = left;
  }
  if (servers && servers->value->ca_not_after) {
    const Duration left = Left(*servers->value->ca_not_after, servers_, now);
    if (!Dropped(left, servers->at, now)) all.ca = left;
  }
  if (options_.role != Role::kServer) {
    std::optional<bool> ended;
    for (const SourceView& view : all.sources) {
      if (view.clock == "agent" && view.source == "cache" && view.runway) {
        ended = *view.runway <= Duration::zero();
      }
    }
    const auto agent = facts.Latest<spire::SpireConfigFact>("agent");
    const bool seen = servers && steady - servers->at <= kFresh;
    // An agent that is gone gets nothing either, and a start is just what it wants.
    const bool refused = canary && steady - canary->at <= kFresh && canary->value->refused;
    all.comeback = JudgeComeback(seen ? servers->value.get() : nullptr,
                                 agent ? agent->value.get() : nullptr, ended, refused);
  }
  return all;
}

}  // namespace spire_exporter::runway
