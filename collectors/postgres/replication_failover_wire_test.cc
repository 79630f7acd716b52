// What needs a pair of its own, because nothing is as before afterwards.
#include <gtest/gtest.h>

#include "collectors/postgres/replication_wire_test_util.h"

namespace spire_exporter::postgres {
namespace {

using pg::TestPostgres;
using std::chrono::seconds;

class ReplicationFailoverWireTest : public ::testing::Test {
 protected:
  void StartPrimary(const std::string& settings = "") {
    auto primary = TestPostgres::Start(settings);
    ASSERT_TRUE(primary.ok()) << primary.error().ToString();
    primary_ = std::move(*primary);
    Sql(*primary_,
        "CREATE ROLE watcher LOGIN; GRANT pg_read_all_stats TO watcher;"
        "CREATE TABLE t (x int)");
  }
  static std::unique_ptr<TestPostgres> StandbyOf(TestPostgres& upstream, const std::string& slot) {
    auto standby = TestPostgres::MakeStandby(upstream, slot);
    EXPECT_TRUE(standby.ok()) << standby.error().ToString();
    return std::move(*standby);
  }
  void Observe(const std::vector<TestPostgres*>& standbys) {
    std::vector<pg::GroupOptions> groups = {
        {"rw", primary_->ConninfoFile("watcher"), pg::Expect::kPrimary}};
    for (size_t i = 0; i < standbys.size(); ++i) {
      groups.push_back({i == 0 ? "ro" : "ro-" + std::to_string(i),
                        standbys[i]->ConninfoFile("watcher"), pg::Expect::kStandby});
    }
    watch_ = std::make_unique<Watch>(groups);
  }
  static void Sql(TestPostgres& server, const std::string& statements) {
    const auto ran = server.Sql(statements);
    ASSERT_TRUE(ran.ok()) << ran.error().ToString();
  }
  static void LookElsewhere(TestPostgres& standby, uint16_t port) {
    Sql(standby, "ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 user=postgres port=" +
                     std::to_string(port) + "'");
    Sql(standby, "SELECT pg_reload_conf()");
  }
  void Write() { Sql(*primary_, "INSERT INTO t VALUES (1)"); }

