#include "exporter/metrics/histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "exporter/metrics/bucket_counts.h"

namespace spire_exporter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

NativeHistogram Make(int schema, std::vector<double> bounds = {}) {
  return NativeHistogram(*HistogramLayout::Make(schema, std::move(bounds)));
}

TEST(HistogramLayoutTest, RefusesWhatIsNoLayout) {
  EXPECT_FALSE(HistogramLayout::Make(-5, {}).ok());
  EXPECT_FALSE(HistogramLayout::Make(9, {}).ok());
  EXPECT_FALSE(HistogramLayout::Make(3, {1, 1}).ok());
  EXPECT_FALSE(HistogramLayout::Make(3, {2, 1}).ok());
  EXPECT_FALSE(HistogramLayout::Make(3, {1, kInfinity}).ok());
  EXPECT_FALSE(HistogramLayout::Make(3, {kNan}).ok());
  EXPECT_FALSE(HistogramLayout::Make(3, std::vector<double>(1001, 0)).ok());
  EXPECT_EQ(HistogramLayout::Make(9, {}).error().code, Code::kInvalidArgument);
}

TEST(HistogramLayoutTest, KeepsWhatItWasMadeOf) {
  const auto layout = HistogramLayout::Make(-4, {-1, 0, 1});
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ((*layout)->schema(), -4);
  EXPECT_THAT(*(*layout)->bounds(), ElementsAre(-1, 0, 1));
}

TEST(NativeHistogramTest, OneIncrementGivesBothKindsOfBuckets) {
  NativeHistogram histogram = Make(0, {0.75, 1, 3});
  for (const double value : {0.6, 0.75, 0.8, 1.0, 2.5, 3.0, 3.5, 100.0}) histogram.Observe(value);
  const auto value = histogram.Snapshot();
  EXPECT_EQ(value->count, 8u);
  EXPECT_DOUBLE_EQ(value->sum, 112.15);
  EXPECT_EQ(value->schema, 0);
  EXPECT_THAT(value->cumulative, ElementsAre(2, 4, 6));
  ASSERT_EQ(value->positive.size(), 2u);
  EXPECT_EQ(value->positive[0].first, 0);  // (0.5, 1], (1, 2], (2, 4]
  EXPECT_THAT(value->positive[0].counts, ElementsAre(4, 0, 3));
  EXPECT_EQ(value->positive[1].first, 7);  // (64, 128]
  EXPECT_THAT(value->positive[1].counts, ElementsAre(1));
  EXPECT_THAT(value->negative, IsEmpty());
  EXPECT_EQ(value->zero_threshold, kZeroThreshold);
}

TEST(NativeHistogramTest, AnEmptyOneShowsItsBuckets) {
  const auto value = Make(3, {1, 2}).Snapshot();
  EXPECT_EQ(value->count, 0u);
  EXPECT_THAT(value->cumulative, ElementsAre(0, 0));
  EXPECT_THAT(value->positive, IsEmpty());
}

TEST(NativeHistogramTest, UnplacedAreInCountAndSumAlone) {
  NativeHistogram histogram = Make(3, {1, 2});
  histogram.AddUnplaced(10, 5.5);
  EXPECT_EQ(histogram.count(), 10u);
  EXPECT_THAT(histogram.Snapshot()->cumulative, IsEmpty());
  histogram.Observe(1.5);
  histogram.AddUnplaced(1, kInfinity);
  const auto value = histogram.Snapshot();
  EXPECT_EQ(value->count, 12u);
  EXPECT_EQ(value->unplaced, 11u);
  EXPECT_EQ(value->sum, 7);
  EXPECT_THAT(value->cumulative, ElementsAre(0, 1));
}

