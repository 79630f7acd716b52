// The counting and the election of the survey, without a database.
#include <gtest/gtest.h>

#include "collectors/clients/postgres/node_facts.h"
#include "collectors/datastore/agent_tally.h"
#include "collectors/datastore/election.h"

namespace spire_exporter::datastore {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr int64_t kNow = 1'800'000'000;

std::shared_ptr<const spiffe::ClassMap> Classes(const std::vector<spiffe::ClassOptions>& options) {
  return std::make_shared<const spiffe::ClassMap>(*spiffe::ClassMap::Make(options));
}

TEST(AgentTallyTest, TellsTheStatesByTheLifetime) {
  AgentTally tally(Classes({}), kNow, 3600);
  for (const int64_t remaining : {3600, 1440, 1439, 600, 599, 0, -1, -600, -601}) {
    tally.Add(kNow + remaining, "x509pop", "1.15.3", "spiffe://example.org/spire/agent/a");
  }
  const AgentCounts counts = tally.Finish();
  EXPECT_EQ(counts.active, 2u);
  EXPECT_EQ(counts.overdue, 4u);
  EXPECT_EQ(counts.lapsed, 2u);
  EXPECT_EQ(counts.expiring, 2u);
  EXPECT_EQ(counts.remaining.histogram->count, 6u);
  EXPECT_DOUBLE_EQ(counts.remaining.histogram->sum, 3600 + 1440 + 1439 + 600 + 599);
  ASSERT_TRUE(counts.ratio);
  EXPECT_EQ(counts.ratio->histogram->count, 6u);
  EXPECT_DOUBLE_EQ(*counts.ratio->max, 1);
  EXPECT_DOUBLE_EQ(*counts.ratio->min, 0);
  // Bounds are 0.1, 0.2, 0.3, 0.4: what is overdue is below the last of them.
  EXPECT_EQ(counts.ratio->histogram->cumulative.at(3), 5u);  // 1440 is 0.4 itself
}

TEST(AgentTallyTest, WithoutTheLifetimeNothingIsOverdueAndThatIsNotZero) {
  AgentTally tally(Classes({}), kNow, {});
  tally.Add(kNow + 1, "x509pop", "", "spiffe://example.org/spire/agent/a");
  const AgentCounts counts = tally.Finish();
  EXPECT_EQ(counts.active, 1u);
  EXPECT_FALSE(counts.overdue);
  EXPECT_FALSE(counts.ratio);
}

TEST(AgentTallyTest, TheHorizonHoldsTheAgentsOfTheLastRenewal) {
  // SPIRE stopped half an hour ago: an agent has ended since, a machine was gone before.
  AgentTally tally(Classes({{"all", "spiffe://example.org/spire/agent/*"}}), kNow, 3600,
                   kNow - 1800);
  for (const int64_t remaining : {1800, -300, -361, -1000}) {
    tally.Add(kNow + remaining, "x509pop", "", "spiffe://example.org/spire/agent/a");
  }
  const AgentCounts counts = tally.Finish();
  const auto at = [](int64_t remaining) {
    return spire::UnixTime(std::chrono::seconds(kNow + remaining));
  };
  using Groups = std::vector<spire::Horizon::Group>;
  EXPECT_EQ(counts.horizon.groups, (Groups{{at(-300), 1}, {at(1800), 1}}));
  ASSERT_EQ(counts.horizon.classes.size(), 1u);
  EXPECT_EQ(counts.horizon.classes[0], (spire::Horizon::ClassEnd{"all", at(-300), 2}));
  EXPECT_EQ(counts.active, 1u);
}

TEST(AgentTallyTest, CountsTheLivingByVersionAttestorClusterAndClass) {
  AgentTally tally(Classes({{"east", "spiffe://example.org/spire/agent/k8s_psat/east/*"}}), kNow,
                   3600);
  tally.Add(kNow + 9, "k8s_psat", "1.15.3", "spiffe://example.org/spire/agent/k8s_psat/east/1");
  tally.Add(kNow + 9, "k8s_psat", "1.14.0", "spiffe://example.org/spire/agent/k8s_psat/west/2");
  tally.Add(kNow + 9, "x509pop", "", "spiffe://example.org/spire/agent/x509pop/3");
  tally.Add(kNow - 9, "x509pop", "0.1", "spiffe://example.org/spire/agent/x509pop/4");
  const AgentCounts counts = tally.Finish();
  using Names = std::vector<std::pair<std::string, uint64_t>>;
  EXPECT_EQ(counts.versions, (Names{{"unknown", 1}, {"1.14.0", 1}, {"1.15.3", 1}}));
  EXPECT_EQ(counts.attestors, (Names{{"k8s_psat", 2}, {"x509pop", 1}}));
  EXPECT_EQ(counts.clusters, (Names{{"east", 1}, {"west", 1}}));
  EXPECT_EQ(counts.classes, (std::vector<uint64_t>{1, 2}));
}

TEST(AgentTallyTest, AMillionAgentsOfRandomLifetimesAreAllThere) {
  AgentTally tally(Classes({}), kNow, 86'400);
  uint64_t state = 7;
  double sum = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const auto remaining = static_cast<int64_t>((state >> 33) % 86'400);
    sum += static_cast<double>(remaining);
    tally.Add(kNow + remaining, "a", "b", "");
  }
  const AgentCounts counts = tally.Finish();
  EXPECT_EQ(counts.active + *counts.overdue, 1'000'000u);
  EXPECT_EQ(counts.remaining.histogram->count, 1'000'000u);
  EXPECT_DOUBLE_EQ(counts.remaining.histogram->sum, sum);
  EXPECT_EQ(counts.ratio->histogram->count, 1'000'000u);
  EXPECT_NEAR(counts.ratio->histogram->sum, sum / 86'400, 1e-3);
}

TEST(NameCountsTest, KeepsTheMostFrequentAndTheRestIsOther) {
  NameCounts names;
  for (int i = 0; i < 5000; ++i) names.Add("v" + std::to_string(i));
  for (int i = 0; i < 10; ++i) names.Add("v7");
  const auto top = names.Top(4);
  ASSERT_EQ(top.size(), 4u);
  EXPECT_EQ(top[0], (std::pair<std::string, uint64_t>("v7", 11)));
  EXPECT_EQ(top[3].first, "other");
  uint64_t all = 0;
  for (const auto& [name, count] : top) all += count;
  EXPECT_EQ(all, 5010u);
}

TEST(NameCountsTest, AsManyAsThereMayBeAreAllTold) {
  NameCounts names;
  for (const char* const name : {"a", "b", "c", "d"}) names.Add(name);
  EXPECT_EQ(names.Top(4).size(), 4u);
  EXPECT_EQ(names.Top(4)[3].first, "d");
  EXPECT_EQ(names.Top(3)[2], (std::pair<std::string, uint64_t>("other", 2)));
}

TEST(NameCountsTest, LongNamesAreCut) {
  NameCounts names;
  names.Add(std::string(1000, 'x'));
  EXPECT_EQ(names.Top(4)[0].first.size(), 64u);
}

class ElectionTest : public ::testing::Test {
 protected:
  static pg::Answer<Candidate> Node(const std::string& name, Result<Candidate> result) {
    return {pg::Node{name, name.substr(0, 2), pg::Expect::kAny, "", nullptr}, std::move(result)};
  }
  void Standing(const std::string& node, bool fresh, SteadyTime at) {
    facts_.Publish(Fact::Make(node, at, pg::NodeStanding{true, false, {}, fresh}));
  }
  FactsBoard facts_;
  SteadyTime now_{seconds(1000)};
};

TEST_F(ElectionTest, WhoHasTheLockIsElected) {
  const Election mine = Elect({Node("rw/0", Candidate{false, true})}, facts_, now_);
  EXPECT_EQ(mine.state, "elected");
  EXPECT_EQ(mine.primary->name, "rw/0");
  EXPECT_FALSE(mine.fresh_standby);
  EXPECT_FALSE(mine.has_standby);
  EXPECT_EQ(Elect({Node("rw/0", Candidate{false, false})}, facts_, now_).state, "not_elected");
  // Both names lead to the primary, and the other session has it.
  EXPECT_EQ(Elect({Node("rw/0", Candidate{false, false}), Node("ro/0", Candidate{false, true})},
                  facts_, now_)
                .state,
            "elected");
}

TEST_F(ElectionTest, WithoutAPrimaryNobodyIs) {
  const Election none = Elect({Node("rw/0", Error{Code::kUnavailable, "gone", "", true}),
                               Node("ro/0", Candidate{true, false})},
                              facts_, now_);
  EXPECT_EQ(none.state, "no_primary");
  EXPECT_NE(none.problem.error().what.find("rw/0: gone"), std::string::npos);
}

TEST_F(ElectionTest, AStandbyIsReadWhenItWasFreshLately) {
  const auto elect = [&] {
    return Elect({Node("rw/0", Candidate{false, true}), Node("ro/0", Candidate{true, false}),
                  Node("ro/1", Candidate{true, false})},
                 facts_, now_);
  };
  EXPECT_TRUE(elect().has_standby);
  EXPECT_FALSE(elect().fresh_standby);
  Standing("ro/0", false, now_);
  Standing("ro/1", true, now_ - minutes(2));
  EXPECT_FALSE(elect().fresh_standby);
  Standing("ro/1", true, now_ - seconds(30));
  ASSERT_TRUE(elect().fresh_standby);
  EXPECT_EQ(elect().fresh_standby->name, "ro/1");
}

}  // namespace
}  // namespace spire_exporter::datastore
