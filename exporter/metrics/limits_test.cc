#include "exporter/metrics/limits.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>

namespace spire_exporter {
namespace {

constexpr std::array kLabels = {LabelDescription{"a", "anything"}};
constexpr FamilyDescription kFirst{
    .name = "first", .labels = kLabels, .help = "A gauge.", .series_max = 4};
constexpr FamilyDescription kSecond{
    .name = "second", .labels = kLabels, .help = "A gauge.", .series_max = 100};

FamilyList Numbered(int first, int second) {
  FamilyBuilder builder;
  for (int i = 0; i < first; ++i) builder.Add(kFirst, {std::to_string(i)}, i);
  for (int i = 0; i < second; ++i) builder.Add(kSecond, {std::to_string(i)}, i);
  return builder.Take();
}

TEST(LimitsTest, LeaveWhatIsWithinThemAlone) {
  FamilyList families = Numbered(4, 6);
  const auto labels = families[0].series[0].labels;
  const LimitCounts counts = ApplyLimits(families, {.series_max = 10, .label_length_max = 1});
  EXPECT_EQ(counts.series, 0u);
  EXPECT_EQ(counts.labels_cut, 0u);
  EXPECT_EQ(families[0].series.size(), 4u);
  EXPECT_EQ(families[1].series.size(), 6u);
  EXPECT_EQ(families[0].series[0].labels, labels) << "copied for nothing";
}

TEST(LimitsTest, AFamilyKeepsToItsDescription) {
  FamilyList families = Numbered(7, 1);
  EXPECT_EQ(ApplyLimits(families, {}).series, 3u);
  ASSERT_EQ(families[0].series.size(), 4u);
  EXPECT_EQ(families[0].series.back().labels->rendered(), R"(a="3")");
  EXPECT_EQ(families[1].series.size(), 1u);
}

TEST(LimitsTest, TheLastOfTheListGoFirst) {
  FamilyList families = Numbered(3, 5);
  EXPECT_EQ(ApplyLimits(families, {.series_max = 4, .label_length_max = 128}).series, 4u);
  EXPECT_EQ(families[0].series.size(), 3u);
  EXPECT_EQ(families[1].series.size(), 1u);
  families = Numbered(3, 5);
  EXPECT_EQ(ApplyLimits(families, {.series_max = 0, .label_length_max = 128}).series, 8u);
  EXPECT_TRUE(families[0].series.empty());
  EXPECT_EQ(families.size(), 2u) << "families stay, without series";
}

TEST(LimitsTest, ValuesAreCutBetweenCharacters) {
  const std::array<std::pair<size_t, std::string>, 5> cases = {{
      {5,
       "a\xe2\x82\xac"
       "b"},  // fits: a, the euro sign, b
      {4, "a\xe2\x82\xac"},
      {3, "a"},
      {2, "a"},
      {1, "a"},
  }};
  for (const auto& [bytes, expected] : cases) {
    FamilyBuilder builder;
    builder.Add(kFirst,
                {"a\xe2\x82\xac"
                 "b"},
                1);
    FamilyList families = builder.Take();
    const LimitCounts counts = ApplyLimits(families, {.series_max = 9, .label_length_max = bytes});
    EXPECT_EQ(families[0].series[0].labels->Get("a"), expected) << bytes;
    EXPECT_EQ(counts.labels_cut, bytes == 5 ? 0u : 1u);
    EXPECT_EQ(counts.series, 0u);
  }
}

TEST(LimitsTest, OfSeriesThatCuttingMadeEqualTheFirstStays) {
  FamilyBuilder builder;
  builder.Add(kFirst, {"abc1"}, 1);
  builder.Add(kFirst, {"abc2"}, 2);
  builder.Add(kFirst, {"abc"}, 3);
  builder.Add(kFirst, {"b"}, 4);
  FamilyList families = builder.Take();
  LimitCounts counts = ApplyLimits(families, {.series_max = 9, .label_length_max = 3});
  EXPECT_EQ(counts.labels_cut, 2u);
  EXPECT_EQ(counts.series, 2u);
  ASSERT_EQ(families[0].series.size(), 2u);
  EXPECT_EQ(families[0].series[0].value, 1);
  EXPECT_EQ(families[0].series[0].labels->rendered(), R"(a="abc")");
  EXPECT_EQ(families[0].series[1].value, 4);
}

}  // namespace
}  // namespace spire_exporter
