#include "collectors/spire_config/spire_config_module.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>

#include "collectors/clients/spire/runway_facts.h"
#include "exporter/base/clock.h"
#include "exporter/base/config_node.h"

namespace spire_exporter {
namespace {

const char kGolden[] = HOUSE_SOURCE_DIR "/collectors/spire_config/golden/config.txt";

std::string Show(FamilyList families) {
  std::string out;
  for (const Family& family : families) {
    for (const Series& series : family.series) {
      out += std::string(family.description->name) + "{" + std::string(series.labels->rendered()) +
             "} ";
      std::ostringstream value;
      value.precision(17);
      value << series.value;
      out += value.str() + "\n";
    }
  }
  return out;
}

class SpireConfigModuleTest : public testing::Test {
 protected:
  ConfigNode Config(std::string server, std::string agent) {
    ConfigNode config = ConfigNode::Map("", "", {});
    if (!server.empty()) config = config.With("spire_config.server", "flag", server);
    if (!agent.empty()) config = config.With("spire_config.agent", "flag", agent);
    return config.With("telemetry.scrape.url", "flag", "http://127.0.0.1:9988/");
  }
  std::unique_ptr<Module> Make() { return entry_.make({clock_, logger_, Role::kServer}); }
  Reading Collect(Collector& target) {
    Result<Reading> reading =
        target.Collect({Deadline::After(clock_, std::chrono::seconds(5)), {}, clock_, facts_});
    EXPECT_TRUE(reading.ok());
    for (Fact& fact : reading->facts) facts_.Publish(std::move(fact));
    return *std::move(reading);
  }

  const std::string data_ = HOUSE_TESTDATA "/spire_config/";
  const CatalogEntry& entry_ = SpireConfigCatalogEntry();
  RealClock clock_;
  NullLogger logger_;
  FactsBoard facts_;
};

TEST_F(SpireConfigModuleTest, WatchesNothingUnlessToldWhereItIs) {
  const std::unique_ptr<Module> module = Make();
  ASSERT_TRUE(module->Apply(ConfigNode::Map("", "", {})).ok());
  EXPECT_TRUE(module->Targets().empty());
}

TEST_F(SpireConfigModuleTest, ShowsBothFilesAsInTheGoldenPage) {
  const std::unique_ptr<Module> module = Make();
  ASSERT_TRUE(module->Apply(Config(data_ + "server.conf", data_ + "agent.conf")).ok());
  std::string page;
  for (const auto& target : module->Targets()) page += Show(Collect(*target).families.Take());
  if (getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(kGolden) << page;
  std::ifstream file(kGolden);
  const std::string golden{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(page, golden) << "UPDATE_GOLDEN=1 rewrites golden/config.txt";
  for (const char* secret : {"secret", "spiffe://", "f00d", "other.test", "/bin", "/run"}) {
    EXPECT_EQ(page.find(secret), std::string::npos) << secret;
  }
}

TEST_F(SpireConfigModuleTest, PublishesWhatOthersGoBy) {
  const std::unique_ptr<Module> module = Make();
  ASSERT_TRUE(module->Apply(Config(data_ + "server.conf", data_ + "agent.conf")).ok());
  for (const auto& target : module->Targets()) (void)Collect(*target);
  const auto server = facts_.Latest<spire::SpireConfigFact>("server");
  const auto agent = facts_.Latest<spire::SpireConfigFact>("agent");
  ASSERT_TRUE(server && agent);
  EXPECT_EQ(server->value->agent_ttl, std::chrono::hours(6));
  EXPECT_EQ(server->value->trust_domain, "example.org");
  EXPECT_EQ(agent->value->node_attestor, "k8s_psat");
  EXPECT_EQ(agent->value->rebootstrap, "auto");
  EXPECT_EQ(agent->value->server_port, "443");
  EXPECT_EQ(agent->value->trust_bundle_path, "/run/spire/bundle/bundle.crt");
}

TEST_F(SpireConfigModuleTest, SaysWhyAFileCannotBeRead) {
  const std::unique_ptr<Module> module = Make();
  ASSERT_TRUE(module->Apply(Config(data_ + "none.conf", "")).ok());
  const auto targets = module->Targets();
  ASSERT_EQ(targets.size(), 1U);
  Reading reading = Collect(*targets[0]);
  EXPECT_FALSE(reading.problem.ok());
  EXPECT_TRUE(reading.facts.empty());
  const std::string page = Show(reading.families.Take());
  EXPECT_NE(page.find("state=\"missing\"} 1"), std::string::npos) << page;
  EXPECT_EQ(page.find("spire_config_findings"), std::string::npos);
}

TEST_F(SpireConfigModuleTest, ChecksWhatIsConfigured) {
  const auto lines = Make()->Check(Config(data_ + "server.conf", data_ + "none.conf"),
                                   Deadline::After(clock_, std::chrono::seconds(1)));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines[0].good) << lines[0].detail;
  EXPECT_NE(lines[0].detail.find("admin_ids"), std::string::npos) << lines[0].detail;
  EXPECT_FALSE(lines[1].good);
  EXPECT_NE(lines[1].remedy, "");
}

TEST_F(SpireConfigModuleTest, TellsWhichKeysAnAgentsSidecarLacks) {
  const Deadline deadline = Deadline::After(clock_, std::chrono::seconds(1));
  ConfigNode config = Config("", data_ + "agent.conf");
  const auto lines = Make()->Check(config, deadline);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(lines[1].good);
  EXPECT_EQ(
      lines[1].detail,
      "not looked at for want of a key: the servers (svid.server.address: "
      "spire-server.spire-server:443), new signatures (svid.canary.socket), the agent's cache "
      "(agent.admin_socket)");
  config = config.With("svid.server.address", "flag", "spire-server:8081")
               .With("svid.canary.socket", "flag", "unix:///run/agent.sock")
               .With("agent.admin_socket", "flag", "unix:///run/admin.sock");
  EXPECT_EQ(Make()->Check(config, deadline).size(), 1U);
}

TEST_F(SpireConfigModuleTest, RefusesUnknownKeys) {
  const ConfigNode config =
      ConfigNode::Map("", "", {}).With("spire_config.sever", "f.yaml:1:1", "x");
  EXPECT_FALSE(entry_.validate(config, Role::kServer).ok());
}

}  // namespace
}  // namespace spire_exporter
