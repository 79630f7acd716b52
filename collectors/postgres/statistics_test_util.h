// A real PostgreSQL with tables named as SPIRE's, and sessions that hold and wait for locks. Tests
// include it.
#ifndef COLLECTORS_POSTGRES_STATISTICS_TEST_UTIL_H_
#define COLLECTORS_POSTGRES_STATISTICS_TEST_UTIL_H_

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/clients/postgres/node_set.h"
#include "collectors/clients/postgres/test_postgres.h"
#include "collectors/postgres/statistics_collector.h"
#include "collectors/postgres/statistics_scope.h"

namespace spire_exporter::postgres {

// A client that runs statements beside the test, which goes on at once.
class Client {
 public:
  Client(const pg::TestPostgres& server, const std::string& statements, const std::string& user)
      : psql_(popen(("psql -XAtq -v ON_ERROR_STOP=1 -h 127.0.0.1 -d test -U " + user + " -p " +
                     std::to_string(server.port()) + " >/dev/null")
                        .c_str(),
                    "we")) {
    EXPECT_NE(psql_, nullptr);
    std::fputs((statements + ";\n").c_str(), psql_);
    std::fflush(psql_);
  }
  // Waits until the statements are done; a transaction that is open then is rolled back.
  ~Client() { EXPECT_EQ(pclose(psql_), 0); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

 private:
  FILE* const psql_;
};

class StatisticsWireTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto server = pg::TestPostgres::Start("max_connections = 40");
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
    options.timeout = std::chrono::seconds(10);
    collector_ = MakeStatisticsCollector(options, nodes_);
  }

  Status Round(Duration within = std::chrono::seconds(10)) {
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

  // A client that may have to wait for another one: it is waited for after the test, whose own
  // clients are gone then.
  void Beside(const pg::TestPostgres& server, const std::string& statements,
              const std::string& user) {
    waiters_.push_back(std::make_unique<Client>(server, statements, user));
  }

  // Rounds until it holds, for at most ten seconds.
  bool Until(const std::function<bool()>& holds) {
    const Deadline deadline = Deadline::After(clock_, std::chrono::seconds(10));
    do {
      const Status problem = Round();
      if (holds()) return true;
      poll(nullptr, 0, 20);
    } while (!deadline.Passed(clock_));
    return false;
  }

  static inline std::unique_ptr<pg::TestPostgres> server_;
  const RealClock clock_;
  NullLogger logger_;
  FactsBoard facts_;
  std::shared_ptr<pg::NodeSet> nodes_ = std::make_shared<pg::NodeSet>(clock_, logger_);
  std::unique_ptr<Collector> collector_;
  FamilyList families_;
  std::vector<std::unique_ptr<Client>> waiters_;
};

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_STATISTICS_TEST_UTIL_H_
