// Capacity of a real PostgreSQL, and what a node may not tell. PG_BIN_DIR chooses which.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "collectors/postgres/statistics_test_util.h"

namespace spire_exporter::postgres {
namespace {

using pg::TestPostgres;
using std::chrono::seconds;
using ::testing::HasSubstr;

TEST_F(StatisticsWireTest, TellsAQuietServerWhole) {
  const Status problem = Round();
  EXPECT_TRUE(problem.ok()) << problem.error().ToString();
  for (const char* part : {"spire", "locks", "sessions", "transactions", "database", "writes",
                           "settings", "tables", "size"}) {
    EXPECT_EQ(Value("statistics_success", "part", part), 1) << part;
  }
  EXPECT_EQ(Value("lock_waiting_sessions"), 0);
  EXPECT_EQ(Value("lock_longest_wait_seconds"), 0);
  EXPECT_EQ(Value("blocking_roots"), 0);
  EXPECT_EQ(Value("blocking_root_transaction_seconds"), std::nullopt);
  EXPECT_EQ(Value("spire_connections", "state", "active"), 0);
  EXPECT_EQ(Value("connections_limit"), 40);
  EXPECT_EQ(Value("connections_reserved"), 3);
  // The session of the test before may still be ending.
  EXPECT_TRUE(Until([&] { return Value("connections_available") == 40 - 3 - 1; }));
  EXPECT_EQ(Value("connections", "state", "active"), 1) << "we ourselves";
  EXPECT_EQ(Value("long_transactions"), 0);
  EXPECT_EQ(Value("prepared_transactions"), 0);
  // Before PostgreSQL 15 statistics come with half a second of delay.
  EXPECT_TRUE(Until([&] { return Value("transactions_total", "outcome", "committed") > 0; }));
  EXPECT_TRUE(Until([&] { return Value("wal_bytes_total") > 0; }));
  EXPECT_GT(Value("checkpoints_total", "cause", "requested"), -1);
  EXPECT_EQ(Value("archiver_attempts_total", "outcome", "archived"), std::nullopt);
  EXPECT_GT(Value("wraparound_ratio", "counter", "xid"), 0);
  EXPECT_LT(Value("wraparound_ratio", "counter", "xid"), 0.001);
  EXPECT_GT(Value("database_size_bytes"), 1e6);
  EXPECT_NE(Value("table_rows", "node=\"rw/0\",state=\"live\",table=\"registered_entries\""),
            std::nullopt);
  EXPECT_EQ(Value("finding", "finding", "fsync_off"), 1) << "as the test's server is set up";
  EXPECT_EQ(Value("finding", "finding", "autovacuum_off"), 0);
  EXPECT_EQ(Value("finding", "finding", "session_superuser"), 0);
  EXPECT_EQ(Value("synchronous_commit", "state", "on"), 1);
  EXPECT_EQ(Value("settings_differing"), std::nullopt) << "one node has nothing to differ from";
}

TEST_F(StatisticsWireTest, EveryFamilyIsDescribed) {
  ASSERT_TRUE(Round().ok());
  const auto described = StatisticsFamilies();
  for (const Family& family : families_) {
    EXPECT_NE(std::find(described.begin(), described.end(), family.description), described.end())
        << family.description->name;
  }
}

TEST_F(StatisticsWireTest, SeesIdleInTransaction) {
  Client open(*server_, "BEGIN; SELECT 1", "postgres");
  EXPECT_TRUE(Until([&] { return Value("connections", "state", "idle_in_transaction") == 1; }));
  EXPECT_GT(Value("oldest_idle_in_transaction_seconds"), 0);
  EXPECT_GT(Value("oldest_transaction_seconds"), 0);
  EXPECT_EQ(Value("long_transactions"), 1) << "the threshold of the test is 0";
}

TEST_F(StatisticsWireTest, SaysWhatARoleWithoutRightsCannotSee) {
  Client open(*server_, "BEGIN; SELECT count(*) FROM bundles", "spire");
  ASSERT_TRUE(
      Until([&] { return Value("spire_connections", "state", "idle_in_transaction") == 1; }));
  Use({server_->ConninfoFile("bare")});
  const Status problem = Round();
  ASSERT_FALSE(problem.ok());
  EXPECT_EQ(problem.error().code, Code::kPermissionDenied);
  EXPECT_THAT(problem.error().what, HasSubstr("GRANT pg_read_all_stats"));
  EXPECT_EQ(Value("statistics_success", "part", "sessions"), 0);
  EXPECT_EQ(
      Value("statistics_problem", "node=\"rw/0\",part=\"sessions\",reason=\"permission_denied\""),
      1);
  EXPECT_GE(Value("connections", "state", "hidden"), 1);
  EXPECT_EQ(Value("spire_connections", "state", "hidden"), 1);
  EXPECT_EQ(Value("oldest_transaction_seconds"), std::nullopt) << "not known, so not 0";
  EXPECT_EQ(Value("long_transactions"), std::nullopt);
  EXPECT_EQ(Value("spire_clients"), std::nullopt);
  EXPECT_EQ(Value("finding", "finding", "session_unencrypted"), std::nullopt);
  EXPECT_EQ(Value("statistics_success", "part", "locks"), 1);
}

TEST_F(StatisticsWireTest, CountersSurviveAReset) {
  ASSERT_TRUE(Round().ok());
  const auto before = Value("transactions_total", "outcome", "committed");
  const auto wal = Value("wal_bytes_total");
  ASSERT_TRUE(server_->Sql("SELECT pg_stat_reset()").ok());
  ASSERT_TRUE(Until([&] { return Value("statistics_rebased_total").value_or(0) > 0; }));
  EXPECT_GE(Value("transactions_total", "outcome", "committed"), before);
  EXPECT_GE(Value("wal_bytes_total"), wal);
}

TEST_F(StatisticsWireTest, SeesSettingsOfSpiresRoleAndTheirChange) {
  ASSERT_TRUE(Round().ok());
  EXPECT_EQ(Value("setting_value", "setting", "statement_timeout"), 0);
  EXPECT_EQ(Value("setting_changes_total"), 0);
  ASSERT_TRUE(server_
                  ->Sql("ALTER ROLE spire SET statement_timeout = '30s'; "
                        "ALTER ROLE watcher SET lock_timeout = '1s'")
                  .ok());
  // Our own role's setting takes effect with its next session.
  Use({server_->ConninfoFile("watcher")});
  ASSERT_TRUE(Round().ok());
  EXPECT_EQ(Value("setting_value", "setting", "statement_timeout"), 30);
  EXPECT_EQ(Value("setting_value", "setting", "lock_timeout"), std::nullopt)
      << "our own role's hides it";
  EXPECT_EQ(Value("setting_value", "setting", "max_slot_wal_keep_size"),
            server_->major() >= 13 ? std::optional<double>(-1) : std::nullopt);
  ASSERT_TRUE(server_->Sql("ALTER ROLE spire SET synchronous_commit = off").ok());
  ASSERT_TRUE(Round().ok());
  EXPECT_EQ(Value("setting_changes_total"), 1);
  EXPECT_EQ(Value("finding", "finding", "synchronous_commit_off"), 1);
  ASSERT_TRUE(server_->Sql("ALTER ROLE spire RESET ALL; ALTER ROLE watcher RESET ALL").ok());
}

TEST_F(StatisticsWireTest, SaysThatADatabaseIsNotSpires) {
  const std::string file = server_->directory() + "/other.conninfo";
  std::ofstream(file) << "host=127.0.0.1 port=" << server_->port()
                      << " dbname=postgres user=watcher sslmode=disable\n";
  Use({file});
  const Status problem = Round();
  ASSERT_FALSE(problem.ok());
  EXPECT_EQ(problem.error().code, Code::kNotFound);
  EXPECT_EQ(Value("statistics_success", "part", "spire"), 0);
  EXPECT_EQ(Value("spire_connections", "state", "active"), std::nullopt);
  EXPECT_EQ(Value("spire_lock_waiting_sessions"), std::nullopt);
  EXPECT_EQ(Value("lock_waiting_sessions"), 0);
}

TEST_F(StatisticsWireTest, AsksAStandbyToo) {
  auto standby = TestPostgres::MakeStandby(*server_, "standby", "max_connections = 50");
  ASSERT_TRUE(standby.ok()) << standby.error().ToString();
  Use({server_->ConninfoFile("watcher"), (*standby)->ConninfoFile("watcher")});
  const Status problem = Round();
  EXPECT_TRUE(problem.ok()) << problem.error().ToString();
  EXPECT_EQ(Value("settings_differing", "node=\"rw/0\""), 0);
  EXPECT_EQ(Value("settings_differing", "node=\"ro/0\""), 1) << "max_connections";
  EXPECT_EQ(Value("wal_bytes_total", "node=\"ro/0\""), std::nullopt);
  EXPECT_EQ(Value("table_rows", "node=\"ro/0\",state=\"dead\",table=\"bundles\""), std::nullopt);
  EXPECT_EQ(Value("connections_limit", "node=\"ro/0\""), 50);
  size_t series = 0;
  for (const Family& family : families_) series += family.series.size();
  EXPECT_LE(series, 300u);
  RecordProperty("series", static_cast<int>(series));
  // A table locked on the primary is locked by the standby's replay.
  auto root = std::make_unique<Client>(
      *server_, "BEGIN; LOCK TABLE bundles IN ACCESS EXCLUSIVE MODE", "postgres");
  ASSERT_TRUE(Until([&] { return Value("table_exclusive_locks", "table", "bundles") == 1; }));
  // The lock goes to the standby with the next commit.
  ASSERT_TRUE(server_->Sql("INSERT INTO selectors (x) VALUES ('s')").ok());
  ASSERT_TRUE(Until(
      [&] { return Value("table_exclusive_locks", "node=\"ro/0\",table=\"bundles\"") == 1; }));
  Beside(**standby, "SELECT count(*) FROM bundles", "spire");
  EXPECT_TRUE(Until([&] { return Value("blocked_sessions", "node=\"ro/0\"") == 1; }));
  EXPECT_EQ(Value("blocking_root_state", "node=\"ro/0\",state=\"replay\""), 1);
  root.reset();
  ASSERT_TRUE(server_->Sql("INSERT INTO selectors (x) VALUES ('s')").ok());
  waiters_.clear();
  (*standby)->Freeze();
  const SteadyTime from = clock_.Steady();
  const Status hangs = Round(std::chrono::milliseconds(500));
  EXPECT_LT(Seconds(clock_.Steady() - from), 0.6);
  ASSERT_FALSE(hangs.ok());
  EXPECT_EQ(
      Value("statistics_problem", "node=\"ro/0\",part=\"locks\",reason=\"deadline_exceeded\""), 1);
  EXPECT_EQ(Value("lock_waiting_sessions"), 0) << "the other goes on";
  (*standby)->Thaw();
  ASSERT_TRUE((*standby)->Stop().ok());
  const Status gone = Round();
  ASSERT_FALSE(gone.ok());
  EXPECT_THAT(gone.error().what, HasSubstr("ro/0: "));
  EXPECT_EQ(Value("statistics_success", "node=\"ro/0\",part=\"locks\""), 0);
  EXPECT_EQ(Value("lock_waiting_sessions", "node=\"ro/0\""), std::nullopt);
  EXPECT_EQ(Value("lock_waiting_sessions"), 0) << "the other goes on";
}

}  // namespace
}  // namespace spire_exporter::postgres
