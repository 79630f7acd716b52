#include "tests/fakes/simulator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/fakes/numbers.h"
#include "tests/fakes/recording_writer.h"

namespace spire_exporter::fakes {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class SimulatorTest : public testing::Test {
 protected:
  SimulatorTest() { options_.streams = {"udp"}; }

  void Start() {
    auto simulator =
        Simulator::Start(options_, clock_, &truth_, DialRecording(&recording_, clock_));
    ASSERT_TRUE(simulator.ok()) << simulator.error().ToString();
    simulator_ = std::move(simulator).value();
  }
  void Run(Duration duration) { Pass(*simulator_, clock_, duration); }

  // Values of a key in the truth, with the second at which each was handed over.
  struct Value {
    double seconds;
    std::string status;
    double value;
  };
  std::vector<Value> Truth(std::string_view type, std::string_view key) const {
    std::vector<Value> values;
    std::istringstream lines(truth_.str());
    double at = 0;
    double value = 0;
    std::string mark;
    std::string name;
    std::string status;
    while (lines >> at >> mark >> name >> status >> value) {
      if (mark == type && name == key) values.push_back({at - 1.8e9, status, value});
    }
    return values;
  }
  uint64_t LinesReceived() const {
    uint64_t lines = 0;
    for (const auto& datagram : recording_.datagrams) {
      for (size_t at = 0; at < datagram.bytes.size();) {
        const size_t end = std::min(datagram.bytes.find('\n', at), datagram.bytes.size());
        if (datagram.bytes.compare(at, 8, "datadog.") != 0) ++lines;
        at = end + 1;
      }
    }
    return lines;
  }