TEST(NativeHistogramTest, NothingMakesTheSumInfinite) {
  constexpr double kMost = std::numeric_limits<double>::max();
  NativeHistogram histogram(*HistogramLayout::Make(3, {1, 0x1p961}));
  histogram.Observe(1e300, 1'000'000'000);
  EXPECT_EQ(histogram.sum(), 0) << "the product is out of range";
  histogram.Observe(2);
  histogram.AddUnplaced(1, 3);
  EXPECT_EQ(histogram.sum(), 5);
  for (int i = 0; i < 3; ++i) histogram.Observe(kMost);
  histogram.AddUnplaced(1, kMost);
  // The largest values that are added without a check.
  for (int i = 0; i < 10'000; ++i) histogram.Observe(0x1p960);
  EXPECT_EQ(histogram.sum(), kMost);
  for (int i = 0; i < 3; ++i) histogram.Observe(-kMost);
  EXPECT_EQ(histogram.sum(), -kMost);
  histogram.Observe(-kMost, 1'000'000'000);
  EXPECT_EQ(histogram.sum(), -kMost);
  const auto value = histogram.Snapshot();
  EXPECT_EQ(value->count, 2'000'010'009u);
  EXPECT_THAT(value->cumulative, ElementsAre(1'000'000'003u, 1'000'010'004u));
}

TEST(NativeHistogramTest, ManyCellsMayOverflow) {
  std::vector<double> bounds = {BucketUpperBound(100, 8), BucketUpperBound(2000, 8)};
  NativeHistogram histogram(*HistogramLayout::Make(8, bounds));
  constexpr int32_t kCells = 3000;
  // In an order that is not theirs; 7 and 3000 have no divisor in common.
  for (int32_t i = 0; i < kCells; ++i) {
    const int32_t index = i * 7 % kCells;
    histogram.Observe(BucketUpperBound(index, 8), (uint64_t{1} << 32) + (index % 2 == 0 ? 0 : 5));
  }
  const auto value = histogram.Snapshot();
  const auto upto = [](uint64_t cells) { return (cells << 32) + cells / 2 * 5; };
  EXPECT_EQ(value->count, upto(kCells));
  EXPECT_THAT(value->cumulative, ElementsAre(upto(101), upto(2001)));
  EXPECT_EQ(histogram.count(), upto(kCells));
}

// Far more cells than are passed over in one step lie between the values, and bounds as well.
TEST(NativeHistogramTest, SparseWindowsHaveTheirFewBucketsAtTheirPlaces) {
  std::vector<double> bounds;
  for (int i = -7; i < 8; ++i) bounds.push_back(1.1 * std::exp2(i));
  NativeHistogram histogram(*HistogramLayout::Make(8, bounds));
  for (int i = -8; i < 8; ++i) histogram.Observe(1.3 * std::exp2(i), static_cast<uint64_t>(10 + i));
  const auto value = histogram.Snapshot();
  ASSERT_EQ(value->schema, 8);
  ASSERT_EQ(value->positive.size(), 16u);
  uint64_t below = 0;
  std::vector<uint64_t> cumulative;
  for (size_t i = 0; i < 16; ++i) {
    const double observed = 1.3 * std::exp2(static_cast<int>(i) - 8);
    EXPECT_EQ(value->positive[i].first, BucketIndex(observed, 8));
    EXPECT_THAT(value->positive[i].counts, ElementsAre(2 + i));
    below += 2 + i;
    cumulative.push_back(below);
  }
  cumulative.pop_back();  // above the last bound
  EXPECT_EQ(value->cumulative, cumulative);
}

TEST(NativeHistogramTest, InfinitiesHaveTheBucketAfterTheLast) {
  NativeHistogram histogram = Make(0, {1});
  histogram.Observe(kInfinity);
  histogram.Observe(-kInfinity);
  histogram.Observe(std::numeric_limits<double>::max());
  const auto value = histogram.Snapshot();
  EXPECT_EQ(value->count, 3u);
  ASSERT_EQ(value->positive.size(), 1u);
  EXPECT_EQ(value->positive[0].first, 1024);
  EXPECT_THAT(value->positive[0].counts, ElementsAre(1, 1));
  EXPECT_EQ(value->negative[0].first, 1025);
  EXPECT_THAT(value->cumulative, ElementsAre(1));
}

TEST(NativeHistogramTest, WhatIsNotFiniteLeavesTheSumUsable) {
  NativeHistogram histogram = Make(3);
  histogram.Observe(2);
  histogram.Observe(kNan);
  histogram.Observe(kInfinity);
  EXPECT_EQ(histogram.sum(), 2);
  EXPECT_EQ(histogram.count(), 3u);
  EXPECT_EQ(histogram.Snapshot()->unplaced, 1u);  // the NaN
}

TEST(NativeHistogramTest, NegativeValuesAndZeros) {
  NativeHistogram histogram = Make(0, {-1, 0, 1});
  for (const double value : {-3.0, -1.0, -0.5, 0.0, -0.0, 1e-300, -1e-300, 0.5}) {
    histogram.Observe(value);
  }
  const auto value = histogram.Snapshot();
  EXPECT_THAT(value->cumulative, ElementsAre(2, 6, 8));
  EXPECT_EQ(value->zero_count, 4u);
  ASSERT_EQ(value->negative.size(), 1u);
  EXPECT_EQ(value->negative[0].first, -1);  // [-0.5, -0.25), up to [-4, -2)
  EXPECT_THAT(value->negative[0].counts, ElementsAre(1, 1, 0, 1));
  EXPECT_EQ(value->count, 8u);
}

TEST(NativeHistogramTest, CellsOverflowIntoSixtyFourBits) {
  NativeHistogram histogram = Make(3, {1, 2});
  histogram.Observe(1.5, 0xffffffff);
  histogram.Observe(1.5);                     // overflows on the fast path
  histogram.Observe(1.5, uint64_t{1} << 40);  // and on the slow one
  histogram.Observe(1e-9);  // grows the window: what overflowed stays in its place
  histogram.Observe(1e6);
  const uint64_t expected = (uint64_t{1} << 32) + (uint64_t{1} << 40);
  const auto value = histogram.Snapshot();
  EXPECT_EQ(value->count, expected + 2);
  EXPECT_EQ(histogram.count(), expected + 2);
  EXPECT_THAT(value->cumulative, ElementsAre(1, expected + 1));
  ASSERT_EQ(value->positive.size(), 3u);
  EXPECT_THAT(value->positive[1].counts, ElementsAre(expected));
}

TEST(NativeHistogramTest, NeverMoreThan160NativeBuckets) {
  NativeHistogram histogram = Make(8, {0.1, 1});
  for (double value = 0.01; value < 9; value *= 1.002) histogram.Observe(value);
  const auto value = histogram.Snapshot();
  size_t buckets = 0;
  for (const BucketRun& run : value->positive) buckets += run.counts.size();
  EXPECT_LE(buckets, kNativeBucketsMax);
  EXPECT_GT(buckets, kNativeBucketsMax / 2 - 2);  // halved no more often than needed
  EXPECT_EQ(value->schema, 4);
}

TEST(NativeHistogramTest, AFarFirstValueDoesNotKeepOthersFromTheWindow) {
  NativeHistogram histogram = Make(8);
  histogram.Observe(1e-30);
  uint64_t count = 1;
  for (int i = 0; i < 20'000; ++i) {
    histogram.Observe(1.0 + i / 20'000.0);
    ++count;
  }
  const auto value = histogram.Snapshot();
  EXPECT_EQ(value->count, count);
  ASSERT_EQ(value->positive.size(), 2u);
  EXPECT_THAT(value->positive[0].counts, ElementsAre(1));
}

TEST(NativeHistogramTest, AFarValueCountsBeforeAndAfterTheWindowMoves) {
  NativeHistogram histogram = Make(8, {0.5, 2});
  histogram.Observe(0.4, 7);
  for (int i = 0; i < 10'000; ++i) histogram.Observe(1e40);
  for (int i = 0; i < 10'000; ++i) histogram.Observe(1.5);
  histogram.Observe(0.4);
  const auto value = histogram.Snapshot();
  EXPECT_EQ(value->count, 20'008u);
  EXPECT_THAT(value->cumulative, ElementsAre(8, 10'008));
}

TEST(NativeHistogramTest, BoundsTooNearForAnySchemaAreStillExact) {
  const double next = std::nextafter(1.5, 2);
  NativeHistogram histogram = Make(3, {1.5, next});
  for (const double value : {1.5, next, std::nextafter(next, 2), 1.4}) histogram.Observe(value);
  const auto value = histogram.Snapshot();
  EXPECT_EQ(value->schema, 3);
  EXPECT_THAT(value->cumulative, ElementsAre(2, 3));
  EXPECT_EQ(value->count, 4u);
}

TEST(NativeHistogramTest, BoundsInOneBucketLeaveTheSchemaAsAsked) {
  NativeHistogram histogram = Make(0, {1.1, 1.2, 1.3, 1.9});
  for (const double value : {1.05, 1.1, 1.15, 1.25, 1.5, 1.95}) histogram.Observe(value);
  const auto value = histogram.Snapshot();
  EXPECT_EQ(value->schema, 0);
  EXPECT_THAT(value->cumulative, ElementsAre(2, 3, 4, 5));
  ASSERT_EQ(value->positive.size(), 1u);
  EXPECT_THAT(value->positive[0].counts, ElementsAre(6));
}

TEST(NativeHistogramTest, AClonesLifeIsItsOwn) {
  NativeHistogram histogram = Make(3, {1});
  histogram.Observe(0.5);
  NativeHistogram clone = histogram.Clone();
  histogram.Observe(2);
  EXPECT_EQ(clone.count(), 1u);
  clone.Observe(0.25, 5);
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_THAT(clone.Snapshot()->cumulative, ElementsAre(6));
}

void ExpectSame(const HistogramValue& a, const HistogramValue& b) {
  EXPECT_EQ(a.schema, b.schema);
  EXPECT_EQ(a.count, b.count);
  EXPECT_EQ(a.sum, b.sum);
  EXPECT_EQ(a.unplaced, b.unplaced);
  EXPECT_EQ(a.zero_count, b.zero_count);
  EXPECT_EQ(a.cumulative, b.cumulative);
  EXPECT_EQ(a.bounds, b.bounds);
  const auto counts = [](const std::vector<BucketRun>& runs) {
    std::vector<std::pair<int32_t, uint64_t>> all;
    for (const BucketCount& each : FromRuns(runs)) all.emplace_back(each.index, each.count);
    return all;
  };
  EXPECT_EQ(counts(a.positive), counts(b.positive));
  EXPECT_EQ(counts(a.negative), counts(b.negative));
}

TEST(FrozenHistogramsTest, HoldsWhatEachWasThen) {
  const auto layout = HistogramLayout::Make(3, {0.001, 0.01, 1}).value();
  const auto plain = HistogramLayout::Make(5, {}).value();
  std::vector<NativeHistogram> histograms;
  for (int i = 0; i < 4; ++i) histograms.emplace_back(i % 2 == 0 ? layout : plain);
  FrozenHistograms frozen;
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> values(-5, 3);
  for (int round = 0; round < 20; ++round) {
    for (NativeHistogram& histogram : histograms) {
      for (int i = 0; i < 20; ++i) histogram.Observe(values(random));
    }
    // Outliers, overflows and what has no place, of some but not of all.
    histograms[1].Observe(-2.5);
    histograms[1].Observe(0);
    histograms[2].Observe(1e300, uint64_t{5} << 32);
    histograms[2].Observe(0.5, uint64_t{3} << 32);
    histograms[3].AddUnplaced(4, 1.5);
    std::vector<std::shared_ptr<const HistogramValue>> expected;
    frozen.Clear();
    for (const NativeHistogram& histogram : histograms) {
      frozen.Add(histogram);
      expected.push_back(histogram.Snapshot());
    }
    for (NativeHistogram& histogram : histograms) histogram.Observe(0.7, 3);
    ASSERT_EQ(frozen.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) ExpectSame(*frozen.Value(i), *expected[i]);
  }
}

TEST(FrozenHistogramsTest, HoldsEmptyOnes) {
  FrozenHistograms frozen;
  NativeHistogram histogram = Make(3, {1});
  frozen.Add(histogram);
  ExpectSame(*frozen.Value(0), *histogram.Snapshot());
}

TEST(NativeHistogramTest, SurvivesAMove) {
  NativeHistogram histogram = Make(3, {1});
  histogram.Observe(0.5);
  NativeHistogram moved = std::move(histogram);
  moved.Observe(2);
  EXPECT_THAT(moved.Snapshot()->cumulative, ElementsAre(1));
  EXPECT_EQ(moved.count(), 2u);
}

TEST(NativeHistogramTest, ATypicalSeriesIsSmall) {
  NativeHistogram histogram = Make(3, {0.001, 0.01, 0.1, 1, 10});
  for (double value = 0.002; value < 0.2; value *= 1.01) histogram.Observe(value);
  EXPECT_LE(histogram.MemoryBytes(), 640u);
}

TEST(NativeHistogramTest, ZeroTimesIsNothing) {
  NativeHistogram histogram = Make(3, {1});
  histogram.Observe(0.5, 0);
  EXPECT_EQ(histogram.count(), 0u);
}

}  // namespace
}  // namespace spire_exporter
