#include "exporter/metrics/lifetime_histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
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
  const std::vector<uint32_t> first = {1000, 999, 1060, 1061};
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

// Against observing each by itself, in data of every kind and at every edge of a bucket and of the
// table.
TEST(LifetimeHistogramTest, CountsAsObservingEachByItselfDoes) {
  std::mt19937_64 random(20'261'126);
  for (int round = 0; round < 60; ++round) {
    std::vector<double> bounds;
    for (uint64_t i = random() % 10; i > 0; --i) {
      bounds.push_back((bounds.empty() ? -10 : bounds.back()) + 0.5 +
                       static_cast<double>(random() % 100'000) / 7);
    }
    const int schema = static_cast<int>(random() % 13) - 4;
    const auto layout = *HistogramLayout::Make(schema, bounds);
    const int64_t now = 1'800'000'000;
    std::vector<int64_t> remaining = {0,      1,  2,  65'534,     65'535,     65'536,
                                      65'537, -1, -2, 16'777'215, 16'777'216, 16'777'217};
    for (int64_t i = -200; i < 300; ++i) {
      const auto edge = static_cast<int64_t>(
          std::floor(std::min(1e12, BucketUpperBound(static_cast<int32_t>(i), schema))));
      for (int64_t k = -1; k <= 1; ++k) remaining.push_back(edge + k);
    }
    for (const double bound : bounds) {
      for (int64_t k = -1; k <= 1; ++k) remaining.push_back(static_cast<int64_t>(bound) + k);
    }
    const uint64_t widest = uint64_t{1} << (random() % 36);
    for (int i = 0; i < 20'000; ++i)
      remaining.push_back(static_cast<int64_t>(random() % widest) -
                          static_cast<int64_t>(widest / 8));

    LifetimeHistogram histogram(layout, now);
    NativeHistogram reference(layout);
    std::vector<int64_t> expiries;
    int64_t sum = 0;
    uint64_t expired = 0;
    for (const int64_t seconds : remaining) {
      expiries.push_back(now + seconds);
      if (seconds < 0) {
        ++expired;
        continue;
      }
      reference.Observe(static_cast<double>(seconds));
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
    ASSERT_EQ(lifetimes.living.histogram->schema, expected->schema) << "schema " << schema;
    const auto runs = [](const HistogramValue& value) {
      std::vector<std::pair<int32_t, std::vector<uint64_t>>> all;
      for (const BucketRun& run : value.positive) all.emplace_back(run.first, run.counts);
      return all;
    };
    ASSERT_EQ(runs(*lifetimes.living.histogram), runs(*expected));
    std::sort(remaining.begin(), remaining.end());
    ASSERT_EQ(lifetimes.living.min,
              static_cast<double>(*std::lower_bound(remaining.begin(), remaining.end(), 0)));
    ASSERT_EQ(lifetimes.living.max, static_cast<double>(remaining.back()));
  }
}

TEST(LifetimeHistogramTest, WhenNoneLivesThereAreNoExtremes) {
  LifetimeHistogram histogram(*HistogramLayout::Make(3, {60}), 1000);
  histogram.Add(std::vector<uint32_t>{0, 999});
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
