#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "collectors/clients/http/test_peer.h"
#include "collectors/clients/postgres/node_facts.h"
#include "collectors/clients/spire/runway_facts.h"
#include "collectors/server/health_collector.h"
#include "collectors/server/server_module.h"
#include "exporter/base/logger.h"

namespace spire_exporter::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kWell =
    R"({"catalog.datastore":{},"server":{},"server.ca":{},"server.ca.rotator":{}})";
const std::string kIll =
    R"({"catalog.datastore":{"list_bundle_err":"dial tcp db.internal:5432"},)"
    R"("server":{"get_bundle_err":"x"},"server.ca":{},"server.ca.rotator":{}})";

std::string Reply(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\n" +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string Show(FamilyList families) {
  std::string out;
  for (const Family& family : families) {
    for (const Series& series : family.series) {
      if (family.description->type == MetricType::kStateSet && series.value == 0) continue;
      out += std::string(family.description->name) + "{" + std::string(series.labels->rendered()) +
             "} " + std::to_string(static_cast<int64_t>(series.value)) + "\n";
    }
  }
  return out;
}

class HealthWireTest : public testing::Test {
 protected:
  std::unique_ptr<Collector> Make(const std::string& url) {
    ServerOptions options;
    options.health_url = url.substr(0, url.size() - 1);
    options.databases = {"rw"};
    return MakeHealthCollector(options);
  }
  Reading Collect(Collector& collector, Duration timeout = seconds(5)) {
    const SteadyTime began = clock_.Steady();
    auto reading = collector.Collect({Deadline::After(clock_, timeout), {}, clock_, facts_});
    took_ = clock_.Steady() - began;
    EXPECT_TRUE(reading.ok());
    return reading.ok() ? *std::move(reading) : Reading();
  }
  void Serves(uint64_t serving) {
    spire::ServersFact fact;
    fact.addresses = 1;
    fact.serving = serving;
    facts_.Publish(Fact::Make("servers", clock_.Steady(), fact));
  }
  void Database(bool writable) {
    facts_.Publish(
        Fact::Make("rw/0", clock_.Steady(), pg::NodeStanding{writable, writable, {}, writable}));
  }

  RealClock clock_;
  FactsBoard facts_;
  Duration took_{};
};

TEST_F(HealthWireTest, TellsADatabaseThatIsDownFromAServerThatIsBroken) {
  TestPeer peer(Answers(Reply(500, kIll)));
  const auto collector = Make(peer.url());
  Serves(0);
  Database(false);
  Reading reading = Collect(*collector);
  EXPECT_TRUE(reading.problem.ok());
  std::string page = Show(reading.families.Take());
  EXPECT_NE(page.find("spire_local_server_state{state=\"database\"} 1"), std::string::npos) << page;
  EXPECT_NE(page.find("subsystem_failing{subsystem=\"catalog.datastore\"} 1"), std::string::npos);
  EXPECT_NE(page.find("subsystem_failing{subsystem=\"server.ca\"} 0"), std::string::npos);
  EXPECT_NE(page.find("liveness_kill_timestamp_seconds{bound=\"latest\"}"), std::string::npos);
  EXPECT_EQ(page.find("db.internal"), std::string::npos);
  Database(true);
  page = Show(Collect(*collector).families.Take());
  EXPECT_NE(page.find("spire_local_server_state{state=\"server_broken\"} 1"), std::string::npos);
}

TEST_F(HealthWireTest, ContradictsAServerThatLiesBothWays) {
  {
    TestPeer peer(Answers(Reply(200, kWell)));
    const auto collector = Make(peer.url());
    Serves(0);
    Database(false);
    const std::string page = Show(Collect(*collector).families.Take());
    EXPECT_NE(page.find("health_agreement{state=\"says_well\"} 1"), std::string::npos) << page;
    EXPECT_NE(page.find("spire_local_server_state{state=\"database\"} 1"), std::string::npos);
  }
  TestPeer peer(Answers(Reply(500, kIll)));
  const auto collector = Make(peer.url());
  Serves(1);
  Database(true);
  const std::string page = Show(Collect(*collector).families.Take());
  EXPECT_NE(page.find("health_agreement{state=\"says_ill\"} 1"), std::string::npos) << page;
  EXPECT_NE(page.find("spire_local_server_state{state=\"healthy\"} 1"), std::string::npos);
}

