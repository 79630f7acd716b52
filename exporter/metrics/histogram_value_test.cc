#include "exporter/metrics/histogram_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "exporter/metrics/histogram.h"
#include "exporter/metrics/random_test_util.h"

namespace spire_exporter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

HistogramValue Observed(int schema, std::vector<double> bounds, std::vector<double> values) {
  NativeHistogram histogram(*HistogramLayout::Make(schema, std::move(bounds)));
  for (const double value : values) histogram.Observe(value);
  return *histogram.Snapshot();
}

TEST(BucketCountsTest, ShortGapsAreBridgedAndLongOnesAreNot) {
  const BucketCounts counts = {{-3, 1}, {0, 2}, {4, 3}, {5, 4}};
  const auto runs = MakeRuns(counts);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].first, -3);
  EXPECT_THAT(runs[0].counts, ElementsAre(1, 0, 0, 2));
  EXPECT_EQ(runs[1].first, 4);
  EXPECT_THAT(runs[1].counts, ElementsAre(3, 4));
  EXPECT_EQ(BucketsInRuns(counts), 6u);
  const BucketCounts back = FromRuns(runs);
  ASSERT_EQ(back.size(), counts.size());
  for (size_t i = 0; i < back.size(); ++i) {
    EXPECT_EQ(back[i].index, counts[i].index);
    EXPECT_EQ(back[i].count, counts[i].count);
  }
}

TEST(BucketCountsTest, NoneMakeNoRuns) {
  EXPECT_THAT(MakeRuns({}), IsEmpty());
  EXPECT_EQ(BucketsInRuns({}), 0u);
  BucketCounts none;
  Coarsen(none, 2);
  EXPECT_THAT(none, IsEmpty());
}

TEST(AtSchemaTest, NeighboursBecomeOne) {
  const HistogramValue fine = Observed(1, {}, {1.2, 1.5, 2.5, 0.9});
  const HistogramValue coarse = AtSchema(fine, 0);
  EXPECT_EQ(coarse.schema, 0);
  ASSERT_EQ(coarse.positive.size(), 1u);
  EXPECT_EQ(coarse.positive[0].first, 0);
  EXPECT_THAT(coarse.positive[0].counts, ElementsAre(1, 2, 1));
  EXPECT_EQ(AtSchema(coarse, 1).schema, 0) << "resolution does not come back";
}

TEST(MergeTest, TheCoarserSchemaAndTheCommonBounds) {
  const HistogramValue a = Observed(3, {1, 2, 4}, {0.5, 1.5, 3, 5});
  const HistogramValue b = Observed(0, {0.5, 1, 4}, {0.7, 3.5});
  const HistogramValue merged = Merge(a, b);
  EXPECT_EQ(merged.schema, 0);
  EXPECT_EQ(merged.count, 6u);
  EXPECT_DOUBLE_EQ(merged.sum, 14.2);
  EXPECT_THAT(*merged.bounds, ElementsAre(1, 4));
  EXPECT_THAT(merged.cumulative, ElementsAre(2, 5));
  ASSERT_EQ(merged.positive.size(), 1u);
  EXPECT_EQ(merged.positive[0].first, -1);
  EXPECT_THAT(merged.positive[0].counts, ElementsAre(1, 1, 1, 2, 1));
}

TEST(MergeTest, SharesEqualBounds) {
  const auto layout = *HistogramLayout::Make(3, {1, 2});
  NativeHistogram a(layout);
  NativeHistogram b(layout);
  a.Observe(1);
  b.Observe(2);
  EXPECT_EQ(Merge(*a.Snapshot(), *b.Snapshot()).bounds, layout->bounds());
}

