// Locks and capacity of a real PostgreSQL. PG_BIN_DIR chooses which.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <thread>

#include "collectors/clients/postgres/node_set.h"
#include "collectors/clients/postgres/test_postgres.h"
#include "collectors/postgres/statistics_collector.h"
#include "collectors/postgres/statistics_scope.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::postgres {
namespace {

using pg::TestPostgres;
using std::chrono::seconds;
using ::testing::HasSubstr;

// A transaction that stays open and idle until the end of this.
class OpenTransaction {
 public:
  OpenTransaction(TestPostgres& server, const std::string& statements, const std::string& user)
      : gate_(server.directory() + "/gate." + std::to_string(++counter_)) {
    EXPECT_EQ(mkfifo(gate_.c_str(), 0666), 0);
    EXPECT_EQ(chmod(gate_.c_str(), 0666), 0);
    thread_ = std::thread([&server, statements, user, gate = gate_] {
      // psql waits in the shell, and the server for psql.
      const auto ran = server.Sql(
          "BEGIN; " + statements + ";\n\\! cat " + gate + " >/dev/null\nROLLBACK;", user);
      EXPECT_TRUE(ran.ok()) << ran.error().ToString();
    });
  }
  ~OpenTransaction() {
    // Returns as soon as the shell reads.
    { const UniqueFd writer(open(gate_.c_str(), O_WRONLY | O_CLOEXEC)); }
    thread_.join();
  }

 private:
  static inline int counter_ = 0;
  const std::string gate_;
  std::thread thread_;
};

// A statement that runs beside the test, which ends what it waits for first.
class Beside {
 public:
  Beside(TestPostgres& server, const std::string& statements, const std::string& user)
      : thread_([&server, statements, user] {
          const auto ran = server.Sql(statements, user);
          EXPECT_TRUE(ran.ok()) << ran.error().ToString();
        }) {}
  ~Beside() { thread_.join(); }

 private:
  std::thread thread_;
};

class StatisticsWireTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto server = TestPostgres::Start("max_connections = 40");
    ASSERT_TRUE(server.ok()) << server.error().ToString();
    server_ = std::move(*server);
    std::string tables;
    for (const std::string_view table : kSpireTables) {
      tables += "CREATE TABLE public." + std::string(table) + " (id serial PRIMARY KEY, x text); " +
                "ALTER TABLE public." + std::string(table) + " OWNER TO spire; ";
    }
    const auto made = server_->Sql(
        "CREATE ROLE spire LOGIN; CREATE ROLE watcher LOGIN; GRANT pg_read_all_stats TO watcher; "
        "CREATE ROLE bare LOGIN; GRANT ALL ON SCHEMA public TO spire; " +
        tables + "INSERT INTO registered_entries (x) SELECT g FROM generate_series(1, 9) g;");
    ASSERT_TRUE(made.ok()) << made.error().ToString();
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override { Use({server_->ConninfoFile("watcher")}); }

  void Use(const std::vector<std::string>& files) {
    pg::ClientOptions client;
    for (size_t i = 0; i < files.size(); ++i) {
      client.groups.push_back({i == 0 ? "rw" : "ro", files[i], pg::Expect::kAny});
    }
    nodes_->Configure(client);
    StatisticsOptions options;
    options.long_transaction = Duration::zero();
    options.spire_pool_max = 5;
    options.slow_period = options.size_period = Duration::zero();
    options.timeout = seconds(10);
    collector_ = MakeStatisticsCollector(options, nodes_);
  }

  Status Round(Duration within = seconds(10)) {
    const CollectContext context{Deadline::After(clock_, within), {}, clock_, facts_};
    Result<Reading> reading = collector_->Collect(context);
    EXPECT_TRUE(reading.ok());
    families_ = reading->families.Take();
    return reading->problem;
  }

  const Series* Find(const std::string& name, const std::string& labels) const {
    for (const Family& family : families_) {
      if (family.description->name != name) continue;
      for (const Series& series : family.series) {
        if (series.labels->rendered() == labels) return &series;
      }
    }
    return nullptr;
  }
  std::optional<double> Value(const std::string& name,
                              const std::string& labels = "node=\"rw/0\"") const {
    const Series* series = Find("spire_postgres_" + name, labels);
    if (series == nullptr) return std::nullopt;
    return series->value;
  }
  // A second label beside the node.
  std::optional<double> Value(const std::string& name, const std::string& label,
                              const std::string& value) const {
    std::vector<std::string> labels = {"node=\"rw/0\"", label + "=\"" + value + "\""};
    std::sort(labels.begin(), labels.end());
    return Value(name, labels[0] + "," + labels[1]);
  }

  // Rounds until it holds, for at most ten seconds.
  bool Until(const std::function<bool()>& holds) {
    const Deadline deadline = Deadline::After(clock_, seconds(10));
    do {
      const Status problem = Round();
      if (holds()) return true;
      poll(nullptr, 0, 20);
    } while (!deadline.Passed(clock_));
    return false;
  }

  static std::unique_ptr<TestPostgres> server_;
  const RealClock clock_;
  NullLogger logger_;
  FactsBoard facts_;
  std::shared_ptr<pg::NodeSet> nodes_ = std::make_shared<pg::NodeSet>(clock_, logger_);
  std::unique_ptr<Collector> collector_;
  FamilyList families_;
};
std::unique_ptr<TestPostgres> StatisticsWireTest::server_;

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
  EXPECT_EQ(Value("connections_available"), 40 - 3 - 1);
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

