#include "exporter/metrics/family.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace spire_exporter {
namespace {

using ::testing::ElementsAre;

constexpr std::array<std::string_view, 3> kStates = {"up", "down", "lost"};
constexpr std::array kOneLabel = {LabelDescription{"node", "which"}};
constexpr std::array kStateLabels = {LabelDescription{"node", "which"},
                                     LabelDescription{"state", "how it is", kStates}};
constexpr FamilyDescription kPlain{.name = "plain", .help = "A gauge."};
constexpr FamilyDescription kByNode{.name = "by_node", .labels = kOneLabel, .help = "A gauge."};
constexpr FamilyDescription kNodeState{
    .name = "node_state", .type = MetricType::kStateSet, .labels = kStateLabels, .help = "States."};

std::vector<std::string> Lines(const FamilyList& families) {
  std::vector<std::string> lines;
  for (const Family& family : families) {
    for (const Series& series : family.series) {
      lines.push_back(std::string(family.description->name) + "{" +
                      std::string(series.labels->rendered()) + "} " +
                      std::to_string(static_cast<int>(series.value)));
    }
  }
  return lines;
}

TEST(FamilyBuilderTest, FamiliesComeInOrderOfFirstMention) {
  FamilyBuilder builder;
  builder.Declare(kByNode);
  builder.Add(kPlain, {}, 1);
  builder.Add(kByNode, {"b"}, 2, 1234.5);
  builder.Add(kByNode, {"a"}, 3);
  const FamilyList families = builder.Take();
  EXPECT_THAT(Lines(families),
              ElementsAre(R"(by_node{node="b"} 2)", R"(by_node{node="a"} 3)", "plain{} 1"));
  EXPECT_EQ(families[0].series[0].created_seconds, 1234.5);
}

TEST(FamilyBuilderTest, DeclaredFamiliesAreThereWithoutSeries) {
  FamilyBuilder builder;
  builder.Declare(kPlain);
  const FamilyList families = builder.Take();
  ASSERT_EQ(families.size(), 1u);
  EXPECT_EQ(families[0].description, &kPlain);
  EXPECT_TRUE(families[0].series.empty());
}

TEST(FamilyBuilderTest, ASecondValueReplacesTheFirst) {
  FamilyBuilder builder;
  builder.Add(kByNode, {"a"}, 1);
  builder.Add(kByNode, {"b"}, 2);
  builder.Add(kByNode, {"a"}, 3);
  builder.Add(kByNode, {"a"}, 4);
  EXPECT_THAT(Lines(builder.Take()),
              ElementsAre(R"(by_node{node="a"} 4)", R"(by_node{node="b"} 2)"));
}

TEST(FamilyBuilderTest, StillKnowsItsSeriesAfterAMove) {
  FamilyBuilder first;
  first.Add(kByNode, {"a"}, 1);
  FamilyBuilder second = std::move(first);
  second.Add(kByNode, {"a"}, 2);
  EXPECT_THAT(Lines(second.Take()), ElementsAre(R"(by_node{node="a"} 2)"));
}

TEST(FamilyBuilderTest, StartsAnewAfterTake) {
  FamilyBuilder builder;
  builder.Add(kByNode, {"a"}, 1);
  EXPECT_EQ(builder.Take().size(), 1u);
  EXPECT_TRUE(builder.Take().empty());
  builder.Add(kByNode, {"a"}, 2);
  EXPECT_THAT(Lines(builder.Take()), ElementsAre(R"(by_node{node="a"} 2)"));
}

TEST(FamilyBuilderTest, AWrongNumberOfValuesIsABug) {
  FamilyBuilder builder;
  EXPECT_THROW(builder.Add(kByNode, {}, 1), std::logic_error);
  EXPECT_THROW(builder.Add(kByNode, {"a", "b"}, 1), std::logic_error);
  EXPECT_THROW(builder.AddState(kNodeState, {"a", "b"}, "up"), std::logic_error);
}

TEST(FamilyBuilderTest, AStateSetShowsEveryState) {
  FamilyBuilder builder;
  builder.AddState(kNodeState, {"a"}, "down");
  EXPECT_THAT(Lines(builder.Take()), ElementsAre(R"(node_state{node="a",state="up"} 0)",
                                                 R"(node_state{node="a",state="down"} 1)",
                                                 R"(node_state{node="a",state="lost"} 0)"));
}

TEST(FamilyBuilderTest, AnUnheardOfStateIsNoneOfThem) {
  FamilyBuilder builder;
  builder.AddState(kNodeState, {"a"}, "exploded");
  const FamilyList families = builder.Take();
  ASSERT_EQ(families[0].series.size(), 3u);
  for (const Series& series : families[0].series) EXPECT_EQ(series.value, 0);
}

TEST(FamilyBuilderTest, AStateSetNeedsAClosedSet) {
  FamilyBuilder builder;
  EXPECT_THROW(builder.AddState(kByNode, {}, "up"), std::logic_error);
  EXPECT_THROW(builder.AddState(kPlain, {}, "up"), std::logic_error);
}

TEST(FamilyBuilderTest, HistogramsAndInfos) {
  FamilyBuilder builder;
  const auto value = std::make_shared<HistogramValue>();
  builder.Add(kPlain, {}, value, 7);
  builder.AddInfo(kByNode, {"a"});
  const FamilyList families = builder.Take();
  EXPECT_EQ(families[0].series[0].histogram, value);
  EXPECT_EQ(families[0].series[0].created_seconds, 7);
  EXPECT_EQ(families[1].series[0].value, 1);
}

TEST(DescriptionTest, TypesAreNamedAsOpenMetricsSpellsThem) {
  EXPECT_EQ(MetricTypeName(MetricType::kCounter), "counter");
  EXPECT_EQ(MetricTypeName(MetricType::kGauge), "gauge");
  EXPECT_EQ(MetricTypeName(MetricType::kHistogram), "histogram");
  EXPECT_EQ(MetricTypeName(MetricType::kGaugeHistogram), "gaugehistogram");
  EXPECT_EQ(MetricTypeName(MetricType::kInfo), "info");
  EXPECT_EQ(MetricTypeName(MetricType::kStateSet), "stateset");
  EXPECT_EQ(MetricTypeName(MetricType::kUnknown), "unknown");
  EXPECT_EQ(StabilityName(Stability::kStable), "stable");
  EXPECT_EQ(StabilityName(Stability::kExperimental), "experimental");
  EXPECT_EQ(StabilityName(Stability::kDeprecated), "deprecated");
}

}  // namespace
}  // namespace spire_exporter
