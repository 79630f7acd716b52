// A real primary and standby, broken in the ways that happen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "collectors/postgres/replication_wire_test_util.h"

namespace spire_exporter::postgres {
namespace {

using pg::TestPostgres;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class ReplicationWireTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto primary = TestPostgres::Start();
    ASSERT_TRUE(primary.ok()) << primary.error().ToString();
    primary_ = std::move(*primary);
    ASSERT_TRUE(primary_
                    ->Sql("CREATE ROLE watcher LOGIN; CREATE ROLE bare LOGIN;"
                          "GRANT pg_read_all_stats TO watcher; CREATE TABLE t (x int);")
                    .ok());
    auto standby = TestPostgres::MakeStandby(*primary_, "first");
    ASSERT_TRUE(standby.ok()) << standby.error().ToString();
    standby_ = std::move(*standby);
  }
  static void TearDownTestSuite() {
    standby_.reset();
    primary_.reset();
  }

  static std::vector<pg::GroupOptions> Groups(const std::string& user = "watcher") {
    return {{"rw", primary_->ConninfoFile(user), pg::Expect::kPrimary},
            {"ro", standby_->ConninfoFile(user), pg::Expect::kStandby}};
  }

  static void Sql(TestPostgres& server, const std::string& statement) {
    const auto ran = server.Sql(statement);
    ASSERT_TRUE(ran.ok()) << ran.error().ToString();
  }
  static void Write() { Sql(*primary_, "INSERT INTO t VALUES (1)"); }

  // What the primary writes from now on does not come: nothing listens where the standby looks.
  static void CutOff() {
    Sql(*standby_, "ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'");
    Sql(*standby_, "SELECT pg_reload_conf()");
  }
  static void Mend() {
    Sql(*standby_, "ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 user=postgres port=" +
                       std::to_string(primary_->port()) + "'");
    Sql(*standby_, "SELECT pg_reload_conf()");
  }

  void Healthy() {
    ASSERT_TRUE(watch_.Until([this] { return watch_.InSync() && watch_.Lag() == 0; }));
  }
  // The lag grows from a write that does not arrive, within two seconds of the truth.
  void GrowsFrom(SteadyTime written, Duration for_so_long) {
    const Deadline end = Deadline::After(watch_.clock(), for_so_long);
    while (!end.Passed(watch_.clock())) {
      watch_.Round();
      const double truth = watch_.Since(written);
      if (truth < 1) continue;
      ASSERT_TRUE(watch_.Lag()) << watch_.StateOf("ro/0", "replication_lag_state");
      ASSERT_NEAR(*watch_.Lag(), truth, 2);
      ASSERT_GT(*watch_.Lag(), 0);
    }
  }

  static std::unique_ptr<TestPostgres> primary_;
  static std::unique_ptr<TestPostgres> standby_;
  Watch watch_{Groups()};
};
std::unique_ptr<TestPostgres> ReplicationWireTest::primary_;
std::unique_ptr<TestPostgres> ReplicationWireTest::standby_;

