#include "collectors/postgres/replication_judge.h"

#include <gtest/gtest.h>

#include <vector>

#include "collectors/postgres/replication_test_util.h"

namespace spire_exporter::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(ReplicationJudgeTest, AnIdlePrimaryHasALagOfZeroThatIsKnown) {
  busy_ = 0;
  Healthy(40);
  EXPECT_EQ(Lag(), 0);
  EXPECT_EQ(Why(), "known");
  EXPECT_EQ(State(), "in_sync");
  EXPECT_EQ(verdict_.nodes[1].lag_bytes, 0u);
  EXPECT_EQ(Cluster(), "healthy");
  EXPECT_TRUE(verdict_.nodes[1].standing.fresh);
  EXPECT_TRUE(verdict_.nodes[0].standing.writable);
  EXPECT_EQ(State(0), "not_a_standby");
  EXPECT_EQ(Why(0), "not_a_standby");
  EXPECT_FALSE(verdict_.nodes[0].lag) << "a primary has no lag";
}

TEST_F(ReplicationJudgeTest, ABusyPairIsInSync) {
  Healthy(40);
  EXPECT_EQ(Lag(), 0);
  Rounds(3, [this] {
    position_ += busy_;
    return Views{Primary(position_), Standby(position_ - busy_ / 2)};
  });
  EXPECT_NEAR(Lag(), 0.5, 0.3);
  EXPECT_EQ(State(), "in_sync");
  EXPECT_EQ(verdict_.nodes[1].lag_bytes, busy_ / 2);
}

TEST_F(ReplicationJudgeTest, ACutOffStandbyLagsThoughItHasReplayedAllItReceived) {
  Healthy(10);
  const uint64_t stuck = position_;
  for (int second = 1; second <= 600; ++second) {
    position_ += busy_;
    Round({Primary(position_), Without(Standby(stuck))});
    ASSERT_NEAR(Lag(), second, 1) << second;
    ASSERT_EQ(State(), "receiver_missing");
    ASSERT_EQ(Why(), "known");
  }
  EXPECT_EQ(verdict_.nodes[1].lag_bytes, position_ - stuck);
  EXPECT_EQ(Cluster(), "degraded");
  EXPECT_FALSE(verdict_.nodes[1].standing.fresh);
}

TEST_F(ReplicationJudgeTest, ACutOffStandbyOfAnIdlePrimaryLacksNothing) {
  busy_ = 0;
  Healthy(10);
  Rounds(600, [this] { return Views{Primary(position_), Without(Standby(position_))}; });
  EXPECT_EQ(Lag(), 0) << "it has all there is";
  EXPECT_EQ(State(), "receiver_missing") << "and will not get what comes";
  position_ += 10;
  Round({Primary(position_), Without(Standby(kStart))});
  EXPECT_NEAR(Lag(), 1, 0.5) << "since the write, not since the cut";
}

TEST_F(ReplicationJudgeTest, APausedStandbyLagsByWhatItDidNotReplay) {
  Healthy(10);
  const uint64_t stuck = position_;
  Rounds(30, [&] {
    position_ += busy_;
    NodeView standby = Standby(stuck);
    standby.position->received = position_;
    standby.position->paused = true;
    return Views{Primary(position_), standby};
  });
  EXPECT_NEAR(Lag(), 30, 1);
  EXPECT_EQ(State(), "paused");
  Healthy(1);
  EXPECT_EQ(Lag(), 0);
  EXPECT_EQ(State(), "in_sync");
}

TEST_F(ReplicationJudgeTest, AHungReceiverIsNamedOnceItsSilenceIsTooLong) {
  Healthy(10);
  const uint64_t stuck = position_;
  for (int second = 1; second <= 80; ++second) {
    position_ += busy_;
    Round({Primary(position_), Heard(Standby(stuck), second, stuck)});
    ASSERT_NEAR(Lag(), second, 1);
    if (second > 2) {
      ASSERT_EQ(State(), second <= 35 ? "lagging" : "receiver_silent") << second;
    }
  }
}

TEST_F(ReplicationJudgeTest, AReceiverMayBeSilentAsLongAsItsTimeoutsSay) {
  NodeView standby = Heard(Standby(position_), 100, position_);
  standby.settings->receiver_timeout = 300;
  Round({Primary(position_), standby});
  EXPECT_EQ(State(), "in_sync");
  standby = Heard(Standby(position_), 100, position_);
  standby.settings->receiver_timeout = 0;
  standby.settings->sender_timeout = 0;
  Round({Primary(position_), standby});
  EXPECT_EQ(State(), "in_sync");
  standby.settings->sender_timeout = 60;
  Round({Primary(position_), standby});
  EXPECT_EQ(State(), "receiver_silent");
}

