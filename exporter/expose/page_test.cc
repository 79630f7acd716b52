#include "exporter/expose/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "exporter/expose/test_pages.h"

namespace spire_exporter {
namespace {

constexpr std::array kKind = {LabelDescription{"kind", "any"}};

constexpr FamilyDescription Of(std::string_view name, MetricType type,
                               std::span<const LabelDescription> labels = {}) {
  FamilyDescription description;
  description.name = name;
  description.type = type;
  description.labels = labels;
  return description;
}

constexpr FamilyDescription kAlpha = Of("alpha", MetricType::kGauge, kKind);
constexpr FamilyDescription kAlphaCounter = Of("alpha", MetricType::kCounter, kKind);
constexpr FamilyDescription kBeta = Of("beta", MetricType::kGauge, kKind);
constexpr FamilyDescription kProcessGauge = Of("process", MetricType::kGauge);

std::shared_ptr<const Snapshot> One(
    const FamilyDescription& description,
    std::initializer_list<std::pair<std::string_view, double>> series) {
  FamilyBuilder builder;
  for (const auto& [kind, value] : series) builder.Add(description, {kind}, value);
  return Take(builder);
}

std::shared_ptr<const Snapshot> Plain(std::initializer_list<const FamilyDescription*> families) {
  FamilyBuilder builder;
  for (const FamilyDescription* family : families) {
    if (family->type == MetricType::kHistogram || family->type == MetricType::kGaugeHistogram) {
      builder.Add(*family, {}, ClassicHistogram({}, {}, 0, 0));
    } else {
      builder.Add(*family, {}, 1);
    }
  }
  return Take(builder);
}

std::vector<std::string_view> Names(const Page& page) {
  std::vector<std::string_view> names;
  for (const PageFamily& family : page.families()) names.push_back(family.description->name);
  return names;
}

std::vector<std::string_view> Kinds(const PageFamily& family) {
  std::vector<std::string_view> kinds;
  for (const Series* series : family.series) kinds.push_back(series->labels->Get("kind"));
  return kinds;
}

TEST(PageTest, MergesFamiliesByNameAndSortsEverything) {
  const Page page = Page::Merge(
      {One(kBeta, {{"z", 1}, {"a", 2}}), One(kAlpha, {{"m", 3}}), nullptr, One(kBeta, {{"k", 4}})});
  EXPECT_THAT(Names(page), testing::ElementsAre("alpha", "beta"));
  EXPECT_THAT(Kinds(page.families()[1]), testing::ElementsAre("a", "k", "z"));
  EXPECT_EQ(page.series_count(), 4u);
  EXPECT_EQ(page.report().total(), 0u);
}

TEST(PageTest, ShowsNoMoreDetailThanAsked) {
  FamilyDescription minimal = kAlpha, full = kBeta;
  minimal.detail = Detail::kMinimal;
  full.detail = Detail::kFull;
  const auto shown = [&](Detail most) {
    return Names(Page::Merge(
        {One(minimal, {{"a", 1}}), One(full, {{"a", 1}}), Plain({&kProcessGauge})}, most));
  };
  EXPECT_THAT(shown(Detail::kMinimal), testing::ElementsAre("alpha"));
  EXPECT_THAT(shown(Detail::kStandard), testing::ElementsAre("alpha", "process"));
  EXPECT_THAT(shown(Detail::kFull), testing::ElementsAre("alpha", "beta", "process"));
}

TEST(PageTest, KeepsTheFirstOfEqualSeriesAndCountsTheRest) {
  const Page page = Page::Merge(
      {One(kAlpha, {{"b", 1}}), One(kAlpha, {{"a", 2}, {"b", 3}}), One(kAlpha, {{"b", 4}})});
  ASSERT_EQ(page.families().size(), 1u);
  ASSERT_THAT(Kinds(page.families()[0]), testing::ElementsAre("a", "b"));
  EXPECT_EQ(page.families()[0].series[1]->value, 1);
  EXPECT_EQ(page.report().duplicate_series, 2u);
}

TEST(PageTest, KeepsTheFirstOfTwoTypesOfOneName) {
  const Page page = Page::Merge({One(kAlphaCounter, {{"a", 1}}), One(kAlpha, {{"b", 2}})});
  ASSERT_EQ(page.families().size(), 1u);
  EXPECT_EQ(page.families()[0].description, &kAlphaCounter);
  EXPECT_THAT(Kinds(page.families()[0]), testing::ElementsAre("a"));
  EXPECT_EQ(page.report().type_conflicts, 1u);
}

TEST(PageTest, LeavesOutFamiliesWithoutSeries) {
  FamilyBuilder builder;
  builder.Declare(kAlpha);
  builder.Add(kBeta, {"a"}, 1);
  EXPECT_THAT(Names(Page::Merge({Take(builder)})), testing::ElementsAre("beta"));
  EXPECT_TRUE(Page::Merge({}).families().empty());
}

TEST(PageTest, OwnsItsSnapshots) {
  std::weak_ptr<const Snapshot> weak;
  {
    auto snapshot = One(kAlpha, {{"a", 7}});
    weak = snapshot;
    Page first = Page::Merge({std::move(snapshot)});
    const Page second = std::move(first);
    EXPECT_FALSE(weak.expired());
    EXPECT_EQ(second.families()[0].series[0]->value, 7);
  }
  EXPECT_TRUE(weak.expired());
}

TEST(PageTest, DropsOneOfTwoFamiliesThatShareASampleName) {
  constexpr FamilyDescription kHistogram = Of("h", MetricType::kHistogram);
  constexpr FamilyDescription kHistogramCount = Of("h_count", MetricType::kGauge);
  constexpr FamilyDescription kHistogramAge = Of("h_age", MetricType::kGauge);
  constexpr FamilyDescription kCounter = Of("c_total", MetricType::kCounter);
  constexpr FamilyDescription kSameBase = Of("c", MetricType::kGauge);
  constexpr FamilyDescription kInfo = Of("i_info", MetricType::kInfo);
  constexpr FamilyDescription kLonger = Of("i_information", MetricType::kGauge);
  const Page page = Page::Merge({Plain(
      {&kHistogramCount, &kHistogram, &kHistogramAge, &kCounter, &kSameBase, &kInfo, &kLonger})});
  EXPECT_THAT(Names(page), testing::ElementsAre("c", "h", "h_age", "i_info", "i_information"));
  EXPECT_EQ(page.report().name_clashes, 2u);
  EXPECT_EQ(page.series_count(), 5u);
}

TEST(PageTest, LeavesOutSeriesThatNoFormatCanShow) {
  static constexpr std::array kBound = {LabelDescription{"le", "reserved"}};
  constexpr FamilyDescription kReserved = Of("r", MetricType::kHistogram, kBound);
  FamilyBuilder builder;
  builder.Add(kReserved, {"1"}, ClassicHistogram({}, {}, 1, 1));
  builder.Add(kReserved, {""}, ClassicHistogram({1, 2}, {1, 2}, 2, 2));
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->families = builder.Take();
  snapshot->families[0].series.push_back({LabelSet::Empty(), 1, nullptr, 0});
  snapshot->families[0].series.push_back(
      {LabelSet::Empty(), 0, ClassicHistogram({1, 2}, {1}, 2, 2), 0});
  snapshot->families[0].series.push_back({nullptr, 0, ClassicHistogram({}, {}, 1, 1), 0});
  const Page page = Page::Merge({snapshot});
  EXPECT_EQ(page.series_count(), 1u);
  EXPECT_EQ(page.report().malformed_series, 4u);
}

TEST(PageTest, BaseNameIsWhatOpenMetricsCallsTheFamily) {
  EXPECT_EQ(BaseName(Of("x_total", MetricType::kCounter)), "x");
  EXPECT_EQ(BaseName(Of("x_total", MetricType::kGauge)), "x_total");
  EXPECT_EQ(BaseName(Of("x_info", MetricType::kInfo)), "x");
  EXPECT_EQ(BaseName(Of("x", MetricType::kCounter)), "x");
  EXPECT_EQ(BaseName(Of("_total", MetricType::kCounter)), "_total");
}

}  // namespace
}  // namespace spire_exporter
