#include "exporter/metrics/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace spire_exporter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::array<std::string_view, 2> kUpDown = {"up", "down"};
constexpr std::array kAnyLabel = {LabelDescription{"a", "anything"}};
constexpr std::array kUpDownLabels = {LabelDescription{"state", "how it is", kUpDown}};
constexpr FamilyDescription kCalls{.name = "calls_total",
                                   .type = MetricType::kCounter,
                                   .labels = kAnyLabel,
                                   .help = "A counter.",
                                   .series_max = 3};
constexpr FamilyDescription kSeconds{
    .name = "busy_seconds_total", .type = MetricType::kCounter, .help = "A counter."};
constexpr FamilyDescription kDepth{.name = "depth", .help = "A gauge."};
constexpr FamilyDescription kLatency{
    .name = "latency_seconds", .type = MetricType::kHistogram, .help = "A histogram."};
constexpr FamilyDescription kBuild{
    .name = "build_info", .type = MetricType::kInfo, .labels = kAnyLabel, .help = "An info."};
constexpr FamilyDescription kState{.name = "state",
                                   .type = MetricType::kStateSet,
                                   .labels = kUpDownLabels,
                                   .help = "States.",
                                   .series_max = 2};

class RegistryTest : public ::testing::Test {
 protected:
  std::vector<std::string> Lines() {
    std::vector<std::string> lines;
    const auto snapshot = registry_.Take();
    for (const Family& family : snapshot->families) {
      for (const Series& series : family.series) {
        const double value = series.histogram != nullptr
                                 ? static_cast<double>(series.histogram->count)
                                 : series.value;
        lines.push_back(std::string(family.description->name) + "{" +
                        std::string(series.labels->rendered()) + "} " + std::to_string(value));
      }
    }
    return lines;
  }

  ManualClock clock_{SystemTime(std::chrono::seconds(1000))};
  Registry registry_{clock_, {.series_max = 6}};
  std::shared_ptr<const HistogramLayout> layout_ = *HistogramLayout::Make(3, {1});
};

TEST_F(RegistryTest, ShowsEveryKindSortedByName) {
  registry_.MakeCounter(kCalls, {"b"}).Increment();
  registry_.MakeCounter(kCalls, {"a"}).Increment(41);
  registry_.MakeFloatCounter(kSeconds, {}).Add(0.5);
  registry_.MakeGauge(kDepth, {}).Set(-2);
  registry_.MakeHistogram(kLatency, {}, layout_).Observe(0.5);
  EXPECT_THAT(Lines(),
              ElementsAre("busy_seconds_total{} 0.500000", R"(calls_total{a="a"} 41.000000)",
                          R"(calls_total{a="b"} 1.000000)", "depth{} -2.000000",
                          "latency_seconds{} 1.000000"));
}

TEST_F(RegistryTest, TheSameLabelsAreTheSameInstrument) {
  Counter& counter = registry_.MakeCounter(kCalls, {"a"});
  EXPECT_EQ(&registry_.MakeCounter(kCalls, {"a"}), &counter);
  EXPECT_NE(&registry_.MakeCounter(kCalls, {"b"}), &counter);
  Histogram& histogram = registry_.MakeHistogram(kLatency, {}, layout_);
  EXPECT_EQ(&registry_.MakeHistogram(kLatency, {}, layout_), &histogram);
}

TEST_F(RegistryTest, CountersStartAtZeroAndGaugesAreAbsentUntilSet) {
  registry_.MakeCounter(kCalls, {"a"});
  Gauge& gauge = registry_.MakeGauge(kDepth, {});
  EXPECT_THAT(Lines(), ElementsAre(R"(calls_total{a="a"} 0.000000)"));
  gauge.Add(2);
  gauge.Add(1);
  EXPECT_THAT(Lines(), ElementsAre(R"(calls_total{a="a"} 0.000000)", "depth{} 3.000000"));
  gauge.Clear();
  EXPECT_THAT(Lines(), ElementsAre(R"(calls_total{a="a"} 0.000000)"));
}

TEST_F(RegistryTest, CountersTellSinceWhenTheyCount) {
  registry_.MakeCounter(kCalls, {"a"});
  clock_.Advance(std::chrono::seconds(5));
  registry_.MakeGauge(kDepth, {}).Set(1);
  const auto snapshot = registry_.Take();
  EXPECT_EQ(snapshot->taken, clock_.System());
  EXPECT_EQ(snapshot->families[0].series[0].created_seconds, 1000);
  EXPECT_EQ(snapshot->families[1].series[0].created_seconds, 0);
}

