// Roles, the cluster as a whole, and what cannot be known.
#include <gtest/gtest.h>

#include <vector>

#include "collectors/postgres/replication_test_util.h"

namespace spire_exporter::postgres {
namespace {

using std::chrono::seconds;

TEST_F(ReplicationJudgeTest, AnotherSystemIsNamed) {
  Rounds(3, [this] {
    return Views{Primary(position_), StandbyAt("ro/0", now_, position_, 1, kSystem + 1)};
  });
  EXPECT_EQ(State(), "other_system");
  EXPECT_EQ(Lag(), -1);
  EXPECT_EQ(Cluster(), "two_systems");
  EXPECT_EQ(verdict_.systems, 2);
}

TEST_F(ReplicationJudgeTest, APromotedStandbyIsThePrimaryAndItsExpectationUnmet) {
  Healthy(10);
  const auto promoted = [this] {
    NodeView view = PrimaryAt("ro/0", now_, position_, 2);
    view.expect = pg::Expect::kStandby;
    return view;
  };
  Rounds(3, [&] { return Views{Failed(Primary(0), NodeState::kUnreachable), promoted()}; });
  EXPECT_EQ(Name(verdict_.nodes[1].state), "primary");
  EXPECT_EQ(verdict_.nodes[1].role_met, false);
  EXPECT_EQ(State(), "not_a_standby");
  EXPECT_EQ(verdict_.nodes[1].timeline, 2);
  EXPECT_EQ(Cluster(), "degraded");
  EXPECT_EQ(verdict_.writable, 1);
  EXPECT_FALSE(verdict_.nodes[0].up);
  EXPECT_FALSE(verdict_.nodes[0].role_met) << "nothing is known of it";
  // The old one comes back as it was.
  Rounds(3, [&] { return Views{Primary(position_, 1), promoted()}; });
  EXPECT_EQ(Cluster(), "split_brain");
  EXPECT_EQ(verdict_.writable, 2);
}

TEST_F(ReplicationJudgeTest, OneServerBehindTwoNamesIsNoSplitBrain) {
  Rounds(3, [this] {
    NodeView twin = Primary(position_);
    twin.name = "ro/0";
    twin.expect = pg::Expect::kStandby;
    return Views{Primary(position_), twin};
  });
  EXPECT_EQ(Cluster(), "no_standby");
  EXPECT_EQ(verdict_.writable, 1);
  EXPECT_EQ(verdict_.nodes[0].role_met, true);
  EXPECT_EQ(verdict_.nodes[1].role_met, false);
}

TEST_F(ReplicationJudgeTest, InASplitBrainAStandbyBelongsToThePrimaryOfItsTimeline) {
  const auto other = [this](uint64_t at) { return PrimaryAt("rw/1", now_, at, 2); };
  for (int i = 0; i < 10; ++i) {
    position_ += busy_;
    Round({Primary(position_), Standby(position_), other(position_ + 77)});
  }
  EXPECT_EQ(Cluster(), "split_brain");
  EXPECT_EQ(State(), "in_sync");
  EXPECT_EQ(Lag(), 0);
  Rounds(2, [this] {
    return Views{Primary(position_), Standby(position_), PrimaryAt("rw/1", now_, position_, 1)};
  });
  EXPECT_EQ(State(), "primary_ambiguous");
  EXPECT_EQ(Lag(), -1);
}

TEST_F(ReplicationJudgeTest, WithoutAPrimaryTheLagIsUnknown) {
  Healthy(10);
  Round({Failed(Primary(position_), NodeState::kHung), Standby(position_)});
  EXPECT_EQ(State(), "primary_unreachable");
  EXPECT_EQ(Why(), "primary_unreachable");
  EXPECT_EQ(Lag(), -1);
  EXPECT_FALSE(verdict_.nodes[1].lag_bytes);
  EXPECT_EQ(Cluster(), "no_primary");
  Round({Failed(Primary(position_), NodeState::kHung),
         Failed(Standby(position_), NodeState::kUnreachable)});
  EXPECT_EQ(Cluster(), "unreachable");
  EXPECT_EQ(State(), "unread");
}

TEST_F(ReplicationJudgeTest, APrimaryThatIsOnlyBusyIsStillThePrimary) {
  Healthy(10);
  const NodeView last = Failed(PrimaryAt("rw/0", now_ - seconds(1), position_), NodeState::kBusy);
  Round({last, Standby(position_)});
  EXPECT_EQ(Why(), "known");
  EXPECT_NEAR(Lag(), 1, 0.01) << "what came since the primary was asked is no older than this";
  EXPECT_TRUE(verdict_.nodes[0].up);
  EXPECT_FALSE(verdict_.nodes[0].asked);
  EXPECT_EQ(Name(verdict_.nodes[0].state), "primary");
  Rounds(3, [&] { return Views{last, Standby(position_)}; });
  EXPECT_EQ(Why(), "primary_unread");
  EXPECT_EQ(Lag(), -1);
  EXPECT_EQ(State(), "undetermined");
  Rounds(3, [&] { return Views{last, Standby(position_ - 5 * busy_)}; });
  EXPECT_EQ(Why(), "known") << "when the primary passed that place is on record";
  EXPECT_NEAR(Lag(), 12, 1);
  Rounds(10, [&] { return Views{last, Standby(position_)}; });
  EXPECT_EQ(Name(verdict_.nodes[0].state), "busy");
  EXPECT_EQ(Why(), "primary_unreachable");
}

TEST_F(ReplicationJudgeTest, AStandbyThatIsOnlyBusyKeepsItsStateAndSoonHasNoLag) {
  Healthy(10);
  const NodeView last = Failed(StandbyAt("ro/0", now_ - seconds(1), position_), NodeState::kBusy);
  Round({Primary(position_), last});
  EXPECT_EQ(Lag(), 0);
  Rounds(3, [&] { return Views{Primary(position_), last}; });
  EXPECT_EQ(Why(), "unread");
  EXPECT_EQ(Lag(), -1);
  EXPECT_TRUE(verdict_.nodes[1].up);
}

TEST_F(ReplicationJudgeTest, WhatIsOlderThanTheRecordIsAtLeastThatOld) {
  for (int second = 0; second < 20; ++second) {
    position_ += busy_;
    Round({Primary(position_), Without(Standby(kStart - 5000))});
    ASSERT_EQ(Lag(), -1);
    ASSERT_EQ(Why(), "history_too_short");
    ASSERT_TRUE(verdict_.nodes[1].lag_at_least);
    EXPECT_NEAR(Seconds(*verdict_.nodes[1].lag_at_least), second, 0.01);
    EXPECT_EQ(verdict_.nodes[1].lag_bytes, position_ - (kStart - 5000)) << "known at once";
  }
  Round({Primary(position_), Standby(position_)});
  EXPECT_EQ(Lag(), 0);
  EXPECT_FALSE(verdict_.nodes[1].lag_at_least);
}

TEST_F(ReplicationJudgeTest, ADatabaseWithoutAStandbyIsNoFault) {
  Round({Primary(position_)});
  EXPECT_EQ(Cluster(), "no_standby");
  EXPECT_EQ(verdict_.standbys, 0);
  Round({Primary(position_), Failed(StandbyAt("ro/0", now_, 0), NodeState::kGone)});
  EXPECT_EQ(Cluster(), "no_standby") << "an address that is no longer behind the name";
  Round({Primary(position_), Failed(StandbyAt("ro/0", now_, 0), NodeState::kUnreachable)});
  EXPECT_EQ(Cluster(), "degraded");
}

TEST_F(ReplicationJudgeTest, RolesAreHeldAgainstWhatTheNamesPromise) {
  NodeView wrong = Standby(position_);
  wrong.expect = pg::Expect::kPrimary;
  Round({wrong, Standby(position_)});
  EXPECT_EQ(verdict_.nodes[0].role_met, false) << "rw that is not writable";
  EXPECT_EQ(verdict_.nodes[1].role_met, true);
  NodeView any = Primary(position_);
  any.expect = pg::Expect::kAny;
  any.settings->read_only = true;
  Round({any});
  EXPECT_FALSE(verdict_.nodes[0].role_met);
  EXPECT_EQ(Name(verdict_.nodes[0].state), "read_only_primary");
}

TEST_F(ReplicationJudgeTest, ARoleWithoutRightsStillSeesTheLag) {
  // Without pg_read_all_stats the receiver's row has nothing but its being there.
  Rounds(10, [this] {
    NodeView standby = Standby(position_);
    standby.position->receiver = ReceiverReading{};
    position_ += busy_;
    return Views{Primary(position_), standby};
  });
  EXPECT_EQ(Why(), "known");
  EXPECT_EQ(State(), "in_sync");
}

TEST_F(ReplicationJudgeTest, MemoryStaysBoundedThroughManyPromotions) {
  for (int64_t timeline = 1; timeline < 1000; ++timeline) {
    position_ += busy_;
    Round({Primary(position_, timeline), Standby(position_, timeline)});
    ASSERT_EQ(State(), "in_sync");
  }
}

}  // namespace
}  // namespace spire_exporter::postgres