TEST_F(ReplicationWireTest, AHealthyPairSaysAllOfItself) {
  // Until the receiver has replied, and senders have been read since.
  ASSERT_TRUE(watch_.Until([this] {
    return watch_.InSync() && watch_.Lag() == 0 &&
           watch_.Of("rw/0", "sender_reply_age_seconds").has_value();
  }));
  EXPECT_EQ(watch_.problem(), "");
  EXPECT_EQ(watch_.StateOf("rw/0", "node_state"), "primary");
  EXPECT_EQ(watch_.StateOf("ro/0", "node_state"), "standby");
  EXPECT_EQ(watch_.State("cluster_state", ""), "healthy");
  EXPECT_EQ(watch_.Of("rw/0", "up"), 1);
  EXPECT_EQ(watch_.Of("ro/0", "node_role_met"), 1);
  EXPECT_EQ(watch_.Of("rw/0", "timeline"), 1);
  EXPECT_EQ(watch_.Of("ro/0", "timeline"), 1);
  EXPECT_EQ(watch_.Get("systems", ""), 1);
  EXPECT_EQ(watch_.Get("writable_servers", ""), 1);
  EXPECT_EQ(watch_.Of("ro/0", "receiver_running"), 1);
  ASSERT_TRUE(watch_.Of("ro/0", "receiver_message_age_seconds"));
  EXPECT_LT(*watch_.Of("ro/0", "receiver_message_age_seconds"), 40);
  EXPECT_EQ(watch_.Of("ro/0", "replay_paused"), 0);
  EXPECT_EQ(watch_.Of("ro/0", "unreplayed_bytes"), 0);
  EXPECT_EQ(watch_.Of("ro/0", "replication_lag_bytes"), 0);
  EXPECT_EQ(watch_.Get("senders", "node=\"rw/0\",state=\"streaming\""), 1);
  EXPECT_EQ(watch_.Get("streaming_standbys", "node=\"rw/0\",sync_state=\"async\""), 1);
  EXPECT_EQ(watch_.Of("rw/0", "synchronous_required"), 0);
  EXPECT_TRUE(watch_.Of("rw/0", "sender_reply_age_seconds"));
  EXPECT_EQ(watch_.State("slot_state", "node=\"rw/0\",slot=\"first\""), "active");
  EXPECT_TRUE(watch_.Get("slot_retained_bytes", "node=\"rw/0\",slot=\"first\""));
  EXPECT_EQ(watch_.Get("recovery_conflicts_total", "node=\"ro/0\",reason=\"lock\""), 0);
  EXPECT_EQ(watch_.Get("right", "node=\"ro/0\",right=\"pg_read_all_stats\""), 1);
  const auto standing = watch_.Standing("ro/0");
  ASSERT_TRUE(standing);
  EXPECT_TRUE(standing->reachable && standing->fresh && !standing->writable);
  EXPECT_TRUE(watch_.Standing("rw/0")->writable);
}

TEST_F(ReplicationWireTest, ARoleWithoutRightsSeesTheLagAndWhatItLacks) {
  Watch bare(Groups("bare"));
  ASSERT_TRUE(bare.Until([&] { return bare.InSync() && bare.Lag() == 0; }));
  EXPECT_EQ(bare.problem(), "");
  EXPECT_EQ(bare.Get("right", "node=\"ro/0\",right=\"pg_read_all_stats\""), 0);
  EXPECT_FALSE(bare.Of("ro/0", "receiver_message_age_seconds"));
  EXPECT_FALSE(bare.Get("senders", "node=\"rw/0\",state=\"streaming\""));
  EXPECT_EQ(bare.Of("ro/0", "receiver_running"), 1);
  EXPECT_EQ(bare.State("slot_state", "node=\"rw/0\",slot=\"first\""), "active");
}

TEST_F(ReplicationWireTest, ACutOffStandbyLagsFromTheFirstWriteThatItMisses) {
  Healthy();
  CutOff();
  ASSERT_TRUE(watch_.Until([this] { return watch_.Replication() == "receiver_missing"; }));
  EXPECT_EQ(watch_.Lag(), 0) << "nothing was written since";
  EXPECT_EQ(watch_.Of("ro/0", "receiver_running"), 0);
  Write();
  GrowsFrom(watch_.clock().Steady(), seconds(6));
  EXPECT_EQ(watch_.Replication(), "receiver_missing");
  EXPECT_EQ(watch_.Of("ro/0", "unreplayed_bytes"), 0) << "the number that others believe";
  EXPECT_GT(watch_.Of("ro/0", "replication_lag_bytes"), 0);
  EXPECT_FALSE(watch_.Standing("ro/0")->fresh);
  EXPECT_TRUE(watch_.Until(
      [this] { return watch_.State("slot_state", "node=\"rw/0\",slot=\"first\"") == "inactive"; }));
  EXPECT_TRUE(watch_.Get("slot_inactive_since_timestamp_seconds", "node=\"rw/0\",slot=\"first\""));
  Mend();
  Healthy();
}

TEST_F(ReplicationWireTest, APausedStandbyLagsThoughItReceives) {
  Healthy();
  Sql(*standby_, "SELECT pg_wal_replay_pause()");
  ASSERT_TRUE(watch_.Until([this] { return watch_.Of("ro/0", "replay_paused") == 1; }));
  Write();
  GrowsFrom(watch_.clock().Steady(), seconds(5));
  EXPECT_EQ(watch_.Replication(), "paused");
  EXPECT_GT(watch_.Of("ro/0", "unreplayed_bytes"), 0);
  Sql(*standby_, "SELECT pg_wal_replay_resume()");
  Healthy();
}

