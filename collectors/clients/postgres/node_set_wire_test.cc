// The client on a real PostgreSQL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "collectors/clients/postgres/ask.h"
#include "collectors/clients/postgres/node_set.h"
#include "collectors/clients/postgres/test_postgres.h"
#include "tests/fakes/hung_server.h"

namespace spire_exporter::pg {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class NodeSetWireTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto server = TestPostgres::Start("max_connections = 20");
    ASSERT_TRUE(server.ok()) << server.error().ToString();
    server_ = std::move(*server);
    ASSERT_TRUE(server_
                    ->Sql("CREATE TABLE secrets (name text, token text);"
                          "INSERT INTO secrets VALUES ('a', 'geheim');"
                          "CREATE ROLE watcher LOGIN CONNECTION LIMIT 2;"
                          "GRANT SELECT (name) ON secrets TO watcher;")
                    .ok());
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override { Use({server_->conninfo("watcher")}); }

  void Use(const std::vector<std::string>& conninfos) {
    ClientOptions options;
    options.connect_timeout = seconds(2);
    for (size_t i = 0; i < conninfos.size(); ++i) {
      const std::string path =
          ::testing::TempDir() + "/conninfo." + std::to_string(getpid()) + "." + std::to_string(i);
      std::ofstream(path) << conninfos[i] << "\n";
      options.groups.push_back({i == 0 ? "rw" : "ro", path, Expect::kAny});
    }
    nodes_.Configure(options);
    options_ = options;
  }

  NodeList List() {
    return nodes_.List(Duration::zero(), Deadline::After(clock_, seconds(10)), {});
  }

  template <typename T = Rows>
  Result<Rows> Query(const std::string& statement, Duration within = seconds(10),
                     Duration statement_timeout = seconds(3)) {
    const NodeList list = List();
    if (list.nodes.empty()) {
      return list.problems.empty() ? Error{Code::kNotFound, "no node", "", false}
                                   : list.problems[0].error;
    }
    return Ask<Rows>(
        list.nodes[0], {Deadline::After(clock_, within), statement_timeout}, {},
        [statement](Connection& connection) { return connection.Query("ask", statement); });
  }

  static std::unique_ptr<TestPostgres> server_;
  const RealClock clock_{};
  NullLogger logger_;
  NodeSet nodes_{clock_, logger_};
  ClientOptions options_;
};
std::unique_ptr<TestPostgres> NodeSetWireTest::server_;

TEST_F(NodeSetWireTest, AsksARealServer) {
  const Result<Rows> rows = Query(
      "SELECT 7, NULL, 'x', 2.5::float8, true, '16/B374D848'::pg_lsn, "
      "current_setting('application_name'), current_setting('transaction_read_only'), "
      "current_setting('search_path'), current_setting('lock_timeout')");
  ASSERT_TRUE(rows.ok()) << rows.error().ToString();
  EXPECT_EQ(rows->Int(0), 7);
  EXPECT_EQ(rows->Text(1), std::nullopt);
  EXPECT_EQ(rows->Text(2), "x");
  EXPECT_EQ(rows->Double(3), 2.5);
  EXPECT_EQ(rows->Bool(4), true);
  EXPECT_EQ(rows->Lsn(5), 0x16B374D848u);
  EXPECT_EQ(rows->Text(6), "spire-exporter");
  EXPECT_EQ(rows->Text(7), "on");
  EXPECT_EQ(rows->Text(8), "pg_catalog");
  EXPECT_EQ(rows->Text(9), "500ms");
}

TEST_F(NodeSetWireTest, ErrorsSayWhatIsMissing) {
  const struct {
    const char* statement;
    Code code;
  } cases[] = {
      {"SELECT token FROM public.secrets", Code::kPermissionDenied},
      {"SELECT 1 FROM public.nothing", Code::kNotFound},
      {"SELECT nothing FROM public.secrets", Code::kNotFound},
      {"SELECT pg_sleep(9)", Code::kDeadlineExceeded},
      {"SELEKT", Code::kInvalidArgument},
      {"CREATE TEMP TABLE x (y int)", Code::kFailedPrecondition},
      {"SELECT g FROM generate_series(1, 10001) g", Code::kResourceExhausted},
  };
  for (const auto& one : cases) {
    const Result<Rows> rows = Query(one.statement, seconds(10), milliseconds(300));
    ASSERT_FALSE(rows.ok()) << one.statement;
    EXPECT_EQ(CodeName(rows.error().code), CodeName(one.code)) << rows.error().ToString();
    EXPECT_THAT(rows.error().what, HasSubstr("ask: "));
  }
  EXPECT_TRUE(Query("SELECT count(*) FROM public.secrets").ok()) << "and goes on afterwards";
}

