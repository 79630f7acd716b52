#include "exporter/expose/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace spire_exporter {
namespace {

std::string Value(double value) {
  char text[kNumberMax];
  return {text, WriteValue(text, value)};
}

std::string Bound(double bound) {
  char text[kNumberMax];
  return {text, WriteBound(text, bound)};
}

TEST(NumberTest, WritesIntegralValuesAsIntegers) {
  EXPECT_EQ(Value(0), "0");
  EXPECT_EQ(Value(9), "9");
  EXPECT_EQ(Value(10), "10");
  EXPECT_EQ(Value(-7), "-7");
  EXPECT_EQ(Value(100000), "100000");
  EXPECT_EQ(Value(999999999999999), "999999999999999");
  EXPECT_EQ(Value(-999999999999999), "-999999999999999");
  EXPECT_EQ(Value(1e15), "1e+15");
}

TEST(NumberTest, WritesCountsOfAnyLength) {
  uint64_t count = 0;
  for (int digits = 1; digits <= 20; ++digits) {
    for (const uint64_t near : {count - 1, count, count + 1}) {
      char text[kNumberMax];
      EXPECT_EQ(std::string(text, WriteCount(text, near)), std::to_string(near));
    }
    count = count == 0 ? 10 : count * 10;
  }
}

TEST(NumberTest, WritesOthersInTheShortestFormThatRoundTrips) {
  EXPECT_EQ(Value(0.1), "0.1");
  EXPECT_EQ(Value(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(Value(1800000000.25), "1800000000.25");
  EXPECT_EQ(Value(5e-324), "5e-324");
  EXPECT_EQ(Value(-1.7976931348623157e308), "-1.7976931348623157e+308");
}

TEST(NumberTest, KeepsTheSignOfZero) {
  EXPECT_EQ(Value(-0.0), "-0");
}

TEST(NumberTest, WritesNotFiniteValuesAsTheFormatsSpellThem) {
  EXPECT_EQ(Value(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(Value(-std::numeric_limits<double>::infinity()), "-Inf");
  EXPECT_EQ(Value(std::nan("")), "NaN");
  EXPECT_EQ(Value(-std::nan("1")), "NaN");
}

// The examples of OpenMetrics 1.0, "Canonical Numbers", and what Go's strconv.FormatFloat(v, 'g',
// -1, 64) gives for the others.
TEST(NumberTest, WritesBoundsCanonically) {
  const std::pair<double, const char*> bounds[] = {
      {0.0, "0.0"},
      {-0.0, "0.0"},
      {0.001, "0.001"},
      {0.002, "0.002"},
      {0.01, "0.01"},
      {0.1, "0.1"},
      {0.95, "0.95"},
      {0.999, "0.999"},
      {1.0, "1.0"},
      {1.7, "1.7"},
      {10.0, "10.0"},
      {1e-10, "1e-10"},
      {1e-09, "1e-09"},
      {1e-05, "1e-05"},
      {0.0001, "0.0001"},
      {100000.0, "100000.0"},
      {1e+06, "1e+06"},
      {1e+10, "1e+10"},
      {1e+23, "1e+23"},
      {1.1e+23, "1.1e+23"},
      {123456, "123456.0"},
      {1234567, "1.234567e+06"},
      {86400, "86400.0"},
      {2592000, "2.592e+06"},
      {604800.5, "604800.5"},
      {12345678.9, "1.23456789e+07"},
      {-60, "-60.0"},
      {-1e-5, "-1e-05"},
      {0.00012345678901234567, "0.00012345678901234567"}};
  for (const auto& [bound, text] : bounds) EXPECT_EQ(Bound(bound), text);
  EXPECT_EQ(Bound(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(Bound(-std::numeric_limits<double>::infinity()), "-Inf");
}

}  // namespace
}  // namespace spire_exporter