TEST_F(HealthWireTest, DoesNotTrustOldEvidence) {
  TestPeer peer(Answers(Reply(200, kWell)));
  const auto collector = Make(peer.url());
  spire::ServersFact fact;
  fact.addresses = 1;
  facts_.Publish(Fact::Make("servers", clock_.Steady() - std::chrono::minutes(2), fact));
  const std::string page = Show(Collect(*collector).families.Take());
  EXPECT_NE(page.find("health_agreement{state=\"unknown\"} 1"), std::string::npos) << page;
  EXPECT_NE(page.find("spire_local_server_state{state=\"healthy\"} 1"), std::string::npos);
}

TEST_F(HealthWireTest, EndsAtTheDeadlineWhateverThePeerDoes) {
  TestPeer silent([](int fd) { WaitForClose(fd); });
  Reading reading = Collect(*Make(silent.url()), milliseconds(300));
  EXPECT_FALSE(reading.problem.ok());
  std::string page = Show(reading.families.Take());
  EXPECT_NE(page.find("health_state{check=\"live\",state=\"timeout\"} 1"), std::string::npos);
  EXPECT_NE(page.find("health_state{check=\"ready\",state=\"timeout\"} 1"), std::string::npos);
  EXPECT_LT(took_, milliseconds(400));

  TestPeer drips(Drips("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n{", " "));
  page = Show(Collect(*Make(drips.url()), milliseconds(300)).families.Take());
  EXPECT_NE(page.find("{check=\"ready\",state=\"timeout\"} 1"), std::string::npos) << page;
  EXPECT_LT(took_, milliseconds(400));

  TestPeer endless(Answers(Reply(200, std::string(size_t{1} << 20, ' '))));
  page = Show(Collect(*Make(endless.url())).families.Take());
  EXPECT_NE(page.find("{check=\"ready\",state=\"foreign\"} 1"), std::string::npos) << page;

  TestPeer resets(Resets);
  page = Show(Collect(*Make(resets.url())).families.Take());
  EXPECT_NE(page.find("{check=\"ready\",state=\"unreachable\"} 1"), std::string::npos) << page;
}

TEST_F(HealthWireTest, ChecksInOneLine) {
  NullLogger logger;
  const auto module = ServerCatalogEntry().make({clock_, logger, Role::kServer});
  TestPeer peer(Answers(Reply(500, kIll)));
  const ConfigNode config =
      ConfigNode::Map("", "", {}).With("server.health_url", "flag", peer.url());
  const auto lines = module->Check(config, Deadline::After(clock_, seconds(5)));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_FALSE(lines[0].good);
  EXPECT_EQ(lines[0].detail, "the server says that it is not ready: catalog.datastore, server");
  EXPECT_NE(lines[0].remedy.find("database"), std::string::npos);
}

TEST(ServerOptionsTest, IsOnBesideAServerAloneAndStrict) {
  const auto read = [](Role role, std::string_view key, std::string value) {
    ServerOptions options;
    ConfigNode config = ConfigNode::Map("", "", {});
    if (!key.empty()) config = config.With(key, "f:1:1", std::move(value));
    const Status status = ReadServerOptions(config, role, &options);
    return status.ok() ? options.health_url : status.error().ToString();
  };
  EXPECT_EQ(read(Role::kServer, "", ""), "http://127.0.0.1:8080");
  EXPECT_EQ(read(Role::kAgent, "", ""), "");
  EXPECT_EQ(read(Role::kServer, "server.health_url", "http://a:1/"), "http://a:1");
  EXPECT_NE(read(Role::kServer, "server.health_url", "http://a:1/live").find("path"),
            std::string::npos);
  EXPECT_NE(read(Role::kServer, "server.health_urll", "x").find("health_url"), std::string::npos);
  EXPECT_NE(read(Role::kServer, "server.live_path", "live").find("live_path"), std::string::npos);
  EXPECT_NE(read(Role::kServer, "server.liveness.failures", "-1").find("failures"),
            std::string::npos);
}

}  // namespace
}  // namespace spire_exporter::server
