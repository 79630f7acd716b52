#include "collectors/telemetry/digest.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <vector>

#include "collectors/clients/spire/runway_facts.h"
#include "collectors/telemetry/digest_collector.h"
#include "collectors/telemetry/families.h"
#include "collectors/telemetry/stream_families.h"
#include "collectors/telemetry/text_page.h"

namespace spire_exporter::telemetry {
namespace {

using namespace std::chrono_literals;
using spire::UnixTime;

// What a snapshot shows of an agent.
struct Shown {
  uint64_t good = 0, bad = 0, svids_bad = 0;
  std::optional<double> uptime = 100;
  std::optional<double> page = {};
  std::optional<double> bootstrapped = 1;
  std::optional<double> rebootstrap_began = {};
  double x509 = 4, jwt = 2;
};

std::shared_ptr<const HistogramValue> Times(uint64_t count) {
  auto value = std::make_shared<HistogramValue>();
  value->count = count;
  value->unplaced = count;
  return value;
}

const FamilyDescription& LastData() {
  for (const FamilyDescription* family : StreamFamilies()) {
    if (family->name == "spire_exporter_telemetry_last_data_timestamp_seconds") return *family;
  }
  throw std::logic_error("no such family");
}

Snapshot Make(const Shown& shown) {
  FamilyBuilder families;
  families.Add(kCallDuration, {"agent", "sync_entries", "", "OK"}, Times(shown.good));
  families.Add(kCallDuration, {"agent", "sync_entries", "", "Unavailable"}, Times(shown.bad));
  families.Add(kCallDuration, {"agent", "sync_svids", "", "Unavailable"}, Times(shown.svids_bad));
  families.Add(kCallDuration, {"agent", "node_attest", "", "OK"}, Times(77));
  if (shown.uptime) families.Add(kUptime, {"agent"}, *shown.uptime);
  families.Add(kLruCacheSvids, {}, shown.x509);
  families.Add(kJwtCacheSvids, {}, shown.jwt);
  if (shown.bootstrapped) families.Add(kBootstrapped, {}, *shown.bootstrapped);
  if (shown.rebootstrap_began) {
    families.Add(kBootstrapStart, {"rebootstrap"}, *shown.rebootstrap_began);
  }
  if (shown.page) families.Add(LastData(), {"scrape"}, *shown.page);
  return Snapshot{SystemTime{}, families.Take()};
}

class DigestTest : public ::testing::Test {
 protected:
  std::optional<spire::AgentTelemetryFact> Take(const Shown& shown, bool stream = true) {
    return digest_.Take(Make(shown), stream, clock_.Steady(), clock_.System()).agent;
  }
  UnixTime Ago(Duration by) const {
    return std::chrono::floor<std::chrono::seconds>(clock_.System() - by);
  }