TEST_F(NodeSetWireTest, DoesNotQueueBehindAnExclusiveLock) {
  ASSERT_TRUE(server_->Sql("PREPARE p AS SELECT 1").ok());
  std::thread holder([] {
    EXPECT_TRUE(server_
                    ->Sql("BEGIN; LOCK TABLE secrets IN ACCESS EXCLUSIVE MODE;"
                          "SELECT pg_sleep(3); COMMIT")
                    .ok());
  });
  Result<Rows> rows = Query("SELECT name FROM public.secrets");
  const Deadline deadline = Deadline::After(clock_, seconds(10));
  while (rows.ok() && !deadline.Passed(clock_)) rows = Query("SELECT name FROM public.secrets");
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().code, Code::kAborted) << rows.error().ToString();
  holder.join();
}

TEST_F(NodeSetWireTest, StreamsMoreThanItKeeps) {
  struct Seen {
    int64_t rows = 0;
    int64_t sum = 0;
  };
  const NodeList list = List();
  ASSERT_EQ(list.nodes.size(), 1u);
  const Result<Seen> seen = Ask<Seen>(
      list.nodes[0], {Deadline::After(clock_, seconds(30)), seconds(10)}, {},
      [](Connection& connection) -> Result<Seen> {
        Seen all;
        const Status status = connection.Stream(
            "stream", "SELECT g, 'x' FROM generate_series(1, 123456) g", [&all](const Row& row) {
              ++all.rows;
              all.sum += row.Int(0).value_or(0);
            });
        if (!status.ok()) return status.error();
        return all;
      });
  ASSERT_TRUE(seen.ok()) << seen.error().ToString();
  EXPECT_EQ(seen->rows, 123456);
  EXPECT_EQ(seen->sum, int64_t{123456} * 123457 / 2);
  EXPECT_TRUE(Query("SELECT 1").ok());
}

TEST_F(NodeSetWireTest, AFailedStreamLeavesTheConnectionInOrder) {
  const NodeList list = List();
  const Result<int> answer = Ask<int>(
      list.nodes[0], {Deadline::After(clock_, seconds(30)), seconds(10)}, {},
      [](Connection& connection) -> Result<int> {
        const Status status = connection.Stream(
            "stream", "SELECT 1 / (1000 - g) FROM generate_series(1, 100000) g", [](const Row&) {});
        EXPECT_FALSE(status.ok());
        Result<Rows> after = connection.Query("after", "SELECT txid_current_if_assigned()");
        EXPECT_TRUE(after.ok());
        return 0;
      });
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(list.nodes[0].session->State().connects, 1u);
}

TEST_F(NodeSetWireTest, HoldsAnAdvisoryLockAgainstOthers) {
  Use({server_->conninfo("watcher"), server_->conninfo("watcher")});
  const NodeList list = List();
  ASSERT_EQ(list.nodes.size(), 2u);
  const JobLimits limits{Deadline::After(clock_, seconds(10)), seconds(3)};
  const auto take = [](Connection& connection) { return connection.TryLock(42); };
  EXPECT_EQ(*Ask<bool>(list.nodes[0], limits, {}, take), true);
  EXPECT_EQ(*Ask<bool>(list.nodes[0], limits, {}, take), true) << "it has it already";
  EXPECT_EQ(*Ask<bool>(list.nodes[1], limits, {}, take), false);
  const auto give = [](Connection& connection) -> Result<bool> {
    return connection.Unlock(42).ok();
  };
  EXPECT_EQ(*Ask<bool>(list.nodes[0], limits, {}, give), true);
  EXPECT_EQ(*Ask<bool>(list.nodes[1], limits, {}, take), true);
}

TEST_F(NodeSetWireTest, ComesBackAfterARestartAtTheNextQuestion) {
  ASSERT_TRUE(Query("SELECT 1").ok());
  ASSERT_TRUE(server_->Stop().ok());
  const Result<Rows> refused = Query("SELECT 1");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kUnavailable) << refused.error().ToString();
  ASSERT_TRUE(server_->Resume().ok());
  const Deadline deadline = Deadline::After(clock_, seconds(20));
  Result<Rows> again = Query("SELECT 1");
  while (!again.ok() && !deadline.Passed(clock_)) again = Query("SELECT 1");
  EXPECT_TRUE(again.ok()) << again.error().ToString();
}

