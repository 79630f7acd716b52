// Views of nodes as tests write them down.
#ifndef COLLECTORS_POSTGRES_REPLICATION_TEST_UTIL_H_
#define COLLECTORS_POSTGRES_REPLICATION_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/postgres/replication_judge.h"

namespace spire_exporter::postgres {

constexpr int64_t kSystem = 4711;

// A primary that was asked at `at` and answered at once.
inline NodeView PrimaryAt(std::string name, SteadyTime at, uint64_t flushed, int64_t timeline = 1,
                          int64_t system = kSystem) {
  NodeView view;
  view.name = std::move(name);
  view.expect = pg::Expect::kPrimary;
  PositionReading position;
  position.asked = position.answered = at;
  position.started_us = static_cast<int64_t>(std::hash<std::string>()(view.name) >> 1);
  position.flushed = flushed;
  position.timeline = timeline;
  view.position = position;
  view.identity = IdentityReading{system, std::nullopt};
  view.settings = SettingsReading{60, 60, false, false, true};
  return view;
}

// A standby that streams and has replayed all that it received.
inline NodeView StandbyAt(std::string name, SteadyTime at, uint64_t replayed, int64_t timeline = 1,
                          int64_t system = kSystem) {
  NodeView view = PrimaryAt(std::move(name), at, 0, 0, system);
  view.expect = pg::Expect::kStandby;
  view.position->in_recovery = true;
  view.position->flushed.reset();
  view.position->timeline.reset();
  view.position->received = view.position->replayed = replayed;
  view.position->paused = false;
  view.position->receiver = ReceiverReading{"streaming", timeline, replayed, 0.1};
  view.identity->timeline_at_least = timeline;
  return view;
}

inline NodeView Failed(NodeView view, NodeState why) {
  view.failure = why;
  return view;
}

inline std::string_view Name(ReplicationState state) {
  return kReplicationStates[static_cast<size_t>(state)];
}
inline std::string_view Name(LagState state) {
  return kLagStates[static_cast<size_t>(state)];
}
inline std::string_view Name(ClusterState state) {
  return kClusterStates[static_cast<size_t>(state)];
}
inline std::string_view Name(NodeState state) {
  return kNodeStates[static_cast<size_t>(state)];
}

constexpr uint64_t kStart = 1'000'000;

// Rounds of views, a second apart.
class ReplicationJudgeTest : public ::testing::Test {
 protected:
  using Views = std::vector<NodeView>;

  const ClusterVerdict& Round(const Views& views) {
    verdict_ = judge_.Judge(views, now_);
    now_ += std::chrono::seconds(1);
    return verdict_;
  }
  // So many rounds a second apart; gives the last.
  const ClusterVerdict& Rounds(int count, const std::function<Views()>& make) {
    for (int i = 0; i < count; ++i) Round(make());
    return verdict_;
  }
  NodeView Primary(uint64_t flushed, int64_t timeline = 1) {
    return PrimaryAt("rw/0", now_, flushed, timeline);
  }
  NodeView Standby(uint64_t replayed, int64_t timeline = 1) {
    return StandbyAt("ro/0", now_, replayed, timeline);
  }
  // A standby whose receiver has gone or never was.
  static NodeView Without(NodeView standby) {
    standby.position->receiver.reset();
    return standby;
  }
  static NodeView Heard(NodeView standby, double ago, uint64_t upstream_at) {
    standby.position->receiver->message_age = ago;
    standby.position->receiver->upstream_at = upstream_at;
    return standby;
  }
  double Lag(size_t node = 1) const {
    return verdict_.nodes[node].lag ? Seconds(*verdict_.nodes[node].lag) : -1;
  }
  std::string_view State(size_t node = 1) const { return Name(verdict_.nodes[node].replication); }
  std::string_view Why(size_t node = 1) const { return Name(verdict_.nodes[node].lag_state); }
  std::string_view Cluster() const { return Name(verdict_.state); }

  // A pair that is busy: the primary writes `busy_` bytes a second.
  void Healthy(int rounds) {
    Rounds(rounds, [this] {
      position_ += busy_;
      return Views{Primary(position_), Standby(position_)};
    });
  }

  SteadyTime now_ = SteadyTime(std::chrono::seconds(1000));
  ReplicationJudge judge_{std::chrono::seconds(1)};
  ClusterVerdict verdict_;
  uint64_t position_ = kStart;
  uint64_t busy_ = 1000;
};

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_REPLICATION_TEST_UTIL_H_
