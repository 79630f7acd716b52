#include "collectors/datastore/agents_horizon.h"

#include <gtest/gtest.h>

#include "collectors/datastore/agent_tally.h"

namespace spire_exporter::datastore {
namespace {

spire::UnixTime At(int64_t time) {
  return spire::UnixTime(std::chrono::seconds(time));
}
using Groups = std::vector<spire::Horizon::Group>;

TEST(AgentsHorizonTest, FewAgentsAreAllKnown) {
  const auto horizon = AgentsHorizon(FirstAgents{{100, 100, 130}, true}, {}, nullptr);
  ASSERT_TRUE(horizon.has_value());
  EXPECT_TRUE(horizon->whole);
  EXPECT_EQ(horizon->groups, (Groups{{At(100), 2}, {At(130), 1}}));
}

TEST(AgentsHorizonTest, OfManyTheSurveyKnowsTheRest) {
  spire::Horizon surveyed;
  surveyed.groups = {{At(90), 4}, {At(100), 1}, {At(500), 7}};
  const FirstAgents first{{100, 130}, false};
  EXPECT_FALSE(AgentsHorizon(first, {}, nullptr)->whole);
  const auto horizon = AgentsHorizon(first, {}, &surveyed);
  EXPECT_TRUE(horizon->whole);
  EXPECT_EQ(horizon->groups, (Groups{{At(100), 1}, {At(130), 1}, {At(500), 7}}));
}

TEST(AgentsHorizonTest, WithoutTheRightToSeeBansTheFirstIsAllThereIs) {
  const auto horizon = AgentsHorizon({}, AgentExpiries{100.5, 50.0, 900.0}, nullptr);
  EXPECT_FALSE(horizon->whole);
  EXPECT_EQ(horizon->groups, (Groups{{At(100), 1}}));
  EXPECT_FALSE(AgentsHorizon({}, {}, nullptr).has_value());
  EXPECT_FALSE(AgentsHorizon(FirstAgents{{}, true}, {}, nullptr).has_value());
}

TEST(AgentsHorizonTest, ASurveyTellsSecondsAndTheClassesThatGoFirst) {
  const std::vector<spiffe::ClassOptions> options = {
      {"pay", "spiffe://example.org/spire/agent/x509pop/pay-*"},
      {"web", "spiffe://example.org/spire/agent/x509pop/web-*"}};
  AgentTally tally(std::make_shared<const spiffe::ClassMap>(*spiffe::ClassMap::Make(options)), 1000,
                   3600);
  const std::string home = "spiffe://example.org/spire/agent/x509pop/";
  tally.Add(1500, "x509pop", "", home + "pay-1");
  tally.Add(1500, "x509pop", "", home + "pay-2");
  tally.Add(1200, "x509pop", "", home + "web-1");
  tally.Add(990, "x509pop", "", home + "web-2");
  tally.Add(99'000, "x509pop", "", home + "web-3");
  tally.Add(98'000, "x509pop", "", home + "web-4");
  const spire::Horizon horizon = tally.Finish().horizon;
  EXPECT_EQ(horizon.groups, (Groups{{At(1200), 1}, {At(1500), 2}, {At(98'000), 2}}));
  ASSERT_EQ(horizon.classes.size(), 2u);
  EXPECT_EQ(horizon.classes[0], (spire::Horizon::ClassEnd{"web", At(1200), 3}));
  EXPECT_EQ(horizon.classes[1].name, "pay");
}

}  // namespace
}  // namespace spire_exporter::datastore