  std::unique_ptr<TestPostgres> primary_;
  std::unique_ptr<Watch> watch_;
};

TEST_F(ReplicationFailoverWireTest, ALostSlotIsNamedAndItsStandbyLags) {
  StartPrimary("wal_keep_size = 0\nmax_wal_size = '32MB'\nmin_wal_size = '32MB'");
  const auto standby = StandbyOf(*primary_, "first");
  Observe({standby.get()});
  const std::string slot = "node=\"rw/0\",slot=\"first\"";
  ASSERT_TRUE(watch_->Until(
      [&] { return watch_->InSync() && watch_->State("slot_state", slot) == "active"; }));
  EXPECT_FALSE(watch_->Get("slot_safe_bytes", slot)) << "nothing limits what it keeps";
  Sql(*primary_, "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
  Sql(*primary_, "SELECT pg_reload_conf()");
  ASSERT_TRUE(watch_->Until([&] { return watch_->Get("slot_safe_bytes", slot).has_value(); }));
  LookElsewhere(*standby, 1);
  ASSERT_TRUE(watch_->Until([&] { return watch_->Replication() == "receiver_missing"; }));
  const SteadyTime written = watch_->clock().Steady();
  for (int i = 0; i < 6; ++i) {
    Write();
    Sql(*primary_, "SELECT pg_switch_wal()");
    Sql(*primary_, "CHECKPOINT");
    watch_->Round();
  }
  ASSERT_TRUE(watch_->Until([&] { return watch_->State("slot_state", slot) == "lost"; }));
  EXPECT_FALSE(watch_->Get("slot_retained_bytes", slot));
  EXPECT_TRUE(watch_->Get("slot_inactive_since_timestamp_seconds", slot));
  LookElsewhere(*standby, primary_->port());
  ASSERT_TRUE(watch_->Until([&] { return watch_->Since(written) > 4 && watch_->Lag(); }));
  EXPECT_NEAR(*watch_->Lag(), watch_->Since(written), 2);
  EXPECT_GT(*watch_->Of("ro/0", "replication_lag_bytes"), 60'000'000);
  EXPECT_EQ(watch_->State("cluster_state", ""), "degraded");
  EXPECT_EQ(watch_->Of("ro/0", "unreplayed_bytes"), 0) << "the number that others believe";
  if (primary_->major() >= 17) {
    EXPECT_EQ(
        watch_->Get("slot_invalidation", "node=\"rw/0\",reason=\"wal_removed\",slot=\"first\""), 1);
  }
}

TEST_F(ReplicationFailoverWireTest, APromotedStandbyIsThePrimaryAndTheOldOneASplitBrain) {
  StartPrimary();
  const auto standby = StandbyOf(*primary_, "first");
  const auto other = StandbyOf(*primary_, "second");
  Observe({standby.get(), other.get()});
  ASSERT_TRUE(watch_->Until([&] { return watch_->InSync() && watch_->InSync("ro-1/0"); }));
  EXPECT_EQ(watch_->State("cluster_state", ""), "healthy");

  ASSERT_TRUE(standby->Promote().ok());
  ASSERT_TRUE(watch_->Until([&] { return watch_->Of("ro/0", "timeline") == 2; }));
  EXPECT_EQ(watch_->State("cluster_state", ""), "split_brain");
  EXPECT_EQ(watch_->Get("writable_servers", ""), 2);
  EXPECT_EQ(watch_->Of("ro/0", "node_role_met"), 0);
  EXPECT_EQ(watch_->Replication("ro/0"), "not_a_standby");
  EXPECT_EQ(watch_->Replication("ro-1/0"), "in_sync") << "with the primary of its timeline";

  // The old primary ends, and the other standby still asks for its log.
  Write();
  ASSERT_TRUE(watch_->Until([&] { return watch_->Lag("ro-1/0") == 0; }));
  ASSERT_TRUE(primary_->Stop().ok());
  ASSERT_TRUE(watch_->Until([&] { return watch_->Of("rw/0", "up") == 0; }));
  Sql(*standby, "INSERT INTO t VALUES (2)");
  ASSERT_TRUE(watch_->Until([&] { return watch_->Get("writable_servers", "") == 1; }));
  EXPECT_FALSE(watch_->Lag("ro-1/0")) << "of another timeline: no number";
  EXPECT_EQ(watch_->State("cluster_state", ""), "degraded");

  // It has what the new primary never had, so that it cannot follow.
  LookElsewhere(*other, standby->port());
  ASSERT_TRUE(watch_->Until([&] {
    const std::string state = watch_->Replication("ro-1/0");
    return state == "diverged" || state == "receiver_missing" || state == "other_timeline";
  }));
  EXPECT_FALSE(watch_->Lag("ro-1/0"));
}

TEST_F(ReplicationFailoverWireTest, AStandbyThatFollowsTheNewPrimaryIsInSyncAgain) {
  StartPrimary();
  const auto standby = StandbyOf(*primary_, "first");
  const auto other = StandbyOf(*primary_, "second");
  Observe({standby.get(), other.get()});
  ASSERT_TRUE(watch_->Until([&] { return watch_->InSync() && watch_->Lag("ro-1/0") == 0; }));
  ASSERT_TRUE(primary_->Stop().ok());
  ASSERT_TRUE(
      watch_->Until([&] { return watch_->Replication("ro-1/0") == "primary_unreachable"; }));
  EXPECT_FALSE(watch_->Lag("ro-1/0"));
  ASSERT_TRUE(standby->Promote().ok());
  Sql(*standby, "SELECT pg_create_physical_replication_slot('second')");
  LookElsewhere(*other, standby->port());
  Sql(*standby, "INSERT INTO t VALUES (2)");
  ASSERT_TRUE(watch_->Until([&] {
    return watch_->InSync("ro-1/0") && watch_->Lag("ro-1/0") == 0 &&
           watch_->Of("ro-1/0", "timeline") == 2;
  }));
  EXPECT_EQ(watch_->Get("writable_servers", ""), 1);
  EXPECT_TRUE(watch_->Standing("ro-1/0")->fresh);
}

TEST_F(ReplicationFailoverWireTest, ACascadingStandbyLagsWithItsUpstream) {
  StartPrimary();
  const auto first = StandbyOf(*primary_, "first");
  const auto second = StandbyOf(*first, "second");
  Observe({first.get(), second.get()});
  ASSERT_TRUE(watch_->Until(
      [&] { return watch_->InSync() && watch_->InSync("ro-1/0") && watch_->Lag("ro-1/0") == 0; }));
  EXPECT_TRUE(watch_->Until(
      [&] { return watch_->Get("senders", "node=\"ro/0\",state=\"streaming\"") == 1; }));
  LookElsewhere(*first, 1);
  ASSERT_TRUE(watch_->Until([&] { return watch_->Replication() == "receiver_missing"; }));
  Write();
  const SteadyTime written = watch_->clock().Steady();
  ASSERT_TRUE(watch_->Until(
      [&] { return watch_->Since(written) > 4 && watch_->Lag("ro/0") && watch_->Lag("ro-1/0"); }));
  for (const char* node : {"ro/0", "ro-1/0"}) {
    EXPECT_NEAR(*watch_->Lag(node), watch_->Since(written), 2) << node;
  }
  EXPECT_EQ(watch_->Of("ro-1/0", "receiver_running"), 1) << "it hears from its upstream";
  // Until its upstream speaks again, which an idle one does twice a minute, it only lags.
  ASSERT_TRUE(
      watch_->Until([&] { return watch_->Replication("ro-1/0") == "upstream_lost"; }, seconds(60)));
}

TEST_F(ReplicationFailoverWireTest, AnotherDatabaseBehindTheNameIsNamed) {
  StartPrimary();
  auto stranger = TestPostgres::Start();
  ASSERT_TRUE(stranger.ok()) << stranger.error().ToString();
  Sql(**stranger, "CREATE ROLE watcher LOGIN");
  Observe({stranger->get()});
  ASSERT_TRUE(watch_->Until([&] { return watch_->Get("systems", "") == 2; }));
  EXPECT_EQ(watch_->State("cluster_state", ""), "two_systems");
  EXPECT_EQ(watch_->Of("ro/0", "node_role_met"), 0);
}

TEST_F(ReplicationFailoverWireTest, ADatabaseWithoutAStandbyIsNoFault) {
  StartPrimary();
  Observe({});
  ASSERT_TRUE(watch_->Until([&] { return watch_->State("cluster_state", "") == "no_standby"; }));
  EXPECT_EQ(watch_->problem(), "");
  EXPECT_EQ(watch_->Get("standby_servers", ""), 0);
}

}  // namespace
}  // namespace spire_exporter::postgres
