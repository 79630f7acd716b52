#include "collectors/postgres/replication_judge.h"

#include <algorithm>
#include <set>

namespace spire_exporter::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Samples of one round are this close; what is further apart may hide a change between them.
constexpr Duration kSameTime = milliseconds(500);
// An answer that took longer is of an unknown time within it.
constexpr Duration kSharp = seconds(1);
// A receiver asks its upstream for a sign of life after half its timeout.
constexpr Duration kSilenceSlack = seconds(5);
constexpr Duration kStandstill = seconds(5);

Duration FromSeconds(double value) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

std::optional<int64_t> SystemOf(const NodeView& view) {
  return view.identity ? view.identity->system : std::nullopt;
}

bool Differ(const std::optional<int64_t>& a, const std::optional<int64_t>& b) {
  return a && b && *a != *b;
}

bool SameServer(const NodeView& a, const NodeView& b) {
  return a.position->started_us == b.position->started_us &&
         a.position->in_recovery == b.position->in_recovery && !Differ(SystemOf(a), SystemOf(b));
}

template <typename T>
std::optional<T> Larger(const std::optional<T>& a, const std::optional<T>& b) {
  if (!a) return b;
  return b ? std::max(*a, *b) : a;
}

// How long a healthy receiver may hear nothing; nothing when the settings set no limit.
std::optional<Duration> SilenceMax(const std::optional<SettingsReading>& settings) {
  const double receiver = settings ? settings->receiver_timeout.value_or(60) : 60;
  const double sender = settings ? settings->sender_timeout.value_or(60) : 60;
  const double timeout = receiver > 0 ? receiver : sender;
  if (timeout <= 0) return std::nullopt;
  return FromSeconds(timeout / 2) + kSilenceSlack;
}

}  // namespace

ReplicationJudge::ReplicationJudge(Duration period)
    : freshness_(std::max<Duration>(seconds(2), 2 * period)) {}

// Whether what is known of a node still describes it.
bool ReplicationJudge::Usable(const NodeView& view, SteadyTime now) const {
  if (!view.position) return false;
  if (!view.failure) return true;
  return *view.failure == NodeState::kBusy && now - view.position->answered <= kBusyKept;
}

std::vector<ReplicationJudge::Primary> ReplicationJudge::FindPrimaries(
    std::span<const NodeView> views, SteadyTime now) {
  std::vector<Primary> primaries;
  for (const NodeView& view : views) {
    if (!Usable(view, now) || view.position->in_recovery) continue;
    const auto known = std::find_if(primaries.begin(), primaries.end(), [&](const Primary& other) {
      return SameServer(*other.view, view);
    });
    if (known == primaries.end()) {
      primaries.push_back({&view, SystemOf(view)});
    } else if (known->view->position->answered < view.position->answered) {
      known->view = &view;
    }
  }
  for (Primary& primary : primaries) {
    for (const Primary& other : primaries) {
      primary.ambiguous =
          primary.ambiguous || (&primary != &other && !Differ(primary.system, other.system) &&
                                primary.view->position->timeline == other.view->position->timeline);
    }
    Record(primary);
  }
  return primaries;
}

void ReplicationJudge::Record(Primary& primary) {
  const PositionReading& position = *primary.view->position;
  const HistoryKey key(primary.system.value_or(0), position.timeline.value_or(0));
  if (primary.ambiguous) {
    histories_.erase(key);
    return;
  }
  auto history = histories_.try_emplace(key, freshness_).first;
  if (position.flushed && position.answered - position.asked <= kSharp) {
    history->second.Add(position.At(), *position.flushed);
  }
  if (histories_.size() > kHistoriesMax) {
    auto oldest = histories_.end();
    for (auto each = histories_.begin(); each != histories_.end(); ++each) {
      if (each == history || each->second.empty()) continue;
      if (oldest == histories_.end() || each->second.last_time() < oldest->second.last_time()) {
        oldest = each;
      }
    }
    if (oldest != histories_.end()) histories_.erase(oldest);
  }
  primary.history = &history->second;
}

