// What is true of the replication, worked out from what every node says of itself. No node is
// believed about another: a standby's lag is its own position held against the primary's own.
#ifndef COLLECTORS_POSTGRES_REPLICATION_JUDGE_H_
#define COLLECTORS_POSTGRES_REPLICATION_JUDGE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/clients/postgres/client_options.h"
#include "collectors/clients/postgres/node_facts.h"
#include "collectors/postgres/replication_history.h"
#include "collectors/postgres/replication_reading.h"
#include "exporter/base/clock.h"

namespace spire_exporter::postgres {

// How a node stands as a server; collectors/postgres/replication.md defines each value.
enum class NodeState {
  kPrimary,
  kReadOnlyPrimary,
  kStandby,
  kConnecting,
  kUnreachable,
  kHung,
  kUnauthenticated,
  kRefused,
  kConnectionsExhausted,
  kBusy,
  kGone,
  kUnresolved,
};
inline constexpr std::string_view kNodeStates[] = {"primary",
                                                   "read_only_primary",
                                                   "standby",
                                                   "connecting",
                                                   "unreachable",
                                                   "hung",
                                                   "unauthenticated",
                                                   "refused",
                                                   "connections_exhausted",
                                                   "busy",
                                                   "gone",
                                                   "unresolved"};

// What a standby's replication does; the first that holds.
enum class ReplicationState {
  kNotAStandby,
  kUnread,
  kOtherSystem,
  kPrimaryUnreachable,
  kPrimaryAmbiguous,
  kDiverged,
  kOtherTimeline,
  kPaused,
  kReceiverMissing,
  kReceiverSilent,
  kUpstreamLost,
  kUndetermined,
  kLagging,
  kInSync,
};
inline constexpr std::string_view kReplicationStates[] = {
    "not_a_standby",     "unread",          "other_system",   "primary_unreachable",
    "primary_ambiguous", "diverged",        "other_timeline", "paused",
    "receiver_missing",  "receiver_silent", "upstream_lost",  "undetermined",
    "lagging",           "in_sync"};

// Whether the lag in seconds is known, or why not.
enum class LagState {
  kKnown,
  kNotAStandby,
  kUnread,
  kOtherSystem,
  kPrimaryUnreachable,
  kPrimaryAmbiguous,
  kPrimaryUnread,
  kDiverged,
  kOtherTimeline,
  kTimelineUnknown,
  kHistoryTooShort,
};
inline constexpr std::string_view kLagStates[] = {"known",
                                                  "not_a_standby",
                                                  "unread",
                                                  "other_system",
                                                  "primary_unreachable",
                                                  "primary_ambiguous",
                                                  "primary_unread",
                                                  "diverged",
                                                  "other_timeline",
                                                  "timeline_unknown",
                                                  "history_too_short"};

enum class ClusterState {
  kUnreachable,
  kTwoSystems,
  kSplitBrain,
  kNoPrimary,
  kNoStandby,
  kDegraded,
  kHealthy,
};
inline constexpr std::string_view kClusterStates[] = {
    "unreachable", "two_systems", "split_brain", "no_primary", "no_standby", "degraded", "healthy"};

// What is known of a node this round.
struct NodeView {
  std::string name;
  pg::Expect expect = pg::Expect::kAny;
  // Absent when it answered this round; else why it did not. kBusy says nothing about the server.
  std::optional<NodeState> failure;
  // The latest, which is of this round when there is no failure.
  std::optional<PositionReading> position;
  std::optional<IdentityReading> identity;
  std::optional<SettingsReading> settings;
};

struct NodeVerdict {
  NodeState state = NodeState::kUnreachable;
  bool up = false;
  bool asked = false;            // answered this round: the standing is new
  std::optional<bool> role_met;  // absent when nothing is expected or nothing known
  std::optional<int64_t> timeline;
  ReplicationState replication = ReplicationState::kUnread;
  LagState lag_state = LagState::kUnread;
  std::optional<Duration> lag;
  std::optional<Duration> lag_at_least;  // when it is older than what we have seen
  std::optional<uint64_t> lag_bytes;
  pg::NodeStanding standing;
};

struct ClusterVerdict {
  ClusterState state = ClusterState::kUnreachable;
  int writable = 0;  // servers, not names: one server behind two names is one
  int standbys = 0;
  int systems = 0;                 // distinct system identifiers
  std::vector<NodeVerdict> nodes;  // as the views
};

// Remembers the primaries' positions and a little of each node. Bounded: kHistoriesMax histories,
// and as many nodes as the last views. Not safe from several threads; asks no clock.
class ReplicationJudge {
 public:
  static constexpr size_t kHistoriesMax = 8;
  // A standby whose lag is below is in sync: what a round can tell, and what SPIRE does not notice.
  static constexpr Duration kInSync = std::chrono::seconds(2);
  // How long a node that is only busy counts as what it was.
  static constexpr Duration kBusyKept = std::chrono::seconds(10);

  // `period`: how often Judge() is called.
  explicit ReplicationJudge(Duration period);

  ClusterVerdict Judge(std::span<const NodeView> views, SteadyTime now);

 private:
  using HistoryKey = std::pair<int64_t, int64_t>;  // system, timeline
  // Of a standby, from earlier rounds of the same life of the server.
  struct Memory {
    int64_t started_us = 0;
    std::optional<int64_t> timeline_at_least;
    std::optional<uint64_t> replayed;  // and when that was known
    SteadyTime replayed_by;
    std::optional<uint64_t> received;  // and since when that is the same
    SteadyTime received_since;
  };
  // A writable server, once, whatever names it has.
  struct Primary {
    const NodeView* view;
    std::optional<int64_t> system;
    bool ambiguous = false;
    PositionHistory* history = nullptr;
  };

  bool Usable(const NodeView& view, SteadyTime now) const;
  std::vector<Primary> FindPrimaries(std::span<const NodeView> views, SteadyTime now);
  void Record(Primary& primary);
  void Remember(std::span<const NodeView> views);
  void JudgeStandby(const NodeView& view, const std::vector<Primary>& primaries, SteadyTime now,
                    NodeVerdict* verdict);
  std::optional<ReplicationState> Mismatch(const NodeView& view, const Memory& memory,
                                           const Primary& primary) const;
  void MeasureLag(const NodeView& view, const Primary& primary, SteadyTime now,
                  NodeVerdict* verdict) const;
  ReplicationState Flow(const NodeView& view, const Memory& memory, const Primary& primary,
                        SteadyTime now, const NodeVerdict& verdict) const;

  const Duration freshness_;
  std::map<HistoryKey, PositionHistory> histories_;
  std::map<std::string, Memory, std::less<>> memories_;
};

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_REPLICATION_JUDGE_H_
