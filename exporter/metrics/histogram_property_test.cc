// Random histograms against a model that keeps every value and counts at the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "exporter/metrics/bucket_counts.h"
#include "exporter/metrics/histogram.h"
#include "exporter/metrics/histogram_value.h"
#include "exporter/metrics/random_test_util.h"

namespace spire_exporter {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Expected {
  int32_t schema = 0;
  uint64_t zero_count = 0;
  uint64_t nans = 0;
  BucketCounts positive;
  BucketCounts negative;
  std::vector<uint64_t> cumulative;
};

// The finest schema that is allowed and fits, by counting anew for each.
Expected Model(const std::vector<double>& values, int schema, const std::vector<double>& bounds) {
  Expected expected;
  for (expected.schema = schema;; --expected.schema) {
    std::map<int32_t, uint64_t> positive;
    std::map<int32_t, uint64_t> negative;
    expected.zero_count = expected.nans = 0;
    for (const double value : values) {
      if (std::isnan(value)) {
        ++expected.nans;
      } else if (std::abs(value) <= kZeroThreshold) {
        ++expected.zero_count;
      } else {
        ++(value > 0 ? positive : negative)[BucketIndex(std::abs(value), expected.schema)];
      }
    }
    const auto list = [](const std::map<int32_t, uint64_t>& counts) {
      BucketCounts all;
      for (const auto& [index, count] : counts) all.push_back({index, count});
      return all;
    };
    expected.positive = list(positive);
    expected.negative = list(negative);
    if (expected.schema == kSchemaMin ||
        BucketsInRuns(expected.positive) + BucketsInRuns(expected.negative) <= kNativeBucketsMax) {
      break;
    }
  }
  for (const double bound : bounds) {
    expected.cumulative.push_back(static_cast<uint64_t>(
        std::count_if(values.begin(), values.end(), [&](double v) { return v <= bound; })));
  }
  return expected;
}

uint64_t Total(const std::vector<BucketRun>& runs) {
  uint64_t total = 0;
  for (const BucketRun& run : runs) {
    for (const uint64_t count : run.counts) total += count;
  }
  return total;
}

void ExpectRunsWellFormed(const std::vector<BucketRun>& runs) {
  for (size_t i = 0; i < runs.size(); ++i) {
    ASSERT_FALSE(runs[i].counts.empty());
    EXPECT_NE(runs[i].counts.front(), 0u);
    EXPECT_NE(runs[i].counts.back(), 0u);
    if (i == 0) continue;
    const auto before = static_cast<int64_t>(runs[i - 1].counts.size()) + runs[i - 1].first;
    EXPECT_GT(runs[i].first, before + 1) << "runs that touch or could have been bridged";
  }
}

void ExpectSameRuns(const std::vector<BucketRun>& a, const std::vector<BucketRun>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].first, b[i].first);
    EXPECT_EQ(a[i].counts, b[i].counts);
  }
}

std::vector<double> RandomBounds(TestRandom& random) {
  std::vector<double> bounds;
  const int count = random.Integer(0, 14);
  for (int i = 0; i < count; ++i) {
    switch (random.Integer(0, 9)) {
      case 0:
        bounds.push_back(-random.LogUniform(1e-6, 1e6));
        break;
      case 1:
        bounds.push_back(0);
        break;
      case 2:
        bounds.push_back(random.LogUniform(1e-300, 1e300));
        break;
      case 3:
        bounds.push_back(BucketUpperBound(random.Integer(-60, 60), 3));
        break;
      case 4:
        // Sometimes a pair that only a finer schema parts, sometimes one that none does.
        bounds.push_back(random.LogUniform(1e-3, 1e3));
        bounds.push_back(bounds.back() * (random.OneIn(4) ? 1.0001 : 1.02));
        break;
      default:
        bounds.push_back(random.LogUniform(1e-3, 1e1));
    }
  }
  std::sort(bounds.begin(), bounds.end());
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  return bounds;
}