TEST_F(StatisticsWireTest, SeesABlockingTree) {
  // SPIRE's migration holds the table, two of SPIRE's sessions and one other wait behind it.
  auto root = std::make_unique<OpenTransaction>(
      *server_, "LOCK TABLE registered_entries IN ACCESS EXCLUSIVE MODE", "postgres");
  ASSERT_TRUE(
      Until([&] { return Value("table_exclusive_locks", "table", "registered_entries") == 1; }));
  EXPECT_EQ(Value("spire_tables_exclusive_locks"), 1);
  Beside first(*server_, "SELECT count(*) FROM registered_entries", "spire");
  Beside second(*server_, "UPDATE registered_entries SET x = 'a' WHERE id = 1", "spire");
  Beside third(*server_, "SELECT count(*) FROM registered_entries", "postgres");
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
  auto root = std::make_unique<OpenTransaction>(
      *server_,
      "UPDATE bundles SET x = 'a'; INSERT INTO bundles (x) VALUES ('b'); "
      "UPDATE registered_entries SET x = 'b' WHERE id = 2",
      "spire");
  ASSERT_TRUE(
      Until([&] { return Value("spire_connections", "state", "idle_in_transaction") == 1; }));
  Beside waiter(*server_, "UPDATE registered_entries SET x = 'c' WHERE id = 2", "spire");
  EXPECT_TRUE(Until(
      [&] { return Value("table_lock_waiting_sessions", "table", "registered_entries") == 1; }));
  EXPECT_EQ(Value("spire_tables_exclusive_locks"), 0);
  EXPECT_EQ(Value("blocked_sessions"), 1);
  root.reset();
}

TEST_F(StatisticsWireTest, SeesAChainOfThree) {
  auto root = std::make_unique<OpenTransaction>(
      *server_, "UPDATE registered_entries SET x = 'b' WHERE id = 3", "spire");
  ASSERT_TRUE(
      Until([&] { return Value("spire_connections", "state", "idle_in_transaction") == 1; }));
  // Holds row 4, waits for row 3; the last waits for row 4.
  Beside middle(*server_,
                "BEGIN; UPDATE registered_entries SET x = 'c' WHERE id = 4; "
                "UPDATE registered_entries SET x = 'c' WHERE id = 3; COMMIT;",
                "spire");
  ASSERT_TRUE(Until([&] { return Value("blocked_sessions") == 1; }));
  Beside last(*server_, "UPDATE registered_entries SET x = 'd' WHERE id = 4", "spire");
  EXPECT_TRUE(Until([&] { return Value("blocked_sessions") == 2; }));
  EXPECT_EQ(Value("blocking_roots"), 1);
  EXPECT_EQ(Value("blocking_root_blocked_sessions"), 2);
  root.reset();
}

TEST_F(StatisticsWireTest, SeesIdleInTransaction) {
  OpenTransaction open(*server_, "SELECT 1", "postgres");
  EXPECT_TRUE(Until([&] { return Value("connections", "state", "idle_in_transaction") == 1; }));
  EXPECT_GT(Value("oldest_idle_in_transaction_seconds"), 0);
  EXPECT_GT(Value("oldest_transaction_seconds"), 0);
  EXPECT_EQ(Value("long_transactions"), 1) << "the threshold of the test is 0";
}

TEST_F(StatisticsWireTest, SeesAPreparedTransactionThatBlocks) {
  ASSERT_TRUE(server_
                  ->Sql("BEGIN; LOCK TABLE selectors IN SHARE MODE; "
                        "INSERT INTO bundles (x) VALUES ('p'); PREPARE TRANSACTION 'p';")
                  .ok());
  {
    Beside waiter(*server_, "INSERT INTO selectors (x) VALUES ('a')", "spire");
    EXPECT_TRUE(Until([&] { return Value("blocked_sessions") == 1; }));
    EXPECT_EQ(Value("blocking_root_state", "state", "prepared"), 1);
    EXPECT_GT(Value("blocking_root_transaction_seconds"), 0);
    EXPECT_EQ(Value("prepared_transactions"), 1);
    EXPECT_GT(Value("oldest_prepared_transaction_seconds"), 0);
    EXPECT_TRUE(server_->Sql("ROLLBACK PREPARED 'p'").ok());
  }
  ASSERT_TRUE(Round().ok());
  EXPECT_EQ(Value("prepared_transactions"), 0);
  EXPECT_EQ(Value("oldest_prepared_transaction_seconds"), 0);
}

TEST_F(StatisticsWireTest, SaysWhatARoleWithoutRightsCannotSee) {
  OpenTransaction open(*server_, "SELECT count(*) FROM bundles", "spire");
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
  auto root = std::make_unique<OpenTransaction>(
      *server_, "LOCK TABLE bundles IN ACCESS EXCLUSIVE MODE", "postgres");
  ASSERT_TRUE(Until([&] { return Value("table_exclusive_locks", "table", "bundles") == 1; }));
  // The lock goes to the standby with the next commit.
  ASSERT_TRUE(server_->Sql("INSERT INTO selectors (x) VALUES ('s')").ok());
  ASSERT_TRUE(Until(
      [&] { return Value("table_exclusive_locks", "node=\"ro/0\",table=\"bundles\"") == 1; }));
  auto reader = std::make_unique<Beside>(**standby, "SELECT count(*) FROM bundles", "spire");
  EXPECT_TRUE(Until([&] { return Value("blocked_sessions", "node=\"ro/0\"") == 1; }));
  EXPECT_EQ(Value("blocking_root_state", "node=\"ro/0\",state=\"replay\""), 1);
  root.reset();
  ASSERT_TRUE(server_->Sql("INSERT INTO selectors (x) VALUES ('s')").ok());
  reader.reset();
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