TEST_F(NodeSetWireTest, AFrozenServerCostsTheDeadlineAndNoSecondConnection) {
  ASSERT_TRUE(Query("SELECT 1").ok());
  server_->Freeze();
  const SteadyTime begun = clock_.Steady();
  const Result<Rows> hung = Query("SELECT 1", milliseconds(300));
  const Duration took = clock_.Steady() - begun;
  server_->Thaw();
  ASSERT_FALSE(hung.ok());
  EXPECT_EQ(hung.error().code, Code::kDeadlineExceeded);
  EXPECT_LT(took, milliseconds(300) + milliseconds(100));
  const Deadline deadline = Deadline::After(clock_, seconds(20));
  Result<Rows> count = Query("SELECT 1");
  while (!count.ok() && !deadline.Passed(clock_)) count = Query("SELECT 1");
  ASSERT_TRUE(count.ok()) << count.error().ToString();
  do {
    count = Query("SELECT count(*) FROM pg_stat_activity WHERE usename = 'watcher'");
  } while (count.ok() && count->Int(0) != 1 && !deadline.Passed(clock_));
  EXPECT_EQ(count->Int(0), 1) << "the one that was broken off has ended";
}

TEST_F(NodeSetWireTest, APeerThatHangsWhileConnectingCostsTheDeadline) {
  for (const fakes::HangWay way : {fakes::HangWay::kAcceptOnly, fakes::HangWay::kNoAccept,
                                   fakes::HangWay::kDrip, fakes::HangWay::kReset}) {
    auto hung = fakes::HungServer::Start("127.0.0.1:0", way);
    ASSERT_TRUE(hung.ok());
    Use({"host=127.0.0.1 sslmode=disable user=x dbname=x port=" + std::to_string((*hung)->port())});
    const SteadyTime begun = clock_.Steady();
    const Result<Rows> answer = Query("SELECT 1", milliseconds(200));
    EXPECT_FALSE(answer.ok());
    EXPECT_LT(clock_.Steady() - begun, milliseconds(400));
  }
}

TEST_F(NodeSetWireTest, ReadsTheConnectionFileAgainAtEachConnect) {
  Use({"host=127.0.0.1 port=" + std::to_string(server_->port()) +
       " dbname=nowhere user=watcher sslmode=disable"});
  const Result<Rows> wrong = Query("SELECT 1");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, Code::kNotFound) << wrong.error().ToString();
  std::ofstream(options_.groups[0].conninfo_file) << server_->conninfo("watcher") << "\n";
  const Deadline deadline = Deadline::After(clock_, seconds(20));
  Result<Rows> right = Query("SELECT 1");
  while (!right.ok() && !deadline.Passed(clock_)) right = Query("SELECT 1");
  EXPECT_TRUE(right.ok()) << right.error().ToString();
}

TEST_F(NodeSetWireTest, EveryAddressIsANodeAndKeepsItsNumber) {
  const std::string port = std::to_string(server_->port());
  const std::string rest = " dbname=test user=watcher sslmode=disable";
  Use({"host=127.0.0.1," + server_->directory() + " port=" + port + rest});
  NodeList list = List();
  ASSERT_EQ(list.nodes.size(), 2u);
  EXPECT_EQ(list.nodes[0].name, "rw/0");
  EXPECT_EQ(list.nodes[1].name, "rw/1");
  const std::vector<Answer<Rows>> answers =
      AskEach<Rows>(list.nodes, {Deadline::After(clock_, seconds(10)), seconds(3)}, {},
                    [](Connection& connection) {
                      return connection.Query("ask", "SELECT inet_server_addr() IS NULL");
                    });
  ASSERT_TRUE(answers[0].result.ok()) << answers[0].result.error().ToString();
  ASSERT_TRUE(answers[1].result.ok()) << answers[1].result.error().ToString();
  EXPECT_NE(answers[0].result->Bool(0), answers[1].result->Bool(0)) << "TCP and a unix socket";

  const std::string kept = list.nodes[1].address;
  std::ofstream(options_.groups[0].conninfo_file)
      << (kept[0] == '/' ? "host=" + server_->directory() : std::string("host=127.0.0.1")) +
             " port=" + port + rest;
  list = List();
  ASSERT_EQ(list.nodes.size(), 2u) << "what is gone stays a fact";
  EXPECT_EQ(list.nodes[0].session, nullptr);
  ASSERT_NE(list.nodes[1].session, nullptr);
  EXPECT_EQ(list.nodes[1].address, kept);

  std::ofstream(options_.groups[0].conninfo_file) << "dbname=oops";
  list = List();
  ASSERT_EQ(list.problems.size(), 1u);
  EXPECT_THAT(list.problems[0].error.what, HasSubstr("no host"));
  EXPECT_NE(list.nodes[1].session, nullptr) << "a bad file takes no node away";
}

}  // namespace
}  // namespace spire_exporter::pg