  ManualClock clock_;
  Digest digest_;
};

TEST_F(DigestTest, ASyncOfTheStreamEndedAfterTheLookBeforeIt) {
  EXPECT_EQ(Take({.good = 26})->last_sync, std::nullopt) << "when they were is not known";
  clock_.Advance(2s);
  EXPECT_EQ(Take({.good = 26})->last_sync, std::nullopt);
  clock_.Advance(2s);
  const UnixTime seen = Ago(2300ms);
  EXPECT_EQ(Take({.good = 27})->last_sync, seen);
  clock_.Advance(2s);
  EXPECT_EQ(Take({.good = 27})->last_sync, seen) << "none since";
}

TEST_F(DigestTest, ASyncOfAPageEndedAfterThePageBeforeIt) {
  const double t = UnixSeconds(clock_.System());
  Take({.good = 1, .page = t - 3}, false);
  clock_.Advance(12s);
  // The page before the first is not known.
  EXPECT_EQ(Take({.good = 3, .page = t + 12}, false)->last_sync,
            UnixTime(std::chrono::seconds(static_cast<int64_t>(t) - 3)));
  clock_.Advance(15s);
  EXPECT_EQ(Take({.good = 6, .page = t + 27}, false)->last_sync,
            UnixTime(std::chrono::seconds(static_cast<int64_t>(t) + 12)));
}

TEST_F(DigestTest, FailedTriesAreCountedSinceTheLastGoodOne) {
  Take({.good = 5, .bad = 9});
  clock_.Advance(2s);
  EXPECT_EQ(Take({.good = 5, .bad = 10})->failed_syncs, 1u);
  clock_.Advance(2s);
  EXPECT_EQ(Take({.good = 5, .bad = 12})->failed_syncs, 3u);
  clock_.Advance(2s);
  EXPECT_EQ(Take({.good = 6, .bad = 12})->failed_syncs, 0u);
}

TEST_F(DigestTest, EntriesWithoutTheirSvidsAreNoSync) {
  Take({.good = 5});
  clock_.Advance(2s);
  const auto fact = Take({.good = 6, .svids_bad = 1});
  EXPECT_EQ(fact->last_sync, std::nullopt);
  EXPECT_EQ(fact->failed_syncs, 1u);
}

TEST_F(DigestTest, CountsThatFallAreNoSync) {
  Take({.good = 50, .bad = 3});
  clock_.Advance(2s);
  EXPECT_EQ(Take({.good = 2})->last_sync, std::nullopt);
  clock_.Advance(2s);
  EXPECT_NE(Take({.good = 3})->last_sync, std::nullopt);
}

TEST_F(DigestTest, TheStartIsTheEarliestThatHeartbeatsTell) {
  const auto start = [this](double uptime) {
    return std::chrono::system_clock::to_time_t(*Take({.uptime = uptime})->started);
  };
  const auto t = std::chrono::system_clock::to_time_t(clock_.System());
  EXPECT_EQ(start(98.2), t - 99) << "rounded down";
  clock_.Advance(10s);
  EXPECT_EQ(start(109.4), t - 100) << "seen sooner after its heartbeat";
  clock_.Advance(10s);
  EXPECT_EQ(start(117), t - 100) << "seen later";
  clock_.Advance(10s);
  EXPECT_EQ(start(5), t + 25) << "another process";
}

TEST_F(DigestTest, AStepOfTheClockMovesTheStartWithIt) {
  Take({.uptime = 100});
  clock_.StepSystem(-1h);
  clock_.Advance(10s);
  EXPECT_EQ(Take({.uptime = 110})->started, Ago(110s));
}

TEST_F(DigestTest, AnAgentThatDoesNotSpeakIsAbsent) {
  EXPECT_EQ(Take({.uptime = std::nullopt}), std::nullopt);
}

TEST_F(DigestTest, AbsurdValuesAreAbsent) {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto fact = Take({.uptime = 1e300, .bootstrapped = std::nullopt, .x509 = -4, .jwt = nan});
  ASSERT_TRUE(fact.has_value());
  EXPECT_EQ(fact->started, std::nullopt);
  EXPECT_EQ(fact->cached_x509_svids, std::nullopt);
  EXPECT_EQ(fact->cached_jwt_svids, std::nullopt);
  EXPECT_EQ(fact->bootstrapped, std::nullopt);
}

TEST_F(DigestTest, TellsABootstrapFromAnotherOne) {
  EXPECT_EQ(Take({})->bootstrapped, true);
  EXPECT_EQ(Take({.bootstrapped = 0})->bootstrapped, false);
  EXPECT_FALSE(Take({.bootstrapped = 0})->rebootstrapping);
  EXPECT_TRUE(Take({.bootstrapped = 0, .rebootstrap_began = 1.8e9})->rebootstrapping);
  EXPECT_FALSE(Take({.bootstrapped = 1, .rebootstrap_began = 1.8e9})->rebootstrapping);
}

TEST(PlainVersionTest, KnowsBothSpellings) {
  EXPECT_EQ(PlainVersion("1_15_3"), "1.15.3");
  EXPECT_EQ(PlainVersion("1.15.3"), "1.15.3");
  EXPECT_EQ(PlainVersion("1.16.0-dev-unk"), "1.16.0");
  for (const char* bad : {"", "1", "1.15", "1..3", ".1.2", "1.15.", "v1.2.3", "dev",
                          "11111111111111111111.11111111111111.1"}) {
    EXPECT_EQ(PlainVersion(bad), "") << bad;
  }
}

// A real agent's page, through the store.
class PageSource final : public LiveSource {
 public:
  explicit PageSource(const Clock& clock) : clock_(clock), store_(StoreOptions{}, clock) {
    std::ifstream file(HOUSE_TESTDATA "/captures/1.15.3/agent.metrics.txt", std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    auto series = ParseTextPage(text);
    if (!series.ok()) throw std::runtime_error("no capture");
    ScrapedPage page{clock.Steady(), clock.Steady(), *std::move(series)};
    store_.ApplyPage(PreparePage(page, "", "agent", 128));
  }
  std::shared_ptr<const Snapshot> Acquire(const Deadline&) override {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->taken = clock_.System();
    store_.AppendFamilies(clock_.Steady(), &snapshot->families);
    return snapshot;
  }

 private:
  const Clock& clock_;
  Store store_;
};

TEST(DigestCollectorTest, PublishesWhatARealAgentsPageTells) {
  ManualClock clock;
  PageSource source(clock);
  const auto collector = MakeDigestCollector(2s, source, [] { return false; });
  FactsBoard facts;
  auto reading = collector->Collect({Deadline::After(clock, 1s), {}, clock, facts});
  ASSERT_TRUE(reading.ok());
  for (Fact& fact : reading->facts) facts.Publish(std::move(fact));
  EXPECT_EQ(facts.Latest<spire::VersionFact>("agent")->value->version, "1.15.3");
  EXPECT_FALSE(facts.Latest<spire::VersionFact>("server").has_value());
  const auto agent = facts.Latest<spire::AgentTelemetryFact>("agent");
  ASSERT_TRUE(agent.has_value());
  EXPECT_EQ(agent->value->cached_x509_svids, 10u);
  EXPECT_EQ(agent->value->cached_jwt_svids, 13u);
  EXPECT_EQ(agent->value->bootstrapped, true);
  EXPECT_EQ(agent->value->started,
            std::chrono::floor<std::chrono::seconds>(clock.System() - 120014ms));
}

}  // namespace
}  // namespace spire_exporter::telemetry