  ManualClock clock_;
  Recording recording_;
  std::ostringstream truth_;
  SimulatorOptions options_;
  std::unique_ptr<Simulator> simulator_;
};

TEST_F(SimulatorTest, TheSameSeedGivesTheSameBytesAndAnotherSeedOthers) {
  std::vector<std::string> runs;
  for (const uint64_t seed : {1U, 1U, 2U}) {
    ManualClock clock;
    Recording recording;
    options_.seed = seed;
    auto simulator = Simulator::Start(options_, clock, nullptr, DialRecording(&recording, clock));
    Pass(*simulator.value(), clock, seconds(30));
    std::string all = simulator.value()->Page();
    for (const auto& datagram : recording.datagrams) all += datagram.bytes;
    runs.push_back(all);
  }
  EXPECT_EQ(runs[0], runs[1]);
  EXPECT_NE(runs[0], runs[2]);
}

TEST_F(SimulatorTest, TheTruthHasALineForEveryLineHandedOver) {
  Start();
  Run(seconds(21));
  const std::string truth = truth_.str();
  const auto told = static_cast<uint64_t>(std::count(truth.begin(), truth.end(), '\n'));
  EXPECT_GT(told, 200U);
  EXPECT_EQ(told, simulator_->client(0).lines_handed());
  EXPECT_EQ(told, LinesReceived() + simulator_->client(0).lines_buffered());
}

TEST_F(SimulatorTest, TimersAndGaugesGoThroughAFloat32ButUptimeAndExpirationDoNot) {
  Start();
  Run(seconds(10));
  const auto timers = Truth("ms", "spire_server.entry.cache.reload.elapsed_time");
  ASSERT_FALSE(timers.empty());
  for (const Value& timer : timers) EXPECT_EQ(timer.value, ThroughFloat32(timer.value));
  const double ttl = Truth("g", "spire_server.manager.x509_ca.rotate.ttl").at(0).value;
  EXPECT_EQ(ttl, ThroughFloat32(ttl));
  const double expiration =
      Truth("g", "spire_server.manager.x509_ca.rotate.expiration").at(0).value;
  EXPECT_EQ(expiration, 1'800'000'000 + 24 * 60 - 1) << "a float32 would be off by up to a minute";
}

TEST_F(SimulatorTest, UptimeComesEveryTenSecondsOfTheClock) {
  Start();
  Run(seconds(31));
  const auto uptime = Truth("g", "spire_server.uptime_in_ms");
  ASSERT_EQ(uptime.size(), 4U);
  EXPECT_EQ(uptime[0].value, 7);
  EXPECT_EQ(uptime[3].value, 30'007);
  EXPECT_EQ(Truth("g", "spire_server.started").size(), 1U);
}

TEST_F(SimulatorTest, ARestartBeginsFromZero) {
  Start();
  Run(seconds(61));
  const std::string before = simulator_->Page();
  EXPECT_THAT(before, testing::HasSubstr("spire_server_uptime_in_ms{host=\"vm\"} 60007\n"));
  ASSERT_TRUE(simulator_->Restart().ok());
  EXPECT_THAT(simulator_->Page(), testing::HasSubstr("spire_server_uptime_in_ms{host=\"vm\"} 7\n"));
  EXPECT_EQ(Truth("g", "spire_server.started").size(), 2U);
  Run(seconds(11));
  EXPECT_THAT(simulator_->Summary(), testing::HasSubstr("life=1 stream=udp lines_handed="));
  EXPECT_THAT(simulator_->Summary(), testing::HasSubstr("life=2 stream=udp lines_handed="));
}

TEST_F(SimulatorTest, StoppedItHandsOverNothingButTheClientReportsOn) {
  Start();
  Run(seconds(5));
  simulator_->set_running(false);
  const uint64_t handed = simulator_->client(0).lines_handed();
  Run(seconds(1));
  recording_.datagrams.clear();
  Run(seconds(10));
  EXPECT_EQ(simulator_->client(0).lines_handed(), handed);
  EXPECT_EQ(LinesReceived(), 0U);
  EXPECT_FALSE(recording_.datagrams.empty());
  simulator_->set_running(true);
  Run(seconds(2));
  EXPECT_GT(simulator_->client(0).lines_handed(), handed);
}

TEST_F(SimulatorTest, ErrorsShowInRpcsAndAsUnknownInTheDatastoreButNotInBatches) {
  Start();
  simulator_->mood().error_share = 1;
  simulator_->mood().error_status = "Internal";
  const size_t before = truth_.str().size();
  Run(minutes(1));
  truth_.str(truth_.str().substr(before));
  const auto all_have = [&](std::string_view key, std::string_view status) {
    const auto values = Truth("c", key);
    EXPECT_FALSE(values.empty()) << key;
    for (const Value& value : values) EXPECT_EQ(value.status, status) << key;
  };
  all_have("spire_server.rpc.entry.v1.entry.list_entries", "Internal");
  all_have("spire_server.datastore.registration_entry.list", "Unknown");
  all_have("spire_server.rpc.entry.v1.entry.batch_create_entry", "OK");
}

TEST_F(SimulatorTest, AuthoritiesArePreparedAtHalfLifeAndActivatedAtFiveSixths) {
  options_.load.ca_ttl = minutes(6);
  options_.load.mix = Mix::kIdle;
  Start();
  Run(minutes(5) + seconds(1));
  const auto prepared = Truth("c", "spire_server.ca.manager.x509_ca.prepare");
  ASSERT_EQ(prepared.size(), 2U);
  EXPECT_NEAR(prepared[1].seconds - prepared[0].seconds, 180, 0.1);
  const auto activated = Truth("c", "spire_server.ca.manager.x509_ca.activate");
  ASSERT_EQ(activated.size(), 2U);
  EXPECT_NEAR(activated[1].seconds - activated[0].seconds, 300, 0.1);
  const auto expiration = Truth("g", "spire_server.manager.x509_ca.rotate.expiration");
  ASSERT_EQ(expiration.size(), 2U);
  EXPECT_NEAR(expiration[1].value - expiration[0].value, 180, 1.5);
}

TEST_F(SimulatorTest, AnAgentRenewsAllItsIdentitiesAroundHalfLife) {
  options_.emitter.role = Role::kAgent;
  options_.load.workloads = 40;
  Start();
  Run(seconds(100));
  EXPECT_TRUE(Truth("ms", "spire_agent.cache_manager.expiring_svids").empty());
  Run(seconds(45));
  double renewed = 0;
  for (const Value& value : Truth("ms", "spire_agent.cache_manager.expiring_svids")) {
    renewed += value.value;
  }
  EXPECT_EQ(renewed, 40);
}

TEST_F(SimulatorTest, AcceleratedLifeRepeatsMoreOftenAndTheProcessDoesNot) {
  options_.emitter.role = Role::kAgent;
  options_.load.accelerate = 10;
  Start();
  Run(seconds(30));
  EXPECT_NEAR(
      static_cast<double>(Truth("c", "spire_agent.manager.sync.fetch_entries_updates").size()), 61,
      2);
  EXPECT_EQ(Truth("g", "spire_agent.uptime_in_ms").size(), 4U);
}

TEST_F(SimulatorTest, AMillionAgentsArePlayedWithinTheLimitAndWalksTakeSeconds) {
  options_.load.agents = 1'000'000;
  options_.load.fleet_lines = 2'000;
  Start();
  Run(seconds(20));
  EXPECT_LT(simulator_->fleet_share(), 0.01);
  const double rate = static_cast<double>(simulator_->client(0).lines_handed()) / 20;
  EXPECT_GT(rate, 1'500);
  EXPECT_LT(rate, 2'300);
  const auto reloads = Truth("ms", "spire_server.entry.cache.reload.elapsed_time");
  ASSERT_FALSE(reloads.empty());
  for (const Value& reload : reloads) EXPECT_GT(reload.value, 500);
}

TEST_F(SimulatorTest, AFloodKeepsItsRateAndTheCounts) {
  Start();
  simulator_->disturbance().flood = 50'000;
  Run(seconds(2));
  const auto handed = simulator_->client(0).lines_handed();
  EXPECT_NEAR(static_cast<double>(handed), 100'000, 2'000);
  EXPECT_EQ(handed, LinesReceived() + simulator_->client(0).lines_buffered());
}

TEST_F(SimulatorTest, GarbageAndStrangeTagsLeaveThePageAlone) {
  Start();
  Run(seconds(1));
  simulator_->set_running(false);
  const std::string page = simulator_->Page();
  const uint64_t handed = simulator_->client(0).lines_handed();
  simulator_->disturbance().garbage = 100;
  Run(seconds(1));
  EXPECT_EQ(simulator_->client(0).lines_handed(), handed) << "garbage is nobody's line";
  simulator_->disturbance().garbage = 0;
  simulator_->disturbance().tags = 100;
  Run(seconds(1));
  EXPECT_NEAR(static_cast<double>(simulator_->client(0).lines_handed() - handed), 100, 2);
  EXPECT_EQ(simulator_->Page(), page);
}

TEST_F(SimulatorTest, TagsStandInTheOrderOfTheWire) {
  options_.emitter.prefix = "acme";
  options_.emitter.global_tags = "env:prod a";
  options_.emitter.trust_domain_tag = "example_org";
  options_.emitter.host = "node-7";
  Start();
  Run(milliseconds(200));
  std::string all;
  for (const auto& datagram : recording_.datagrams) all += datagram.bytes;
  EXPECT_THAT(all, testing::HasSubstr("acme.svid.rotate:1|c|#env:prod a,status:OK,"
                                      "trust_domain:example_org,host:node-7\n"));
  EXPECT_THAT(all, testing::HasSubstr("acme.started:1|g|#env:prod a,version:1_15_3,"
                                      "trust_domain_id:example_org,trust_domain:example_org,"
                                      "host:node-7\n"));
}

TEST_F(SimulatorTest, HealthAnswersLikeTheRole) {
  Start();
  EXPECT_EQ(simulator_->HealthAnswer("/ready").first, 200);
  EXPECT_EQ(simulator_->HealthAnswer("/other").first, 404);
  simulator_->health = Health::kFailing;
  EXPECT_EQ(simulator_->HealthAnswer("/live").first, 500);
  EXPECT_THAT(simulator_->HealthAnswer("/ready").second, testing::HasSubstr("get_bundle_err"));
  options_.emitter.role = Role::kAgent;
  Start();
  simulator_->health = Health::kUnattested;
  EXPECT_EQ(simulator_->HealthAnswer("/live").first, 200);
  EXPECT_EQ(simulator_->HealthAnswer("/ready").first, 500);
}

TEST(SanitizedLabelTest, RunsOfStrangeCharactersBecomeOneUnderscore) {
  EXPECT_EQ(SanitizedLabel("example.org"), "example_org");
  EXPECT_EQ(SanitizedLabel("1.8.0-dev_unk"), "1_8_0_dev_unk");
  EXPECT_EQ(SanitizedLabel("a--_b"), "a_b");
}

}  // namespace
}  // namespace spire_exporter::fakes