TEST_F(ReplicationWireTest, AHungReceiverLagsThoughItsRowSaysStreaming) {
  Healthy();
  const auto pid = standby_->Sql("SELECT pid FROM pg_stat_wal_receiver WHERE status = 'streaming'");
  ASSERT_TRUE(pid.ok() && !pid->empty());
  kill(std::stoi(*pid), SIGSTOP);
  Write();
  GrowsFrom(watch_.clock().Steady(), seconds(6));
  EXPECT_EQ(watch_.Replication(), "lagging");
  EXPECT_EQ(watch_.Of("ro/0", "receiver_running"), 1);
  kill(std::stoi(*pid), SIGCONT);
  Healthy();
}

TEST_F(ReplicationWireTest, ABusyPairIsInSyncAndItsLagSmall) {
  Healthy();
  for (int i = 0; i < 30; ++i) {
    Sql(*primary_, "INSERT INTO t SELECT generate_series(1, 2000)");
    watch_.Round();
    ASSERT_TRUE(watch_.Lag());
    ASSERT_LT(*watch_.Lag(), 2);
  }
  Healthy();
}

TEST_F(ReplicationWireTest, AFrozenPrimaryIsSaidWithinTwoRoundsAndKeepsNobodyWaiting) {
  Healthy();
  primary_->Freeze();
  watch_.Round();
  EXPECT_LT(watch_.took(), milliseconds(1300));
  watch_.Round();
  const std::string state = watch_.StateOf("rw/0", "node_state");
  const auto lag = watch_.Lag();
  const std::string why = watch_.StateOf("ro/0", "replication_lag_state");
  const std::string problem = watch_.problem();
  // Later rounds do not wait for the connection that cannot be made.
  for (int i = 0; i < 8; ++i) watch_.Round();
  const Deadline settled = Deadline::After(watch_.clock(), seconds(6));
  int quick = 0;
  while (!settled.Passed(watch_.clock()) && quick < 20) {
    watch_.Round();
    quick += watch_.took() < milliseconds(100) ? 1 : 0;
  }
  primary_->Thaw();
  EXPECT_EQ(state, "hung");
  EXPECT_FALSE(lag);
  EXPECT_EQ(why, "primary_unreachable");
  EXPECT_THAT(problem, HasSubstr("rw/0"));
  EXPECT_EQ(quick, 20);
  Healthy();
}

TEST_F(ReplicationWireTest, AFrozenPrimaryIsFoundBehindAnothersQuestionToo) {
  Healthy();
  primary_->Freeze();
  watch_.AskInFront("rw/0");
  watch_.Round();
  watch_.Round();
  const std::string state = watch_.StateOf("rw/0", "node_state");
  const auto lag = watch_.Lag();
  primary_->Thaw();
  EXPECT_EQ(state, "hung");
  EXPECT_FALSE(lag);
  Healthy();
}

TEST_F(ReplicationWireTest, AStoppedPrimaryIsUnreachableAndItsStandbyUnknown) {
  Healthy();
  ASSERT_TRUE(primary_->Stop().ok());
  watch_.Round();
  watch_.Round();
  EXPECT_EQ(watch_.StateOf("rw/0", "node_state"), "unreachable");
  EXPECT_EQ(watch_.Of("rw/0", "up"), 0);
  EXPECT_EQ(watch_.Replication(), "primary_unreachable");
  EXPECT_FALSE(watch_.Lag());
  EXPECT_EQ(watch_.State("cluster_state", ""), "no_primary");
  EXPECT_FALSE(watch_.Standing("rw/0")->reachable);
  ASSERT_TRUE(primary_->Resume().ok());
  Healthy();
}

TEST_F(ReplicationWireTest, AGroupWithoutANodeIsAFactToo) {
  auto groups = Groups();
  groups.push_back({"dr", primary_->directory() + "/nothing", pg::Expect::kStandby});
  Watch watch(groups);
  ASSERT_TRUE(watch.Until([&] { return watch.InSync(); }));
  EXPECT_EQ(watch.Of("dr", "up"), 0);
  EXPECT_EQ(watch.StateOf("dr", "node_state"), "unresolved");
  EXPECT_THAT(watch.problem(), HasSubstr("dr"));
}

}  // namespace
}  // namespace spire_exporter::postgres
