// Connections to a real PostgreSQL that break while it answers.
#include <gtest/gtest.h>

#include <fstream>

#include "collectors/clients/postgres/ask.h"
#include "collectors/clients/postgres/breaking_relay.h"
#include "collectors/clients/postgres/node_set.h"
#include "collectors/clients/postgres/test_postgres.h"

namespace spire_exporter::pg {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Case {
  BreakWay way;
  int64_t after_bytes;  // of the answer
  bool stream;
};

class BrokenConnectionWireTest : public ::testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() {
    auto server = TestPostgres::Start();
    ASSERT_TRUE(server.ok()) << server.error().ToString();
    server_ = std::move(*server);
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    auto relay = BreakingRelay::Start(server_->port());
    ASSERT_TRUE(relay.ok()) << relay.error().ToString();
    relay_ = std::move(*relay);
    const std::string path = ::testing::TempDir() + "/relayed." + std::to_string(getpid());
    std::ofstream(path) << "host=127.0.0.1 dbname=test user=postgres sslmode=disable port="
                        << relay_->port() << "\n";
    ClientOptions options;
    options.connect_timeout = seconds(2);
    options.groups.push_back({"rw", path, Expect::kAny});
    nodes_.Configure(options);
    list_ = nodes_.List(Duration::zero(), Deadline::After(clock_, seconds(10)), {});
    ASSERT_EQ(list_.nodes.size(), 1u);
  }

  // How many rows came.
  Result<int64_t> Ask(bool stream, Duration within) {
    return pg::Ask<int64_t>(
        list_.nodes[0], {Deadline::After(clock_, within), seconds(3)}, {},
        [stream](Connection& connection) -> Result<int64_t> {
          int64_t rows = 0;
          const auto count = [&rows](const Row&) { ++rows; };
          if (stream) {
            const Status all =
                connection.Stream("stream", "SELECT g FROM generate_series(1, 50000) g", count);
            if (!all.ok()) return all.error();
            return rows;
          }
          const auto all = connection.Query("query", "SELECT g FROM generate_series(1, 5000) g");
          if (!all.ok()) return all.error();
          all->ForEach(count);
          return rows;
        });
  }

  static std::unique_ptr<TestPostgres> server_;
  const RealClock clock_{};
  NullLogger logger_;
  std::unique_ptr<BreakingRelay> relay_;
  NodeSet nodes_{clock_, logger_};
  NodeList list_;
};
std::unique_ptr<TestPostgres> BrokenConnectionWireTest::server_;

TEST_P(BrokenConnectionWireTest, TheCallerHasItsErrorByTheDeadlineAndTheSessionRecovers) {
  const Case& broken = GetParam();
  const int64_t all = broken.stream ? 50'000 : 5'000;
  const auto well = Ask(broken.stream, seconds(10));
  ASSERT_TRUE(well.ok()) << well.error().ToString();
  ASSERT_EQ(*well, all);

  relay_->Break(broken.way, broken.after_bytes);
  const SteadyTime begun = clock_.Steady();
  const auto answer = Ask(broken.stream, milliseconds(300));
  const Duration took = clock_.Steady() - begun;
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(CodeName(answer.error().code),
            CodeName(broken.way == BreakWay::kReset ? Code::kUnavailable : Code::kDeadlineExceeded))
      << answer.error().ToString();
  EXPECT_LT(took, milliseconds(300) + milliseconds(200));

  relay_->Mend();
  const Deadline deadline = Deadline::After(clock_, seconds(20));
  auto again = Ask(broken.stream, seconds(10));
  while (!again.ok() && !deadline.Passed(clock_)) again = Ask(broken.stream, seconds(10));
  ASSERT_TRUE(again.ok()) << again.error().ToString();
  EXPECT_EQ(*again, all);
  EXPECT_GE(list_.nodes[0].session->State().connects, 2u) << "a broken one is never used again";
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const BreakWay way : {BreakWay::kStall, BreakWay::kDrip, BreakWay::kReset}) {
    for (const int64_t after : {0, 3000}) {
      for (const bool stream : {false, true}) cases.push_back({way, after, stream});
    }
  }
  return cases;
}

std::string NameOf(const ::testing::TestParamInfo<Case>& info) {
  static constexpr const char* kWays[] = {"Stall", "Drip", "Reset"};
  return std::string(kWays[static_cast<size_t>(info.param.way)]) +
         (info.param.after_bytes == 0 ? "AtOnce" : "MidAnswer") +
         (info.param.stream ? "OfAStream" : "OfAQuery");
}

INSTANTIATE_TEST_SUITE_P(Ways, BrokenConnectionWireTest, ::testing::ValuesIn(Cases()), NameOf);

}  // namespace
}  // namespace spire_exporter::pg