TEST(MergeTest, WhoPlacedNothingHasNoSayInTheBounds) {
  HistogramValue unplaced;
  unplaced.count = unplaced.unplaced = 5;
  unplaced.sum = 2;
  const HistogramValue a = Observed(3, {1, 2}, {1.5});
  for (const HistogramValue& merged : {Merge(a, unplaced), Merge(unplaced, a)}) {
    EXPECT_EQ(merged.count, 6u);
    EXPECT_EQ(merged.unplaced, 5u);
    EXPECT_EQ(merged.sum, 3.5);
    EXPECT_THAT(merged.cumulative, ElementsAre(0, 1));
  }
  EXPECT_THAT(Merge(Observed(3, {1}, {}), unplaced).cumulative, IsEmpty());
  EXPECT_THAT(Merge(Observed(3, {1}, {}), Observed(3, {1}, {})).cumulative, ElementsAre(0));
}

// As a page of classic histograms gives it.
HistogramValue PlacedClassically(std::vector<double> bounds, std::vector<uint64_t> cumulative,
                                 uint64_t count) {
  HistogramValue value;
  value.count = count;
  value.bounds = std::make_shared<const std::vector<double>>(std::move(bounds));
  value.cumulative = std::move(cumulative);
  return value;
}

TEST(MergeTest, PlacedClassicallyOnlyStaysSo) {
  const HistogramValue classic = PlacedClassically({1, 2, 4}, {2, 5, 9}, 10);
  const HistogramValue twice = Merge(classic, classic);
  EXPECT_EQ(twice.count, 20u);
  EXPECT_EQ(twice.unplaced, 0u);
  EXPECT_THAT(twice.cumulative, ElementsAre(4, 10, 18));

  const HistogramValue both = Observed(3, {2, 4}, {0, 1.5, 3, 3});
  for (const HistogramValue& merged : {Merge(classic, both), Merge(both, classic)}) {
    EXPECT_EQ(merged.count, 14u);
    EXPECT_EQ(merged.unplaced, 0u);
    EXPECT_THAT(*merged.bounds, ElementsAre(2, 4));
    EXPECT_THAT(merged.cumulative, ElementsAre(7, 13));
    EXPECT_THAT(merged.positive, IsEmpty());
    EXPECT_EQ(merged.zero_count, 0u);
    EXPECT_EQ(merged.zero_threshold, 0);
  }
  const HistogramValue apart = Merge(classic, Observed(3, {3}, {1.5, 3}));
  EXPECT_EQ(apart.count, 12u);
  EXPECT_EQ(apart.unplaced, 12u);
  EXPECT_THAT(apart.cumulative, IsEmpty());
  EXPECT_THAT(apart.positive, IsEmpty());
}

TEST(MergeTest, TheWiderZeroBucketTakesWhatItCovers) {
  HistogramValue wide;
  wide.schema = 0;
  wide.zero_threshold = 0.3;  // inside (0.25, 0.5]
  wide.zero_count = wide.count = 2;
  const HistogramValue narrow = Observed(0, {}, {0.1, 0.3, 0.4, -0.2, 0.7, -0.7});
  for (const HistogramValue& merged : {Merge(wide, narrow), Merge(narrow, wide)}) {
    EXPECT_EQ(merged.zero_threshold, 0.5);
    EXPECT_EQ(merged.zero_count, 6u);
    EXPECT_EQ(merged.count, 8u);
    ASSERT_EQ(merged.positive.size(), 1u);
    EXPECT_THAT(merged.positive[0].counts, ElementsAre(1));
    EXPECT_THAT(merged.negative[0].counts, ElementsAre(1));
  }
}

TEST(MergeTest, StaysWithin160Buckets) {
  std::vector<double> low;
  std::vector<double> high;
  for (int i = 0; i < 150; ++i) {
    low.push_back(BucketUpperBound(i - 150, 5));
    high.push_back(BucketUpperBound(i + 1, 5));
  }
  const HistogramValue merged = Merge(Observed(5, {}, low), Observed(5, {}, high));
  EXPECT_EQ(merged.schema, 4);
  EXPECT_EQ(merged.count, 300u);
}

