#include "collectors/skew/skew_judge.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "collectors/clients/spire/runway_facts.h"
#include "collectors/skew/skew_collector.h"
#include "collectors/skew/skew_families.h"

namespace spire_exporter::skew {
namespace {

using namespace std::chrono_literals;
using Agents = std::vector<std::pair<std::string, uint64_t>>;

class SkewJudgeTest : public ::testing::Test {
 protected:
  SkewView Judge(std::string server, std::string highest, int64_t schema = 25) {
    return Judge({std::move(server), Database(std::move(highest), schema), nullptr});
  }
  SkewView Judge(const Seen& seen) { return judge_.Judge(seen, clock_.Steady(), clock_.System()); }
  SkewView JudgeAgents(std::string server, Agents agents) {
    return Judge(
        {std::move(server), nullptr,
         std::make_shared<spire::AgentVersionsFact>(spire::AgentVersionsFact{std::move(agents)})});
  }
  static std::shared_ptr<const spire::SchemaVersionFact> Database(std::string highest,
                                                                  int64_t schema) {
    return std::make_shared<spire::SchemaVersionFact>(
        spire::SchemaVersionFact{schema, std::move(highest)});
  }

  ManualClock clock_;
  SkewJudge judge_{1h};
};

TEST_F(SkewJudgeTest, OneVersionEverywhereIsSettled) {
  const SkewView view = Judge("1.15.3", "1.15.3");
  EXPECT_EQ(view.roll, "settled");
  EXPECT_EQ(view.server_server.apart, 0);
  EXPECT_EQ(view.server_server.state, "supported");
  EXPECT_EQ(view.schema_code.apart, 0);
  EXPECT_EQ(view.schema_code.state, "supported");
  EXPECT_EQ(view.agent_server.state, "unknown") << "this process does not read the whole table";
  EXPECT_FALSE(view.agents.has_value());
}

TEST_F(SkewJudgeTest, WhatIsNotKnownIsUnknown) {
  const SkewView view = Judge(Seen{});
  EXPECT_EQ(view.roll, "unknown");
  for (const PairView* pair : {&view.server_server, &view.agent_server, &view.schema_code}) {
    EXPECT_EQ(pair->state, "unknown");
    EXPECT_EQ(pair->apart, std::nullopt);
    EXPECT_EQ(pair->since, std::nullopt);
  }
  EXPECT_EQ(Judge("dev", "1.15.3").server_server.state, "unknown");
  EXPECT_EQ(Judge("1.15.3", "").schema_code.state, "unknown");
}

// A roll of servers from 1.14 to 1.15, as the sidecar of the last one sees it.
TEST_F(SkewJudgeTest, APlannedRollIsNoFault) {
  EXPECT_EQ(Judge("1.14.2", "1.14.2", 23).roll, "settled");
  clock_.Advance(5min);
  SkewView view = Judge("1.14.2", "1.15.3", 25);
  EXPECT_EQ(view.roll, "rolling");
  EXPECT_EQ(view.server_server.apart, 1);
  EXPECT_EQ(view.server_server.state, "supported");
  EXPECT_EQ(view.schema_code.apart, 2);
  EXPECT_EQ(view.schema_code.state, "supported") << "from the next minor version";
  EXPECT_EQ(view.server_server.since, clock_.System());
  clock_.Advance(30min);
  view = Judge("1.14.2", "1.15.3", 25);
  EXPECT_EQ(view.roll, "rolling");
  EXPECT_EQ(view.server_server.since, clock_.System() - 30min);
  clock_.Advance(5min);
  view = Judge("1.15.3", "1.15.3", 25);
  EXPECT_EQ(view.roll, "settled");
  EXPECT_EQ(view.server_server.since, clock_.System());
}

TEST_F(SkewJudgeTest, ARollThatDoesNotEndLingers) {
  Judge("1.14.2", "1.14.2");
  Judge("1.14.2", "1.15.3");
  clock_.Advance(1h);
  EXPECT_EQ(Judge("1.14.2", "1.15.3").roll, "lingering");
  EXPECT_EQ(Judge("1.15.3", "1.15.3").roll, "settled");
}

TEST_F(SkewJudgeTest, AServerThatBecomesOlderIsRolledBackAtOnce) {
  Judge("1.8.0", "1.8.0", 23);
  const SkewView view = Judge("1.7.2", "1.8.0", 23);
  EXPECT_EQ(view.roll, "rolled_back");
  EXPECT_EQ(view.schema_code.apart, 1);
  EXPECT_EQ(view.schema_code.state, "supported");
  clock_.Advance(1s);
  EXPECT_EQ(Judge("1.7.2", "1.8.0", 23).roll, "rolled_back") << "and stays so";
  EXPECT_EQ(Judge(Seen{}).roll, "unknown");
  EXPECT_EQ(Judge("1.7.2", "1.8.0", 23).roll, "rolled_back") << "through a gap";
}

// The sidecar goes with its pod, so that the fall itself is not seen.
TEST_F(SkewJudgeTest, AServerThatIsOlderFromTheFirstLookOnIsRolledBackAfterAWhile) {
  EXPECT_EQ(Judge("1.7.2", "1.8.0", 23).roll, "rolling");
  clock_.Advance(1h);
  EXPECT_EQ(Judge("1.7.2", "1.8.0", 23).roll, "rolled_back");
}

TEST_F(SkewJudgeTest, ASkippedUpgradeIsUnsupported) {
  Judge("1.8.0", "1.8.0", 23);
  const SkewView view = Judge("1.8.0", "1.15.3", 25);
  EXPECT_EQ(view.server_server.apart, 7);
  EXPECT_EQ(view.server_server.state, "unsupported");
  EXPECT_EQ(view.schema_code.apart, 2);
  EXPECT_EQ(view.schema_code.state, "unsupported") << "it would not start again";
}

TEST_F(SkewJudgeTest, ASchemaThatTheCodeKnowsIsWellWhoeverRanBefore) {
  const SkewView view = Judge("1.9.6", "1.12.4", 23);
  EXPECT_EQ(view.schema_code.apart, 0);
  EXPECT_EQ(view.schema_code.state, "supported");
  EXPECT_EQ(view.server_server.state, "unsupported");
}

TEST_F(SkewJudgeTest, AVersionNewerThanWeKnowIsJudgedByItsNumbers) {
  SkewView view = Judge("1.17.0", "1.17.0", 27);
  EXPECT_EQ(view.schema_code.apart, 0) << "it wrote it";
  view = Judge("1.17.0", "1.18.0", 28);
  EXPECT_EQ(view.schema_code.apart, std::nullopt);
  EXPECT_EQ(view.schema_code.state, "supported");
  EXPECT_EQ(Judge("1.17.0", "1.19.0", 29).schema_code.state, "unsupported");
}

TEST_F(SkewJudgeTest, AServerThatDoesNotMigrateIsUnrecorded) {
  EXPECT_EQ(Judge("1.15.3", "1.14.2", 23).roll, "rolling");
  clock_.Advance(1h);
  const SkewView view = Judge("1.15.3", "1.14.2", 23);
  EXPECT_EQ(view.roll, "unrecorded");
  EXPECT_EQ(view.server_server.apart, -1);
  EXPECT_EQ(view.schema_code.apart, -2);
  EXPECT_EQ(view.schema_code.state, "supported");
}

TEST_F(SkewJudgeTest, AStepOfTheClockMakesNoRollOld) {
  Judge("1.14.2", "1.14.2");
  Judge("1.14.2", "1.15.3");
  clock_.StepSystem(100h);
  clock_.Advance(1min);
  EXPECT_EQ(Judge("1.14.2", "1.15.3").roll, "rolling");
  clock_.StepSystem(-300h);
  clock_.Advance(1min);
  EXPECT_EQ(Judge("1.14.2", "1.15.3").roll, "rolling");
}

TEST_F(SkewJudgeTest, AgentsOneMinorVersionBehindAreWell) {
  const SkewView view =
      JudgeAgents("1.15.3", {{"1.15.3", 5}, {"1.14.0", 7}, {"unknown", 2}, {"other", 1}});
  EXPECT_EQ(view.agent_server.state, "supported");
  EXPECT_EQ(view.agent_server.apart, 1);
  EXPECT_EQ(view.agents->fit, 12u);
  EXPECT_EQ(view.agents->unknown, 3u);
  EXPECT_EQ(view.oldest_agent->ToString(), "1.14.0");
  EXPECT_EQ(view.newest_agent->ToString(), "1.15.3");
}

TEST_F(SkewJudgeTest, OneAgentThatDoesNotFitIsEnough) {
  SkewView view = JudgeAgents("1.15.3", {{"1.15.3", 1000}, {"1.13.0", 1}});
  EXPECT_EQ(view.agent_server.state, "unsupported");
  EXPECT_EQ(view.agent_server.apart, 2);
  EXPECT_EQ(view.agents->too_old, 1u);
  view = JudgeAgents("1.14.0", {{"1.15.3", 2}, {"1.14.0", 3}});
  EXPECT_EQ(view.agent_server.state, "unsupported");
  EXPECT_EQ(view.agent_server.apart, -1);
  EXPECT_EQ(view.agents->newer, 2u);
  view = JudgeAgents("1.15.2", {{"1.15.3", 2}});
  EXPECT_EQ(view.agent_server.state, "unsupported") << "a patch version newer";
  EXPECT_EQ(view.agent_server.apart, 0);
  view = JudgeAgents("2.0.0", {{"1.15.3", 2}});
  EXPECT_EQ(view.agent_server.state, "unsupported");
  EXPECT_EQ(view.agent_server.apart, std::nullopt) << "minor versions do not tell it";
}

TEST_F(SkewJudgeTest, AgentsWithoutAVersionAreUnknown) {
  const SkewView view = JudgeAgents("1.15.3", {{"unknown", 40}});
  EXPECT_EQ(view.agent_server.state, "unknown");
  EXPECT_EQ(view.agents->unknown, 40u);
  EXPECT_EQ(JudgeAgents("", {{"1.15.3", 4}}).agents->unknown, 4u);
}

TEST_F(SkewJudgeTest, FamiliesStayWithinTheirBounds) {
  FamilyBuilder families;
  AddSkew(Judge({"1.15.3", Database("1.15.3", 25),
                 std::make_shared<spire::AgentVersionsFact>(
                     spire::AgentVersionsFact{{{"1.15.3", 1}, {"1.14.0", 1}}})}),
          families);
  size_t shown = 0;
  for (const Family& family : families.Take()) {
    EXPECT_LE(family.series.size(), family.description->series_max) << family.description->name;
    ++shown;
  }
  EXPECT_EQ(shown, SkewFamilies().size());
}

TEST(SkewCollectorTest, ReadsTheBoardAndForgetsWhatIsOld) {
  ManualClock clock;
  FactsBoard facts;
  facts.Publish(Fact::Make("server", clock.Steady(), spire::VersionFact{"1.14.2", "telemetry"}));
  facts.Publish(Fact::Make("datastore", clock.Steady(), spire::SchemaVersionFact{25, "1.15.3"}));
  facts.Publish(Fact::Make("agents", clock.Steady(), spire::AgentVersionsFact{{{"1.14.2", 3}}}));
  const auto collector = MakeSkewCollector({});
  const auto supported = [&] {
    auto reading = collector->Collect({Deadline::After(clock, 1s), {}, clock, facts});
    std::string states;
    for (const Family& family : reading->families.Take()) {
      if (family.description->name != "spire_version_skew_state") continue;
      for (const Series& series : family.series) {
        if (series.value == 1) states += std::string(series.labels->Get("state")) + " ";
      }
    }
    return states;
  };
  EXPECT_EQ(supported(), "supported supported supported ");
  clock.Advance(3min);
  EXPECT_EQ(supported(), "unknown unknown unknown ") << "the server has not spoken for long";
}

}  // namespace
}  // namespace spire_exporter::skew
