// Holds the branch-free key against the plain algorithm: take the number apart with frexp and
// search the reference bounds.
#include "exporter/metrics/bucket_layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "exporter/metrics/bucket_bounds.h"
#include "exporter/metrics/random_test_util.h"

namespace spire_exporter {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kRandomPatterns = 300'000;
#elif defined(SPIRE_EXPORTER_RANDOM_PATTERNS)
constexpr int kRandomPatterns = SPIRE_EXPORTER_RANDOM_PATTERNS;
#else
constexpr int kRandomPatterns = 29'000'000;
#endif

class Reference {
 public:
  Reference() {
    for (int schema = 0; schema <= kSchemaMax; ++schema) {
      for (size_t i = 0; i < kBoundMantissas.size(); i += size_t{256} >> schema) {
        Bounds(schema).push_back(
            std::bit_cast<double>((uint64_t{1022} << 52) | kBoundMantissas[i]));
      }
    }
  }

  int64_t Index(double magnitude, int schema) const {
    const bool infinite = std::isinf(magnitude);
    if (infinite) magnitude = std::numeric_limits<double>::max();
    int exponent = 0;
    const double fraction = std::frexp(magnitude, &exponent);
    int64_t index = 0;
    if (schema > 0) {
      const std::vector<double>& bounds = Bounds(schema);
      index = std::lower_bound(bounds.begin(), bounds.end(), fraction) - bounds.begin() +
              (int64_t{exponent} - 1) * static_cast<int64_t>(bounds.size());
    } else {
      const int64_t octave = fraction == 0.5 ? exponent - 1 : exponent;
      const int64_t octaves = int64_t{1} << -schema;
      index = octave / octaves + (octave > 0 && octave % octaves != 0 ? 1 : 0);
    }
    return index + (infinite ? 1 : 0);
  }

 private:
  std::vector<double>& Bounds(int schema) { return bounds_[static_cast<size_t>(schema)]; }
  const std::vector<double>& Bounds(int schema) const {
    return bounds_[static_cast<size_t>(schema)];
  }

  std::array<std::vector<double>, kSchemaMax + 1> bounds_;
};

TEST(BucketLayoutTest, BoundsAreThePublishedOnes) {
  constexpr std::array<double, 8> kSchema3 = {0.5,
                                              0.5452538663326288,
                                              0.5946035575013605,
                                              0.6484197773255048,
                                              0.7071067811865475,
                                              0.7711054127039704,
                                              0.8408964152537144,
                                              0.9170040432046711};
  for (int32_t i = 0; i < 8; ++i) {
    EXPECT_EQ(BucketUpperBound(i - 8, 3), kSchema3[static_cast<size_t>(i)]);
  }
  // Schema 8's differ from the correctly rounded powers in this many places, by at most 4 ulp.
  int different = 0;
  for (int i = 0; i < 256; ++i) {
    const auto exact = static_cast<double>(exp2l(static_cast<long double>(i) / 256));
    const auto ulps = static_cast<int64_t>(std::bit_cast<uint64_t>(BucketUpperBound(i, 8)) -
                                           std::bit_cast<uint64_t>(exact));
    EXPECT_LE(std::abs(ulps), 4) << i;
    if (ulps != 0) ++different;
  }
  EXPECT_EQ(different, 178);
}

TEST(BucketLayoutTest, EveryBoundOfEverySchemaAndItsNeighbours) {
  const Reference reference;
  int64_t mismatches = 0;
  int64_t values = 0;
  const auto check = [&](double value, int schema) {
    ++values;
    if (BucketIndex(value, schema) != reference.Index(value, schema)) ++mismatches;
  };
  for (int schema = kSchemaMin; schema <= kSchemaMax; ++schema) {
    const int fine = std::max(schema, 0);
    for (int octave = -1022; octave < 1024; ++octave) {
      for (int32_t i = 0; i < 1 << fine; ++i) {
        const double bound = BucketUpperBound(octave * (1 << fine) + i, fine);
        check(bound, schema);
        check(std::nextafter(bound, 0.0), schema);
        check(std::nextafter(bound, std::numeric_limits<double>::infinity()), schema);
      }
    }
  }
  EXPECT_EQ(mismatches, 0);
  EXPECT_EQ(values, 2046 * 3 * (4 + 511));
}

TEST(BucketLayoutTest, RandomBitPatterns) {
  const Reference reference;
  TestRandom random(1);
  int64_t mismatches = 0;
  for (int i = 0; i < kRandomPatterns; ++i) {
    const uint64_t bits = random.Bits();
    const int schema = i % (kSchemaMax - kSchemaMin + 1) + kSchemaMin;
    const double value = std::bit_cast<double>(bits);
    if (schema >= 0) {
      const KeyFinder finder(schema);
      const uint64_t least = finder.Key(std::bit_cast<uint64_t>(0x1p-1022));
      const uint64_t key = finder.Key(bits);
      const bool ordinary = std::isnormal(value) && value > 0;
      // Those in the bucket of DBL_MIN or of DBL_MAX share its key with others.
      const bool shared = ordinary && (value > 0x1p1023 || key == least);
      if ((key > least && key < finder.InfinityKey()) != ordinary && !shared) ++mismatches;
    }
    if (std::isnan(value) || value == 0) continue;
    const double magnitude = std::abs(value);
    if (BucketIndex(magnitude, schema) != reference.Index(magnitude, schema)) ++mismatches;
  }
  EXPECT_EQ(mismatches, 0);
}

TEST(BucketLayoutTest, UpperBoundsAreInclusive) {
  for (int schema = kSchemaMin; schema <= kSchemaMax; ++schema) {
    for (const int32_t index : {-40, -9, -1, 0, 1, 2, 7, 8, 60}) {
      const double bound = BucketUpperBound(index, schema);
      EXPECT_EQ(BucketIndex(bound, schema), index) << schema;
      EXPECT_EQ(BucketIndex(std::nextafter(bound, 1e300), schema), index + 1) << schema;
    }
  }
}

TEST(BucketLayoutTest, TheEndsOfTheRange) {
  constexpr double kMax = std::numeric_limits<double>::max();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(BucketIndex(kMax, 3), 8192);
  EXPECT_EQ(BucketIndex(kInfinity, 3), 8193);
  EXPECT_EQ(BucketIndex(kMax, -4), 64);
  EXPECT_EQ(BucketIndex(kInfinity, -4), 65);
  EXPECT_EQ(BucketIndex(std::numeric_limits<double>::denorm_min(), 0), -1074);
  EXPECT_EQ(BucketUpperBound(8192, 3), kInfinity);
  EXPECT_EQ(BucketUpperBound(1'000'000'000, -4), kInfinity);
  EXPECT_EQ(BucketUpperBound(-1'000'000'000, -4), 0);
}

TEST(BucketLayoutTest, AZeroThresholdIsABoundOfEverySchema) {
  for (int schema = kSchemaMin; schema <= kSchemaMax; ++schema) {
    EXPECT_EQ(BucketUpperBound(BucketIndex(kZeroThreshold, schema), schema), kZeroThreshold);
  }
}

TEST(BucketLayoutTest, CoarserIndicesHoldTheSameValues) {
  TestRandom random(2);
  for (int i = 0; i < 100'000; ++i) {
    const double value = random.LogUniform(1e-12, 1e12);
    const int fine = random.Integer(kSchemaMin, kSchemaMax);
    const int coarse = random.Integer(kSchemaMin, fine);
    EXPECT_EQ(CoarserIndex(BucketIndex(value, fine), fine - coarse), BucketIndex(value, coarse));
  }
}

}  // namespace
}  // namespace spire_exporter