double RandomValue(TestRandom& random, const std::vector<double>& bounds, bool wild) {
  const int kind = random.Integer(0, wild ? 19 : 6);
  double value = random.LogUniform(1e-4, 1e2);
  if (kind == 0 && !bounds.empty()) {
    value = bounds[static_cast<size_t>(random.Integer(0, static_cast<int>(bounds.size()) - 1))];
  } else if (kind == 1) {
    value = BucketUpperBound(random.Integer(-40, 40), random.Integer(0, kSchemaMax));
  } else if (kind == 10) {
    value = random.LogUniform(1e-300, 1e300);
  } else if (kind == 11) {
    value = -random.LogUniform(1e-6, 1e6);
  } else if (kind == 12) {
    value = random.OneIn(2) ? 0.0 : -0.0;
  } else if (kind == 13 && random.OneIn(10)) {
    value = random.OneIn(2) ? kInfinity : -kInfinity;
  } else if (kind == 14 && random.OneIn(10)) {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (kind == 15) {
    value = std::bit_cast<double>(random.Bits() & 0x000fffffffffffff);  // subnormal
  } else if (kind == 16) {
    value = random.OneIn(2) ? std::numeric_limits<double>::max() : kZeroThreshold;
  }
  if (random.OneIn(4)) value = std::nextafter(value, random.OneIn(2) ? kInfinity : -kInfinity);
  return value;
}

void CompareWithModel(TestRandom& random, bool wild) {
  const int schema = random.Integer(kSchemaMin, kSchemaMax);
  const std::vector<double> bounds = RandomBounds(random);
  const auto layout = HistogramLayout::Make(schema, bounds);
  ASSERT_TRUE(layout.ok());
  NativeHistogram histogram(*layout);
  std::vector<double> values;
  double sum = 0;
  const int count = random.Integer(0, random.OneIn(10) ? 5000 : 300);
  for (int i = 0; i < count; ++i) {
    const double value = RandomValue(random, bounds, wild);
    const auto times = static_cast<size_t>(random.OneIn(20) ? random.Integer(0, 5) : 1);
    if (times == 1) {
      histogram.Observe(value);
    } else {
      histogram.Observe(value, times);
    }
    values.insert(values.end(), times, value);
    if (std::isfinite(value)) sum += value * static_cast<double>(times);
  }

  const auto snapshot = histogram.Snapshot();
  const Expected expected = Model(values, schema, bounds);
  EXPECT_EQ(snapshot->count, values.size());
  EXPECT_EQ(histogram.count(), values.size());
  if (std::isfinite(sum)) {
    EXPECT_EQ(snapshot->sum, sum);
  }
  EXPECT_EQ(snapshot->schema, expected.schema);
  EXPECT_EQ(snapshot->zero_count, expected.zero_count);
  EXPECT_EQ(snapshot->unplaced, expected.nans);
  ExpectSameRuns(snapshot->positive, MakeRuns(expected.positive));
  ExpectSameRuns(snapshot->negative, MakeRuns(expected.negative));
  ExpectRunsWellFormed(snapshot->positive);
  ExpectRunsWellFormed(snapshot->negative);
  EXPECT_EQ(*snapshot->bounds, bounds);
  if (values.size() > expected.nans || values.empty()) {
    EXPECT_EQ(snapshot->cumulative, expected.cumulative);
  } else {
    EXPECT_TRUE(snapshot->cumulative.empty());
  }
  EXPECT_EQ(Total(snapshot->positive) + Total(snapshot->negative) + snapshot->zero_count +
                snapshot->unplaced,
            snapshot->count);
}

TEST(HistogramPropertyTest, OrdinaryValuesCountAsTheModelSays) {
  TestRandom random(3);
  for (int i = 0; i < 1500 && !::testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE(i);
    CompareWithModel(random, false);
  }
}

TEST(HistogramPropertyTest, WildValuesCountAsTheModelSays) {
  TestRandom random(4);
  for (int i = 0; i < 1500 && !::testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE(i);
    CompareWithModel(random, true);
  }
}

TEST(HistogramPropertyTest, MergingIsObservingInOne) {
  TestRandom random(5);
  for (int round = 0; round < 500 && !::testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(round);
    const std::vector<double> bounds = RandomBounds(random);
    const int schema_a = random.Integer(kSchemaMin, kSchemaMax);
    const int schema_b = random.Integer(kSchemaMin, kSchemaMax);
    NativeHistogram a(*HistogramLayout::Make(schema_a, bounds));
    NativeHistogram b(*HistogramLayout::Make(schema_b, bounds));
    NativeHistogram both(*HistogramLayout::Make(std::min(schema_a, schema_b), bounds));
    const int count = random.Integer(1, 300);
    for (int i = 0; i < count; ++i) {
      const double value = RandomValue(random, bounds, true);
      (random.OneIn(3) ? a : b).Observe(value);
      both.Observe(value);
    }
    const HistogramValue merged = Merge(*a.Snapshot(), *b.Snapshot());
    // The parts may each have lost resolution that the whole would have lost as well.
    const HistogramValue whole = AtSchema(*both.Snapshot(), merged.schema);
    EXPECT_EQ(whole.schema, merged.schema);
    EXPECT_EQ(merged.count, whole.count);
    EXPECT_EQ(merged.zero_count, whole.zero_count);
    EXPECT_EQ(merged.zero_threshold, whole.zero_threshold);
    EXPECT_EQ(merged.unplaced, whole.unplaced);
    ExpectSameRuns(merged.positive, whole.positive);
    ExpectSameRuns(merged.negative, whole.negative);
    EXPECT_EQ(merged.cumulative, whole.cumulative);
  }
}

TEST(HistogramPropertyTest, MemoryIsBoundedWhateverIsSent) {
  TestRandom random(6);
  for (int schema = kSchemaMin; schema <= kSchemaMax; ++schema) {
    for (const auto& bounds : {std::vector<double>{}, std::vector<double>{0.001, 0.1, 10}}) {
      NativeHistogram histogram(*HistogramLayout::Make(schema, bounds));
      for (int i = 0; i < 50'000; ++i) {
        histogram.Observe(std::bit_cast<double>(random.Bits()));
        if (i % 5000 < 4500)
          histogram.Observe(random.LogUniform(1, 1e3) * (i < 25'000 ? 1e-30 : 1));
      }
      EXPECT_LE(histogram.MemoryBytes(), 40'000u) << schema;
      const auto snapshot = histogram.Snapshot();
      EXPECT_EQ(snapshot->count, 95'000u) << schema;
      EXPECT_EQ(Total(snapshot->positive) + Total(snapshot->negative) + snapshot->zero_count +
                    snapshot->unplaced,
                snapshot->count);
    }
  }
}

}  // namespace
}  // namespace spire_exporter