TEST(QuantileTest, NothingPlacedOrNoQuantile) {
  EXPECT_FALSE(Quantile(HistogramValue{}, 0.5).has_value());
  HistogramValue unplaced;
  unplaced.count = unplaced.unplaced = 3;
  EXPECT_FALSE(Quantile(unplaced, 0.5).has_value());
  const HistogramValue one = Observed(3, {}, {1});
  EXPECT_FALSE(Quantile(one, -0.1).has_value());
  EXPECT_FALSE(Quantile(one, 1.1).has_value());
  EXPECT_FALSE(Quantile(one, std::nan("")).has_value());
  EXPECT_TRUE(Quantile(one, 0).has_value());
}

TEST(QuantileTest, ExponentialInsideANativeBucket) {
  const HistogramValue value = Observed(0, {}, {1.5, 1.5, 1.5, 1.5});  // all in (1, 2]
  EXPECT_DOUBLE_EQ(*Quantile(value, 0), 1);
  EXPECT_DOUBLE_EQ(*Quantile(value, 0.5), std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(*Quantile(value, 1), 2);
}

TEST(QuantileTest, NegativeBucketsAreInOrderOfTheirValues) {
  const HistogramValue value = Observed(0, {}, {-3, -1.5, 0, 1.5});
  EXPECT_DOUBLE_EQ(*Quantile(value, 0), -4);
  EXPECT_DOUBLE_EQ(*Quantile(value, 0.125), -std::sqrt(8.0));
  EXPECT_DOUBLE_EQ(*Quantile(value, 0.375), -std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(*Quantile(value, 0.75), kZeroThreshold);
  EXPECT_DOUBLE_EQ(*Quantile(value, 1), 2);
}

TEST(QuantileTest, TheZeroBucketLeansToTheSideThatIsUsed) {
  HistogramValue value;
  value.zero_threshold = 1;
  value.zero_count = value.count = 4;
  EXPECT_DOUBLE_EQ(*Quantile(value, 0.25), 0.25);
  value.negative = {{3, {4}}};
  value.count = 8;
  EXPECT_DOUBLE_EQ(*Quantile(value, 0.75), -0.5);
}

TEST(QuantileTest, InfiniteObservationsAreInfiniteQuantiles) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const HistogramValue value = Observed(3, {}, {-kInfinity, 1, kInfinity});
  EXPECT_EQ(*Quantile(value, 0.1), -kInfinity);
  EXPECT_NEAR(*Quantile(value, 0.5), 1, 0.1);
  EXPECT_EQ(*Quantile(value, 0.99), kInfinity);
}

TEST(QuantileTest, ClassicBucketsServeWhenThereAreNoOthers) {
  HistogramValue value;
  value.bounds = std::make_shared<const std::vector<double>>(std::vector<double>{1, 2, 4});
  value.cumulative = {2, 2, 6};
  value.count = 8;
  EXPECT_DOUBLE_EQ(*Quantile(value, 0.125), 0.5);
  EXPECT_DOUBLE_EQ(*Quantile(value, 0.5), 3);
  EXPECT_DOUBLE_EQ(*Quantile(value, 0.9), 4) << "beyond the highest bound";
  value.bounds = std::make_shared<const std::vector<double>>(std::vector<double>{-1, 2, 4});
  EXPECT_DOUBLE_EQ(*Quantile(value, 0.125), -1);
}

TEST(QuantileTest, WithinOneBucketOfTheTruth) {
  TestRandom random(7);
  std::vector<double> values;
  for (int i = 0; i < 10'000; ++i) values.push_back(random.LogUniform(1e-3, 1e2));
  const HistogramValue value = Observed(3, {}, values);
  std::sort(values.begin(), values.end());
  const double factor = std::exp2(1.0 / 8);
  for (const double q : {0.01, 0.25, 0.5, 0.9, 0.99, 0.999}) {
    const double truth = values[static_cast<size_t>(std::ceil(q * 10'000)) - 1];
    EXPECT_GE(*Quantile(value, q), truth / factor) << q;
    EXPECT_LE(*Quantile(value, q), truth * factor) << q;
  }
}

}  // namespace
}  // namespace spire_exporter
