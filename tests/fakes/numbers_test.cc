#include "tests/fakes/numbers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace spire_exporter::fakes {
namespace {

std::string Written(void (*append)(double, std::string*), double value) {
  std::string text;
  append(value, &text);
  return text;
}

// The expectations are lines of recorded datagrams and pages.
TEST(NumbersTest, ShortestNeverHasAnExponent) {
  EXPECT_EQ(Written(AppendShortest, 1), "1");
  EXPECT_EQ(Written(AppendShortest, 0), "0");
  EXPECT_EQ(Written(AppendShortest, 1795297736), "1795297736");
  EXPECT_EQ(Written(AppendShortest, ThroughFloat32(1439.7527)), "1439.752685546875");
  EXPECT_EQ(Written(AppendShortest, ThroughFloat32(-62135596800)), "-62135595008");
  EXPECT_EQ(Written(AppendShortest, 1e300).size(), 301U);
}

TEST(NumbersTest, TimersHaveSixDecimals) {
  EXPECT_EQ(Written(AppendSixDecimals, ThroughFloat32(37.250114)), "37.250114");
  EXPECT_EQ(Written(AppendSixDecimals, ThroughFloat32(1.0457731)), "1.045773");
  EXPECT_EQ(Written(AppendSixDecimals, 4), "4.000000");
  EXPECT_EQ(Written(AppendSixDecimals, ThroughFloat32(5925960)), "5925960.000000");
}

TEST(NumbersTest, PageValuesTakeAnExponentFromAMillionAndBelowOneTenThousandth) {
  EXPECT_EQ(Written(AppendPageValue, 281088), "281088");
  EXPECT_EQ(Written(AppendPageValue, 1e6), "1e+06");
  EXPECT_EQ(Written(AppendPageValue, 1795296256), "1.795296256e+09");
  EXPECT_EQ(Written(AppendPageValue, 9223372036854775807.0), "9.223372036854776e+18");
  EXPECT_EQ(Written(AppendPageValue, -62135595008), "-6.2135595008e+10");
  EXPECT_EQ(Written(AppendPageValue, 0.000102121), "0.000102121");
  EXPECT_EQ(Written(AppendPageValue, 4.079e-05), "4.079e-05");
  EXPECT_EQ(Written(AppendPageValue, ThroughFloat32(0.23215)), "0.23215000331401825");
  EXPECT_EQ(Written(AppendPageValue, std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(Written(AppendPageValue, -std::numeric_limits<double>::infinity()), "-Inf");
}

TEST(NumbersTest, Fnv1aHasTheKnownValues) {
  EXPECT_EQ(Fnv1a(""), 0x811c9dc5U);
  EXPECT_EQ(Fnv1a("a"), 0xe40c292cU);
  EXPECT_EQ(Fnv1a("foobar"), 0xbf9cf968U);
}

TEST(NumbersTest, DrawsRepeatWithTheSeedAndStandAroundTheMedian) {
  Random one(7);
  Random same(7);
  Random other(8);
  std::vector<double> values;
  for (int i = 0; i < 10'000; ++i) {
    const double value = one.LogNormal(2.5, 0.5);
    ASSERT_EQ(value, same.LogNormal(2.5, 0.5));
    values.push_back(value);
  }
  EXPECT_NE(one.Next(), other.Next());
  std::sort(values.begin(), values.end());
  EXPECT_NEAR(values[5000], 2.5, 0.1);
  // exp(sigma * 1.2816) above the median.
  EXPECT_NEAR(values[9000], 2.5 * 1.898, 0.2);
}

}  // namespace
}  // namespace spire_exporter::fakes
