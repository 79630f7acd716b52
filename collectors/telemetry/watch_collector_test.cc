// What the watch publishes for the runway.
#include "collectors/telemetry/watch_collector.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "collectors/clients/spire/runway_facts.h"
#include "collectors/telemetry/store.h"

namespace spire_exporter::telemetry {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class WatchCollectorTest : public testing::Test {
 protected:
  WatchCollectorTest() {
    store_.SetTap(&watch_);
    stream_.listening = stream_.files_only = true;
  }
  void Feed(const std::string& key, const std::string& value) {
    store_.Feed("spire_agent." + key + ":" + value + "host:vm\n", false,
                {clock_.Steady(), clock_.Steady()}, &counts_);
  }
  void Pass(Duration time) {
    clock_.Advance(time);
    stream_.last = clock_.Steady();
    watch_.OnStream(stream_);
  }
  void Start() {
    Feed("started", "1|g|#version:1_15_3,");
    Feed("lru_cache_svid_map_size", "1|g|#");
    Pass(seconds(1));
  }
  void Collect() {
    auto reading = collector_->Collect({Deadline::After(clock_, seconds(1)), {}, clock_, facts_});
    ASSERT_TRUE(reading.ok());
    for (Fact& fact : reading->facts) facts_.Publish(std::move(fact));
  }
  void SayConfig(const std::string& subject, const spire::SpireConfigFact& config) {
    facts_.Publish(Fact::Make<spire::SpireConfigFact>(subject, clock_.Steady(), config));
  }
  // Seconds from now; -1 without one.
  double First(const std::string& subject) {
    const auto horizon = facts_.Latest<spire::Horizon>(subject);
    if (!horizon || horizon->value->groups.empty()) return -1;
    return UnixSeconds(horizon->value->groups[0].expiry) - UnixSeconds(clock_.System());
  }

  ManualClock clock_;
  AgentWatch watch_{clock_};
  Store store_{StoreOptions{}, clock_};
  ListenerCounts counts_;
  AgentWatch::StreamState stream_;
  FactsBoard facts_;
  std::unique_ptr<Collector> collector_ = MakeWatchCollector(watch_);
};

// A server cuts a life short where its CA ends sooner.
TEST_F(WatchCollectorTest, TheLifeIsTheShorterOfWhatIsConfiguredAndIssued) {
  spire::SpireConfigFact config;
  config.x509_svid_ttl = hours(1);
  SayConfig("server", config);
  Collect();
  Start();
  Collect();
  EXPECT_NEAR(First("workload/ledger"), 3599, 2);
  spire::CanaryFact canary;
  canary.x509_not_before = std::chrono::floor<seconds>(clock_.System()) - seconds(10);
  canary.x509_not_after = *canary.x509_not_before + seconds(610);
  facts_.Publish(Fact::Make<spire::CanaryFact>("canary", clock_.Steady(), canary));
  Collect();
  EXPECT_NEAR(First("workload/ledger"), 599, 2);
  canary.x509_not_after = *canary.x509_not_before + hours(9);
  facts_.Publish(Fact::Make<spire::CanaryFact>("canary", clock_.Steady(), canary));
  Collect();
  EXPECT_NEAR(First("workload/ledger"), 3599, 2);
}

TEST_F(WatchCollectorTest, RefusalsArePublished) {
  spire::SpireConfigFact config;
  config.x509_svid_ttl = minutes(4);
  SayConfig("runway", config);
  Collect();
  Start();
  Feed("manager.sync.fetch_entries_updates.elapsed_time", "5.0|ms|#status:OK,");
  Pass(seconds(2));
  Collect();
  ASSERT_TRUE(facts_.Latest<spire::SyncFact>("sync/stream").has_value());
  EXPECT_FALSE(facts_.Latest<spire::SyncFact>("sync/stream")->value->refused);
  Pass(seconds(118));
  Feed("cache_manager.expiring_svids", "1.000000|ms|#");
  for (int i = 0; i < 8; ++i) {
    Feed("manager.sync.fetch_svids_updates.elapsed_time", "3.1|ms|#status:OK,");
    Feed("lru_cache_svid_map_size", "1|g|#");
    Pass(milliseconds(500));
  }
  Collect();
  EXPECT_TRUE(facts_.Latest<spire::SyncFact>("sync/stream")->value->refused);
}

TEST_F(WatchCollectorTest, TheAgentsOwnEndsALifeAfterItWasRenewed) {
  Start();
  Feed("agent_svid.rotate.elapsed_time", "5.0|ms|#status:OK,");
  Pass(seconds(10));
  Collect();
  EXPECT_EQ(First("agent/ledger"), -1) << "of a life that nobody knows";
  spire::SpireConfigFact config;
  config.agent_ttl = hours(6);
  SayConfig("runway", config);
  Collect();
  EXPECT_NEAR(First("agent/ledger"), 6 * 3600 - 10, 2);
}

}  // namespace
}  // namespace spire_exporter::telemetry