ClusterVerdict ReplicationJudge::Judge(std::span<const NodeView> views, SteadyTime now) {
  ClusterVerdict cluster;
  const std::vector<Primary> primaries = FindPrimaries(views, now);
  std::vector<const NodeView*> standbys;
  std::set<int64_t> systems;
  bool all_answer = true;
  bool all_well = true;
  bool any_answers = false;
  for (const NodeView& view : views) {
    NodeVerdict verdict;
    verdict.state = view.failure.value_or(NodeState::kPrimary);
    verdict.asked = !view.failure;
    verdict.up = Usable(view, now);
    if (!verdict.up) {
      all_answer = all_answer && verdict.state == NodeState::kGone;
      cluster.nodes.push_back(verdict);
      continue;
    }
    any_answers = true;
    if (const auto system = SystemOf(view)) systems.insert(*system);
    const bool in_recovery = view.position->in_recovery;
    verdict.state = in_recovery ? NodeState::kStandby
                    : view.settings && view.settings->read_only == true
                        ? NodeState::kReadOnlyPrimary
                        : NodeState::kPrimary;
    if (view.expect != pg::Expect::kAny) {
      verdict.role_met = in_recovery == (view.expect == pg::Expect::kStandby);
    }
    verdict.standing.reachable = true;
    verdict.standing.writable = !in_recovery;
    if (in_recovery) {
      JudgeStandby(view, primaries, now, &verdict);
      all_well = all_well && verdict.replication == ReplicationState::kInSync;
      if (std::none_of(standbys.begin(), standbys.end(),
                       [&](const NodeView* other) { return SameServer(*other, view); })) {
        standbys.push_back(&view);
      }
    } else {
      verdict.timeline = view.position->timeline;
      verdict.replication = ReplicationState::kNotAStandby;
      verdict.lag_state = LagState::kNotAStandby;
      verdict.standing.lag = Duration::zero();
    }
    cluster.nodes.push_back(verdict);
  }
  cluster.writable = static_cast<int>(primaries.size());
  cluster.standbys = static_cast<int>(standbys.size());
  cluster.systems = static_cast<int>(systems.size());
  cluster.state = !any_answers                                  ? ClusterState::kUnreachable
                  : systems.size() > 1                          ? ClusterState::kTwoSystems
                  : primaries.size() > 1                        ? ClusterState::kSplitBrain
                  : primaries.empty()                           ? ClusterState::kNoPrimary
                  : standbys.empty() && all_answer              ? ClusterState::kNoStandby
                  : !standbys.empty() && all_answer && all_well ? ClusterState::kHealthy
                                                                : ClusterState::kDegraded;
  Remember(views);
  return cluster;
}

void ReplicationJudge::JudgeStandby(const NodeView& view, const std::vector<Primary>& primaries,
                                    SteadyTime now, NodeVerdict* verdict) {
  Memory& memory = memories_[view.name];
  if (memory.started_us != view.position->started_us) {
    memory = Memory{};
    memory.started_us = view.position->started_us;
  }
  if (view.position->receiver) {
    memory.timeline_at_least = Larger(memory.timeline_at_least, view.position->receiver->timeline);
  }
  if (view.identity) {
    memory.timeline_at_least = Larger(memory.timeline_at_least, view.identity->timeline_at_least);
  }
  verdict->timeline = view.position->receiver && view.position->receiver->timeline
                          ? view.position->receiver->timeline
                          : memory.timeline_at_least;

  std::vector<const Primary*> candidates;
  for (const Primary& primary : primaries) {
    if (!Differ(primary.system, SystemOf(view))) candidates.push_back(&primary);
  }
  if (candidates.size() > 1) {
    // Two writable servers of one system: the standby's is the one whose timeline it replays.
    std::erase_if(candidates, [&](const Primary* primary) {
      return primary->ambiguous || primary->view->position->timeline != verdict->timeline;
    });
    if (candidates.size() != 1) {
      verdict->replication = ReplicationState::kPrimaryAmbiguous;
      verdict->lag_state = LagState::kPrimaryAmbiguous;
      return;
    }
  }
  if (candidates.empty()) {
    const bool other = !primaries.empty();
    verdict->replication =
        other ? ReplicationState::kOtherSystem : ReplicationState::kPrimaryUnreachable;
    verdict->lag_state = other ? LagState::kOtherSystem : LagState::kPrimaryUnreachable;
    return;
  }
  const Primary& primary = *candidates.front();
  const std::optional<ReplicationState> mismatch = Mismatch(view, memory, primary);
  if (mismatch) {
    verdict->lag_state =
        *mismatch == ReplicationState::kDiverged ? LagState::kDiverged : LagState::kOtherTimeline;
    verdict->replication = *mismatch;
    return;
  }
  // The control file is behind what is replayed, so that a lesser timeline in it proves nothing.
  if (verdict->timeline == primary.view->position->timeline && verdict->timeline) {
    MeasureLag(view, primary, now, verdict);
  } else {
    verdict->lag_state = LagState::kTimelineUnknown;
  }
  verdict->replication = Flow(view, memory, primary, now, *verdict);
  verdict->standing.lag = verdict->lag;
  verdict->standing.fresh = verdict->lag && *verdict->lag < kInSync;
}

