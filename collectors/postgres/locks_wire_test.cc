// Locks on a real PostgreSQL. PG_BIN_DIR chooses which.
#include <gtest/gtest.h>

#include "collectors/postgres/statistics_test_util.h"

namespace spire_exporter::postgres {
namespace {

TEST_F(StatisticsWireTest, SeesABlockingTree) {
  // SPIRE's migration holds the table, two of SPIRE's sessions and one other wait behind it.
  auto root = std::make_unique<Client>(
      *server_, "BEGIN; LOCK TABLE registered_entries IN ACCESS EXCLUSIVE MODE", "postgres");
  ASSERT_TRUE(
      Until([&] { return Value("table_exclusive_locks", "table", "registered_entries") == 1; }));
  EXPECT_EQ(Value("spire_tables_exclusive_locks"), 1);
  Beside(*server_, "SELECT count(*) FROM registered_entries", "spire");
  Beside(*server_, "UPDATE registered_entries SET x = 'a' WHERE id = 1", "spire");
  Beside(*server_, "SELECT count(*) FROM registered_entries", "postgres");
  EXPECT_TRUE(Until([&] { return Value("blocked_sessions") == 3; }));
  EXPECT_EQ(Value("lock_waiting_sessions"), 3);
  EXPECT_EQ(Value("blocking_roots"), 1);
  EXPECT_EQ(Value("blocking_root_blocked_sessions"), 3);
  EXPECT_EQ(Value("blocking_root_state", "state", "idle_in_transaction"), 1);
  EXPECT_GT(Value("blocking_root_transaction_seconds"), 0);
  EXPECT_EQ(Value("blocking_unexamined_sessions"), 0);
  EXPECT_EQ(Value("deadlocked_sessions"), 0);
  EXPECT_EQ(Value("spire_lock_waiting_sessions"), 2);
  EXPECT_GT(Value("spire_lock_longest_wait_seconds"), 0);
  EXPECT_GE(Value("lock_longest_wait_seconds"), Value("spire_lock_longest_wait_seconds"));
  EXPECT_EQ(Value("table_lock_waiting_sessions", "table", "registered_entries"), 3);
  EXPECT_EQ(Value("locks", "granted=\"false\",mode=\"access_share\",node=\"rw/0\""), 2);
  EXPECT_EQ(Value("locks", "granted=\"false\",mode=\"row_exclusive\",node=\"rw/0\""), 1);
  EXPECT_EQ(Value("locks", "granted=\"true\",mode=\"access_exclusive\",node=\"rw/0\""), 1);
  EXPECT_EQ(Value("locks", "granted=\"true\",mode=\"exclusive\",node=\"rw/0\""), 0)
      << "what a transaction holds on itself";
  const Series* ages = Find("spire_postgres_lock_wait_age_seconds", "node=\"rw/0\"");
  ASSERT_NE(ages, nullptr);
  EXPECT_EQ(ages->histogram->count, 3u);
  EXPECT_EQ(Value("spire_connections", "state", "active"), 2);
  EXPECT_EQ(Value("spire_clients"), 1);
  EXPECT_EQ(Value("spire_connections_max"), 5);
  EXPECT_EQ(Value("finding", "finding", "session_unencrypted"), 1);
  // All parts were told while the table was locked.
  EXPECT_TRUE(Round().ok());
  root.reset();
}

TEST_F(StatisticsWireTest, AttributesAWaitForARowToItsTable) {
  auto root = std::make_unique<Client>(
      *server_,
      "BEGIN; UPDATE bundles SET x = 'a'; INSERT INTO bundles (x) VALUES ('b'); "
      "UPDATE registered_entries SET x = 'b' WHERE id = 2",
      "spire");
  ASSERT_TRUE(
      Until([&] { return Value("spire_connections", "state", "idle_in_transaction") == 1; }));
  Beside(*server_, "UPDATE registered_entries SET x = 'c' WHERE id = 2", "spire");
  EXPECT_TRUE(Until(
      [&] { return Value("table_lock_waiting_sessions", "table", "registered_entries") == 1; }));
  EXPECT_EQ(Value("spire_tables_exclusive_locks"), 0);
  EXPECT_EQ(Value("blocked_sessions"), 1);
  root.reset();
}

TEST_F(StatisticsWireTest, SeesAChainOfThree) {
  auto root = std::make_unique<Client>(
      *server_, "BEGIN; UPDATE registered_entries SET x = 'b' WHERE id = 3", "spire");
  ASSERT_TRUE(
      Until([&] { return Value("spire_connections", "state", "idle_in_transaction") == 1; }));
  // Holds row 4, waits for row 3; the last waits for row 4.
  Beside(*server_,
         "BEGIN; UPDATE registered_entries SET x = 'c' WHERE id = 4; "
         "UPDATE registered_entries SET x = 'c' WHERE id = 3; COMMIT;",
         "spire");
  ASSERT_TRUE(Until([&] { return Value("blocked_sessions") == 1; }));
  Beside(*server_, "UPDATE registered_entries SET x = 'd' WHERE id = 4", "spire");
  EXPECT_TRUE(Until([&] { return Value("blocked_sessions") == 2; }));
  EXPECT_EQ(Value("blocking_roots"), 1);
  EXPECT_EQ(Value("blocking_root_blocked_sessions"), 2);
  root.reset();
}

TEST_F(StatisticsWireTest, SeesAPreparedTransactionThatBlocks) {
  ASSERT_TRUE(server_
                  ->Sql("BEGIN; LOCK TABLE selectors IN SHARE MODE; "
                        "INSERT INTO bundles (x) VALUES ('p'); PREPARE TRANSACTION 'p';")
                  .ok());
  Beside(*server_, "INSERT INTO selectors (x) VALUES ('a')", "spire");
  EXPECT_TRUE(Until([&] { return Value("blocked_sessions") == 1; }));
  EXPECT_EQ(Value("blocking_root_state", "state", "prepared"), 1);
  EXPECT_GT(Value("blocking_root_transaction_seconds"), 0);
  EXPECT_EQ(Value("prepared_transactions"), 1);
  EXPECT_GT(Value("oldest_prepared_transaction_seconds"), 0);
  EXPECT_TRUE(server_->Sql("ROLLBACK PREPARED 'p'").ok());
  ASSERT_TRUE(Round().ok());
  EXPECT_EQ(Value("prepared_transactions"), 0);
  EXPECT_EQ(Value("oldest_prepared_transaction_seconds"), 0);
}

}  // namespace
}  // namespace spire_exporter::postgres
