#include "exporter/metrics/lifetime_histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "exporter/metrics/bucket_layout.h"

namespace spire_exporter {
namespace {

using ::testing::ElementsAre;

TEST(LifetimeHistogramTest, BatchesAddUpAndTheExpiredAreCountedBeside) {
  LifetimeHistogram histogram(*HistogramLayout::Make(3, {0, 60, 3600}), 1000);
  const std::vector<int64_t> first = {1000, 999, 1060, 1061};
  const std::vector<int64_t> second = {0, 1030, 8200};
  histogram.Add(first);
  histogram.Add(second);
  const Lifetimes lifetimes = histogram.Snapshot();
  EXPECT_EQ(lifetimes.expired, 2u);
  EXPECT_EQ(lifetimes.living.histogram->count, 5u);
  EXPECT_EQ(lifetimes.living.histogram->sum, 7351);
  EXPECT_THAT(lifetimes.living.histogram->cumulative, ElementsAre(1, 3, 4));
  EXPECT_EQ(lifetimes.living.min, 0);
  EXPECT_EQ(lifetimes.living.max, 7200);
}

constexpr int64_t kNow = 1'800'000'000;
constexpr int64_t kTableEnd = int64_t{1} << 16;
constexpr int64_t kCellsEnd = LifetimeSlots::kEnd;

struct Case {
  std::shared_ptr<const HistogramLayout> layout;
  std::vector<int64_t> remaining;  // seconds, in the order of adding
};

// Every way of sorting that this processor knows: one by one, and both twins.
std::vector<std::pair<const char*, LifetimeSorter>> Ways() {
  std::vector<std::pair<const char*, LifetimeSorter>> ways = {{"one by one", nullptr},
                                                              {"plain", SortLifetimesPlain}};
  if (HasAvx2()) ways.emplace_back("AVX2", SortLifetimesAvx2);
  return ways;
}

std::vector<std::pair<int32_t, std::vector<uint64_t>>> Runs(const HistogramValue& value) {
  std::vector<std::pair<int32_t, std::vector<uint64_t>>> all;
  for (const BucketRun& run : value.positive) all.emplace_back(run.first, run.counts);
  return all;
}

// What the histogram gives in batches of random sizes, against observing each by itself.
void HoldAgainstReference(const Case& each, LifetimeSorter sorter, std::mt19937_64& random) {
  LifetimeHistogram histogram(each.layout, kNow, sorter);
  NativeHistogram reference(each.layout);
  std::vector<int64_t> expiries;
  std::optional<double> min;
  std::optional<double> max;
  int64_t sum = 0;
  uint64_t expired = 0;
  for (const int64_t seconds : each.remaining) {
    expiries.push_back(kNow + seconds);
    if (seconds < 0) {
      ++expired;
      continue;
    }
    const auto value = static_cast<double>(seconds);
    reference.Observe(value);
    min = std::min(min.value_or(value), value);
    max = std::max(max.value_or(value), value);
    sum += seconds;
  }
  for (size_t at = 0; at < expiries.size();) {
    const size_t size = std::min<size_t>(1 + random() % 5000, expiries.size() - at);
    histogram.Add(std::span<const int64_t>(expiries).subspan(at, size));
    at += size;
  }
  const Lifetimes lifetimes = histogram.Snapshot();
  const auto expected = reference.Snapshot();
  ASSERT_EQ(lifetimes.expired, expired);
  ASSERT_EQ(lifetimes.living.histogram->count, expected->count);
  ASSERT_EQ(lifetimes.living.histogram->sum, static_cast<double>(sum));
  ASSERT_EQ(lifetimes.living.histogram->cumulative, expected->cumulative);
  ASSERT_EQ(lifetimes.living.histogram->zero_count, expected->zero_count);
  ASSERT_EQ(lifetimes.living.histogram->schema, expected->schema);
  ASSERT_EQ(Runs(*lifetimes.living.histogram), Runs(*expected));
  ASSERT_EQ(lifetimes.living.min, min);
  ASSERT_EQ(lifetimes.living.max, max);
}

std::shared_ptr<const HistogramLayout> RandomLayout(std::mt19937_64& random) {
  std::vector<double> bounds;
  for (uint64_t i = random() % 10; i > 0; --i) {
    bounds.push_back((bounds.empty() ? -10 : bounds.back()) + 0.5 +
                     static_cast<double>(random() % 100'000) / 7);
  }
  return *HistogramLayout::Make(static_cast<int>(random() % 13) - 4, bounds);
}

// At every edge of a bucket and of the table, and everywhere between.
std::vector<int64_t> EdgesAndBetween(const HistogramLayout& layout, std::mt19937_64& random) {
  std::vector<int64_t> all = {0,      1,  2,  65'534,     65'535,     65'536,
                              65'537, -1, -2, 16'777'215, 16'777'216, 16'777'217};
  for (int32_t i = -200; i < 300; ++i) {
    const auto edge =
        static_cast<int64_t>(std::floor(std::min(1e12, BucketUpperBound(i, layout.schema()))));
    for (int64_t k = -1; k <= 1; ++k) all.push_back(edge + k);
  }
  for (const double bound : *layout.bounds()) {
    for (int64_t k = -1; k <= 1; ++k) all.push_back(static_cast<int64_t>(bound) + k);
  }
  const uint64_t widest = uint64_t{1} << (random() % 36);
  for (int i = 0; i < 20'000; ++i) {
    all.push_back(static_cast<int64_t>(random() % widest) - static_cast<int64_t>(widest / 8));
  }
  return all;
}

// From `from` on, below `end`.
std::vector<int64_t> Within(int64_t from, int64_t end, std::mt19937_64& random) {
  std::vector<int64_t> all(12'000);
  for (int64_t& one : all) {
    one = from + static_cast<int64_t>(random() % static_cast<uint64_t>(end - from));
  }
  return all;
}

TEST(LifetimeHistogramTest, CountsAsObservingEachByItselfDoesWhateverTheWay) {
  std::mt19937_64 random(20'261'126);
  for (int round = 0; round < 60; ++round) {
    Case each{RandomLayout(random), {}};
    switch (round % 5) {
      case 0:
        each.remaining = Within(kTableEnd, kCellsEnd, random);
        break;
      case 1:
        each.remaining = Within(kCellsEnd, 40 * kCellsEnd, random);
        break;
      default:
        each.remaining = EdgesAndBetween(*each.layout, random);
    }
    if (round % 2 == 0) std::shuffle(each.remaining.begin(), each.remaining.end(), random);
    for (const auto& [name, sorter] : Ways()) {
      SCOPED_TRACE(testing::Message() << name << ", round " << round);
      ASSERT_NO_FATAL_FAILURE(HoldAgainstReference(each, sorter, random));
    }
  }
}

// The first batch finds its lifetimes beyond the table, the second has cells for them: each of the
// three places that count may hold the least and the most.
TEST(LifetimeHistogramTest, ExtremesAreThoseOfAllPlacesThatCount) {
  constexpr int64_t kNear = 1000;
  constexpr int64_t kMiddle = 100'000;
  constexpr int64_t kOther = 200'000;
  constexpr int64_t kFar = 100'000'000;
  for (const auto& order : std::vector<std::vector<int64_t>>{{kMiddle, kOther},
                                                             {kOther, kMiddle},
                                                             {kFar, kMiddle},
                                                             {kFar, kMiddle, kNear},
                                                             {kMiddle, kFar, kOther},
                                                             {kNear, kFar, kMiddle}}) {
    Case each{*HistogramLayout::Make(3, {60, 3600}), {}};
    for (const int64_t seconds : order) {
      each.remaining.insert(each.remaining.end(), 5000, seconds);
    }
    for (const auto& [name, sorter] : Ways()) {
      SCOPED_TRACE(testing::Message() << name << ", first " << order.front());
      std::mt19937_64 random(1);
      ASSERT_NO_FATAL_FAILURE(HoldAgainstReference(each, sorter, random));
    }
  }
}

TEST(LifetimeHistogramTest, WhenNoneLivesThereAreNoExtremes) {
  LifetimeHistogram histogram(*HistogramLayout::Make(3, {60}), 1000);
  histogram.Add(std::vector<int64_t>{0, 999});
  const Lifetimes lifetimes = histogram.Snapshot();
  EXPECT_EQ(lifetimes.expired, 2u);
  EXPECT_EQ(lifetimes.living.histogram->count, 0u);
  EXPECT_FALSE(lifetimes.living.min.has_value());
  EXPECT_FALSE(lifetimes.living.max.has_value());
}

TEST(LifetimeHistogramTest, ExtremeExpiriesNeverChangeSides) {
  using Limits = std::numeric_limits<int64_t>;
  const auto layout = *HistogramLayout::Make(3, {60});
  LifetimeHistogram late(layout, 1000);
  late.Add(std::vector<int64_t>{Limits::min(), Limits::max()});
  EXPECT_EQ(late.Snapshot().expired, 1u);
  EXPECT_EQ(late.Snapshot().living.histogram->count, 1u);
  LifetimeHistogram early(layout, -1000);
  early.Add(std::vector<int64_t>{Limits::min(), Limits::max()});
  EXPECT_EQ(early.Snapshot().expired, 1u);
  EXPECT_EQ(early.Snapshot().living.max, static_cast<double>(Limits::max()));
}

}  // namespace
}  // namespace spire_exporter