TEST_F(RegistryTest, AFloatCounterNeverFallsNorBreaks) {
  FloatCounter& counter = registry_.MakeFloatCounter(kSeconds, {});
  for (const double amount : {1.5, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    counter.Add(amount);
  }
  EXPECT_EQ(counter.value(), 1.5);
}

TEST_F(RegistryTest, PastTheFamilysLimitASpareWorksUnseen) {
  for (const char* value : {"a", "b", "c", "d", "e"}) {
    registry_.MakeCounter(kCalls, {value}).Increment();
  }
  EXPECT_EQ(Lines().size(), 3u);
  EXPECT_EQ(registry_.refused(), 2u);
  registry_.MakeCounter(kCalls, {"a"}).Increment();
  EXPECT_EQ(registry_.refused(), 2u);
  EXPECT_EQ(registry_.MakeCounter(kCalls, {"a"}).value(), 2u);
}

TEST_F(RegistryTest, PastTheLimitInAllASpareWorksUnseen) {
  for (const char* value : {"a", "b", "c"}) registry_.MakeCounter(kCalls, {value});
  registry_.SetState(kState, {}, "up");
  registry_.MakeFloatCounter(kSeconds, {});
  EXPECT_EQ(registry_.refused(), 0u);
  registry_.MakeGauge(kDepth, {}).Set(1);
  registry_.MakeHistogram(kLatency, {}, layout_).Observe(1);
  registry_.SetInfo(kBuild, {"1"});
  EXPECT_EQ(registry_.refused(), 3u);
  EXPECT_EQ(Lines().size(), 6u);
}

TEST_F(RegistryTest, AnInfoReplacesTheOneBefore) {
  registry_.SetInfo(kBuild, {"1"});
  registry_.SetInfo(kBuild, {"2"});
  EXPECT_THAT(Lines(), ElementsAre(R"(build_info{a="2"} 1.000000)"));
}

TEST_F(RegistryTest, AStateSetFollows) {
  registry_.SetState(kState, {}, "up");
  registry_.SetState(kState, {}, "down");
  EXPECT_THAT(Lines(),
              ElementsAre(R"(state{state="down"} 1.000000)", R"(state{state="up"} 0.000000)"));
}

TEST_F(RegistryTest, AnotherTypeOrNumberOfLabelsIsABug) {
  EXPECT_THROW(registry_.MakeGauge(kCalls, {"a"}), std::logic_error);
  EXPECT_THROW(registry_.MakeCounter(kCalls, {}), std::logic_error);
  EXPECT_THROW(registry_.SetInfo(kDepth, {}), std::logic_error);
  registry_.MakeCounter(kCalls, {"a"});
  EXPECT_THROW(registry_.MakeFloatCounter(kCalls, {"a"}), std::logic_error);
  EXPECT_THAT(Lines(), ElementsAre(R"(calls_total{a="a"} 0.000000)"));
}

TEST_F(RegistryTest, ASnapshotStaysAsItWas) {
  Counter& counter = registry_.MakeCounter(kCalls, {"a"});
  const auto snapshot = registry_.Take();
  counter.Increment();
  EXPECT_EQ(snapshot->families[0].series[0].value, 0);
}

TEST_F(RegistryTest, NothingIsLostBetweenThreads) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 2000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < kRounds; ++i) {
        registry_.MakeCounter(kCalls, {i % 2 == 0 ? "a" : "b"}).Increment();
        registry_.MakeFloatCounter(kSeconds, {}).Add(0.25);
        registry_.MakeGauge(kDepth, {}).Add(1);
        registry_.MakeHistogram(kLatency, {}, layout_).Observe(t + 0.5);
      }
    });
  }
  uint64_t seen = 0;
  for (int i = 0; i < 200; ++i) {
    const auto snapshot = registry_.Take();
    for (const Family& family : snapshot->families) {
      if (family.description != &kLatency) continue;
      const HistogramValue& value = *family.series[0].histogram;
      EXPECT_GE(value.count, seen);
      seen = value.count;
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Lines(),
              ElementsAre("busy_seconds_total{} 2000.000000", R"(calls_total{a="a"} 4000.000000)",
                          R"(calls_total{a="b"} 4000.000000)", "depth{} 8000.000000",
                          "latency_seconds{} 8000.000000"));
}

TEST_F(RegistryTest, IsEmptyAtFirst) {
  EXPECT_THAT(registry_.Take()->families, IsEmpty());
  EXPECT_EQ(registry_.refused(), 0u);
}

}  // namespace
}  // namespace spire_exporter