// Whether the standby has or takes what is not the primary's.
std::optional<ReplicationState> ReplicationJudge::Mismatch(const NodeView& view,
                                                           const Memory& memory,
                                                           const Primary& primary) const {
  const PositionReading& theirs = *primary.view->position;
  const PositionReading& own = *view.position;
  // What was replayed before the primary was asked, and is beyond what the primary then had.
  const auto ahead = [&](const std::optional<uint64_t>& replayed, SteadyTime by) {
    return replayed && theirs.flushed && by <= theirs.asked && *replayed > *theirs.flushed;
  };
  if (ahead(memory.replayed, memory.replayed_by) || ahead(own.replayed, own.answered)) {
    return ReplicationState::kDiverged;
  }
  if (!theirs.timeline || !memory.timeline_at_least) return std::nullopt;
  if (*memory.timeline_at_least > *theirs.timeline) return ReplicationState::kDiverged;
  const bool takes_other =
      own.receiver && own.receiver->timeline && *own.receiver->timeline < *theirs.timeline;
  if (!takes_other) return std::nullopt;
  // The primary's timeline began at or before the first position that we saw on it.
  const bool beyond = primary.history && !primary.history->empty() && own.replayed &&
                      *own.replayed > primary.history->first_position();
  return beyond ? ReplicationState::kDiverged : ReplicationState::kOtherTimeline;
}

void ReplicationJudge::MeasureLag(const NodeView& view, const Primary& primary, SteadyTime now,
                                  NodeVerdict* verdict) const {
  const PositionReading& own = *view.position;
  // A round later this would be told of twice as long ago.
  if (!own.replayed || now - own.answered > freshness_ / 2) {
    verdict->lag_state = LagState::kUnread;
    return;
  }
  const PositionHistory* history = primary.history;
  if (history == nullptr || history->empty()) {
    verdict->lag_state = LagState::kHistoryTooShort;
    return;
  }
  const Duration primary_age = own.At() - history->last_time();
  if (primary_age <= freshness_) {
    verdict->lag_bytes = std::max(history->last_position(), *own.replayed) - *own.replayed;
  }
  const std::optional<PositionHistory::Passed> passed = history->WhenPassed(*own.replayed);
  if (!passed) {
    if (primary_age > freshness_) {
      verdict->lag_state = LagState::kPrimaryUnread;
      return;
    }
    // Current as of the primary's sample; what came since would be no older than that.
    verdict->lag = primary_age > kSameTime ? primary_age : Duration::zero();
    verdict->lag_state = LagState::kKnown;
    return;
  }
  if (!passed->at) {
    verdict->lag_state = LagState::kHistoryTooShort;
    verdict->lag_at_least = std::max(Duration::zero(), Duration(own.At() - passed->at_the_latest));
    return;
  }
  // The primary is ahead; only when it was asked later than the standby can that have come since.
  const Duration least = primary_age >= Duration::zero() ? milliseconds(1) : milliseconds(0);
  verdict->lag = std::max<Duration>(least, own.At() - *passed->at);
  verdict->lag_state = LagState::kKnown;
}

ReplicationState ReplicationJudge::Flow(const NodeView& view, const Memory& memory,
                                        const Primary& primary, SteadyTime now,
                                        const NodeVerdict& verdict) const {
  const PositionReading& own = *view.position;
  if (own.paused == true) return ReplicationState::kPaused;
  if (!own.receiver) return ReplicationState::kReceiverMissing;
  if (own.receiver->message_age) {
    const Duration age = FromSeconds(*own.receiver->message_age);
    const std::optional<Duration> most = SilenceMax(view.settings);
    if (most && age + (now - own.answered) > *most) return ReplicationState::kReceiverSilent;
    // Its upstream spoke well after the primary had passed the place that it spoke of: the upstream
    // itself is behind. While data still flows in, that is a slow way and not a lost one.
    const bool stands = memory.received && memory.received == own.received &&
                        own.At() - memory.received_since >= kStandstill;
    if (stands && own.receiver->upstream_at && primary.history != nullptr) {
      const auto passed = primary.history->WhenPassed(*own.receiver->upstream_at);
      if (passed && own.At() - age > passed->at.value_or(passed->at_the_latest) + kInSync) {
        return ReplicationState::kUpstreamLost;
      }
    }
  }
  if (!verdict.lag) return ReplicationState::kUndetermined;
  return *verdict.lag < kInSync ? ReplicationState::kInSync : ReplicationState::kLagging;
}

void ReplicationJudge::Remember(std::span<const NodeView> views) {
  std::set<std::string_view> names;
  for (const NodeView& view : views) {
    names.insert(view.name);
    const auto found = memories_.find(view.name);
    if (found == memories_.end() || !view.position || view.failure) continue;
    Memory& memory = found->second;
    memory.replayed = view.position->replayed;
    memory.replayed_by = view.position->answered;
    if (memory.received != view.position->received) {
      memory.received = view.position->received;
      memory.received_since = view.position->At();
    }
  }
  std::erase_if(memories_, [&](const auto& each) { return names.count(each.first) == 0; });
}

}  // namespace spire_exporter::postgres