TEST_F(ReplicationJudgeTest, ACascadingStandbyWhoseUpstreamWasCutOffIsNamed) {
  const auto third = [this](uint64_t replayed) { return StandbyAt("ro/1", now_, replayed); };
  Rounds(10, [&] {
    position_ += busy_;
    return Views{Primary(position_), Standby(position_), third(position_)};
  });
  EXPECT_EQ(Cluster(), "healthy");
  const uint64_t stuck = position_;
  for (int second = 1; second <= 60; ++second) {
    position_ += busy_;
    // The upstream is alive and says every ten seconds that there is nothing new.
    Round({Primary(position_), Without(Standby(stuck)), Heard(third(stuck), second % 10, stuck)});
    ASSERT_NEAR(Lag(1), second, 1);
    ASSERT_NEAR(Lag(2), second, 1);
    if (second >= 14) {
      ASSERT_EQ(State(2), "upstream_lost") << second;
    }
  }
}

TEST_F(ReplicationJudgeTest, ASlowWayIsNotALostUpstream) {
  Healthy(10);
  uint64_t behind = position_;
  for (int second = 1; second <= 60; ++second) {
    position_ += 10 * busy_;
    behind += busy_;
    // What arrives now was sent long ago, but it arrives.
    Round({Primary(position_), Heard(Standby(behind), 0.1, behind)});
    ASSERT_NE(State(), "upstream_lost");
  }
  EXPECT_EQ(State(), "lagging");
}

TEST_F(ReplicationJudgeTest, AStandbyAheadOfThePrimaryHasDiverged) {
  Healthy(10);
  // The primary comes back from an old copy.
  const uint64_t lost = position_;
  position_ = lost - 5000;
  Round({Primary(position_), Without(Standby(lost))});
  Round({Primary(position_), Without(Standby(lost))});
  EXPECT_EQ(State(), "diverged");
  EXPECT_EQ(Why(), "diverged");
  EXPECT_EQ(Lag(), -1);
  EXPECT_FALSE(verdict_.nodes[1].lag_bytes);
}

TEST_F(ReplicationJudgeTest, AStandbyAskedLaterThanThePrimaryIsNotAhead) {
  Rounds(20, [this] {
    position_ += busy_;
    NodeView standby = Standby(position_ + 100);
    standby.position->asked += milliseconds(100);
    standby.position->answered += milliseconds(100);
    return Views{Primary(position_), standby};
  });
  EXPECT_EQ(State(), "in_sync");
}

TEST_F(ReplicationJudgeTest, AStandbyOnALaterTimelineHasDiverged) {
  Healthy(5);
  Round({Primary(position_), Standby(position_, 2)});
  EXPECT_EQ(State(), "diverged");
  EXPECT_EQ(Lag(), -1);
}

TEST_F(ReplicationJudgeTest, AStandbyOnAnEarlierTimelineIsNoMeasure) {
  Healthy(5);
  // Another node was promoted; this one still takes the old primary's log.
  Rounds(3, [this] { return Views{Primary(position_, 2), Standby(position_ - 10, 1)}; });
  EXPECT_EQ(State(), "other_timeline");
  EXPECT_EQ(Why(), "other_timeline");
  EXPECT_EQ(Lag(), -1);
  Round({Primary(position_ + 100, 2), Standby(position_ + 50, 1)});
  EXPECT_EQ(State(), "diverged") << "it has more of the old timeline than the new one began with";
}

TEST_F(ReplicationJudgeTest, AnEarlierTimelineInTheControlFileAloneProvesNothing) {
  Healthy(5);
  Rounds(3, [this] {
    NodeView standby = Without(StandbyAt("ro/1", now_, position_, 1));
    return Views{Primary(position_, 2), standby};
  });
  EXPECT_EQ(State(), "receiver_missing");
  EXPECT_EQ(Why(), "timeline_unknown");
  EXPECT_EQ(Lag(), -1);
}

TEST_F(ReplicationJudgeTest, ATimelineSeenOnceIsRememberedWhenTheReceiverGoes) {
  Rounds(5, [this] {
    NodeView standby = Standby(position_, 2);
    standby.identity->timeline_at_least = 1;
    return Views{Primary(position_, 2), standby};
  });
  NodeView standby = Without(Standby(position_, 2));
  standby.identity->timeline_at_least = 1;
  Round({Primary(position_, 2), standby});
  EXPECT_EQ(Why(), "known");
  EXPECT_EQ(Lag(), 0);
}

}  // namespace
}  // namespace spire_exporter::postgres
