#include "exporter/expose/prometheus_bridge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/summary.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "exporter/expose/prometheus_collectable.h"
#include "exporter/expose/strict_reader.h"
#include "exporter/expose/test_pages.h"
#include "exporter/metrics/histogram_value.h"

namespace spire_exporter {
namespace {

constexpr SystemTime kNow{std::chrono::seconds(1'800'000'000)};

// A source that says what it is told to.
class Canned final : public prometheus::Collectable {
 public:
  explicit Canned(std::vector<prometheus::MetricFamily> families)
      : families_(std::move(families)) {}
  std::vector<prometheus::MetricFamily> Collect() const override { return families_; }

 private:
  const std::vector<prometheus::MetricFamily> families_;
};

class Thrower final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override {
    throw std::runtime_error("out of order");
  }
};

prometheus::MetricFamily Counter(std::string name, std::string label, std::string text,
                                 double value) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = "Help.";
  family.type = prometheus::MetricType::Counter;
  prometheus::ClientMetric metric;
  metric.label.push_back({std::move(label), std::move(text)});
  metric.counter.value = value;
  family.metric.push_back(metric);
  return family;
}

prometheus::MetricFamily Histogram(std::string name,
                                   std::initializer_list<std::pair<double, uint64_t>> buckets,
                                   uint64_t count) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.type = prometheus::MetricType::Histogram;
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  metric.histogram.sample_count = count;
  for (const auto& [bound, upto] : buckets) metric.histogram.bucket.push_back({upto, bound});
  return family;
}

std::string TextOf(const PrometheusBridge& bridge) {
  const auto taken = bridge.Take(kNow);
  return taken ? Render(Format::kText, Page::Merge({taken->snapshot})) : taken.error().what;
}

TEST(PrometheusBridgeTest, TakesEveryTypeOfARegistry) {
  auto registry = std::make_shared<prometheus::Registry>();
  prometheus::BuildCounter()
      .Name("lab_calls_total")
      .Help("Calls\nmade.")
      .Register(*registry)
      .Add({{"service", "a\"b"}})
      .Increment(3);
  prometheus::BuildGauge()
      .Name("lab_level")
      .Help("Level.")
      .Register(*registry)
      .Add({})
      .Set(0.1 + 0.2);
  auto& histogram = prometheus::BuildHistogram()
                        .Name("lab_seconds")
                        .Help("Time.")
                        .Register(*registry)
                        .Add({{"x", "y"}}, prometheus::Histogram::BucketBoundaries{0.5, 1});
  histogram.Observe(0.25);
  histogram.Observe(7);
  auto& summary = prometheus::BuildSummary()
                      .Name("lab_sizes")
                      .Help("Sizes.")
                      .Register(*registry)
                      .Add({}, prometheus::Summary::Quantiles{{0.5, 0.1}});
  summary.Observe(4);
  EXPECT_EQ(TextOf(PrometheusBridge(registry, {}, Undescribed::kTaken)),
            "# HELP lab_calls_total Calls\\nmade.\n"
            "# TYPE lab_calls_total counter\n"
            "lab_calls_total{service=\"a\\\"b\"} 3\n"
            "# HELP lab_level Level.\n"
            "# TYPE lab_level gauge\n"
            "lab_level 0.30000000000000004\n"
            "# HELP lab_seconds Time.\n"
            "# TYPE lab_seconds histogram\n"
            "lab_seconds_bucket{x=\"y\",le=\"0.5\"} 1\n"
            "lab_seconds_bucket{x=\"y\",le=\"1.0\"} 1\n"
            "lab_seconds_bucket{x=\"y\",le=\"+Inf\"} 2\n"
            "lab_seconds_sum{x=\"y\"} 7.25\n"
            "lab_seconds_count{x=\"y\"} 2\n"
            "# HELP lab_sizes Sizes.\n"
            "# TYPE lab_sizes histogram\n"
            "lab_sizes_bucket{le=\"+Inf\"} 1\n"
            "lab_sizes_sum 4\n"
            "lab_sizes_count 1\n");
}

TEST(PrometheusBridgeTest, SnapshotsOutliveTheirSource) {
  std::shared_ptr<const Snapshot> snapshot;
  {
    const PrometheusBridge bridge(
        std::make_shared<Canned>(std::vector{Counter("lab_a_total", "x", "y", 1)}), {},
        Undescribed::kTaken);
    snapshot = bridge.Take(kNow)->snapshot;
  }
  EXPECT_EQ(snapshot->taken, kNow);
  ASSERT_EQ(snapshot->families.size(), 1u);
  EXPECT_EQ(snapshot->families[0].description->name, "lab_a_total");
  EXPECT_EQ(snapshot->families[0].description->help, "Help.");
}

TEST(PrometheusBridgeTest, LeavesOutWhatIsNotDescribed) {
  FamilyDescription described;
  described.name = "lab_a_total";
  described.type = MetricType::kCounter;
  described.help = "Ours.";
  FamilyDescription other_type;
  other_type.name = "lab_b_total";
  other_type.type = MetricType::kGauge;
  const std::array<const FamilyDescription*, 2> all = {&other_type, &described};
  const PrometheusBridge bridge(
      std::make_shared<Canned>(std::vector{Counter("lab_a_total", "x", "y", 1),
                                           Counter("lab_b_total", "x", "y", 1),
                                           Counter("lab_c_total", "x", "y", 1)}),
      all, Undescribed::kLeftOut);
  const auto taken = bridge.Take(kNow);
  ASSERT_TRUE(taken);
  ASSERT_EQ(taken->snapshot->families.size(), 1u);
  EXPECT_EQ(taken->snapshot->families[0].description, &described);
  EXPECT_EQ(taken->families_left_out, 2u);
}

TEST(PrometheusBridgeTest, LeavesOutWhatWouldBreakAPage) {
  const PrometheusBridge bridge(
      std::make_shared<Canned>(std::vector{
          Counter("lab a", "x", "y", 1), Counter("", "x", "y", 1), Counter("9lab", "x", "y", 1),
          Counter("lab_a_total", "x y", "z", 1), Counter("lab_b_total", "__name__", "z", 1),
          Counter("lab_c_total", "", "z", 1), Counter("lab_d_total", "x", "z", std::nan("")),
          Counter("lab_e_total", "x", "z", -1), Counter("lab_f_total", "x", "bad \xC3", 1)}),
      {}, Undescribed::kTaken);
  const auto taken = bridge.Take(kNow);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->families_left_out, 3u);
  EXPECT_EQ(taken->series_left_out, 5u);
  const std::string page = Render(Format::kText, Page::Merge({taken->snapshot}));
  EXPECT_EQ(page,
            "# HELP lab_f_total Help.\n# TYPE lab_f_total counter\n"
            "lab_f_total{x=\"bad \xEF\xBF\xBD\"} 1\n");
}

TEST(PrometheusBridgeTest, HistogramsArePlacedClassically) {
  auto registry = std::make_shared<prometheus::Registry>();
  auto& histogram = prometheus::BuildHistogram()
                        .Name("lab_seconds")
                        .Register(*registry)
                        .Add({}, prometheus::Histogram::BucketBoundaries{1, 2, 4});
  for (const double value : {0.5, 1.5, 1.5, 3.0, 9.0}) histogram.Observe(value);
  const auto taken = PrometheusBridge(registry, {}, Undescribed::kTaken).Take(kNow);
  ASSERT_TRUE(taken);
  const HistogramValue& value = *taken->snapshot->families.at(0).series.at(0).histogram;
  EXPECT_EQ(value.count, 5u);
  EXPECT_EQ(value.unplaced, 0u);
  EXPECT_EQ(Quantile(value, 0.5), 1.75);
  EXPECT_EQ(Quantile(value, 1), 4);
  const HistogramValue twice = Merge(value, value);
  EXPECT_EQ(twice.count, 10u);
  EXPECT_THAT(twice.cumulative, testing::ElementsAre(2, 6, 8));

  // Beside a native one the page says the same in every format, natively nothing.
  const Page page = Page::Merge({taken->snapshot});
  EXPECT_THAT(Render(Format::kOpenMetrics, page),
              testing::HasSubstr("lab_seconds_bucket{le=\"2.0\"} 3\n"));
  auto classic = std::make_shared<Snapshot>();
  classic->families = {{taken->snapshot->families[0].description, {}}};
  classic->families[0].series.push_back(
      {LabelSet::Make({}), 0, ClassicHistogram({1, 2, 4}, {1, 3, 4}, 5, 15.5), 0});
  EXPECT_EQ(Render(Format::kProtobuf, page), Render(Format::kProtobuf, Page::Merge({classic})));
}

TEST(PrometheusBridgeTest, LeavesOutHistogramsThatAreNone) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const PrometheusBridge bridge(
      std::make_shared<Canned>(std::vector{
          Histogram("lab_falling_bounds", {{2, 1}, {1, 2}}, 3),
          Histogram("lab_equal_bounds", {{1, 1}, {1, 2}}, 3),
          Histogram("lab_nan_bound", {{1, 1}, {std::nan(""), 2}}, 3),
          Histogram("lab_first_nan", {{std::nan(""), 1}, {1, 2}}, 3),
          Histogram("lab_below_all", {{-kInfinity, 0}, {1, 2}}, 3),
          Histogram("lab_falling_counts", {{1, 2}, {2, 1}}, 3),
          Histogram("lab_above_count", {{1, 2}, {2, 4}}, 3),
          Histogram("lab_other_count", {{1, 2}, {kInfinity, 4}}, 5),
          Histogram("lab_not_last", {{1, 2}, {kInfinity, 3}, {2, 3}}, 3),
          Histogram("lab_right", {{1, 2}, {2, 2}, {kInfinity, 3}}, 3),
          Histogram("lab_right_too", {{-1, 2}}, 3), Histogram("lab_right_alone", {}, 3)}),
      {}, Undescribed::kTaken);
  const auto taken = bridge.Take(kNow);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->series_left_out, 9u);
  const Page page = Page::Merge({taken->snapshot});
  EXPECT_EQ(page.series_count(), 3u);
  EXPECT_EQ(page.report().malformed_series, 0u);
}

TEST(PrometheusBridgeTest, TurnsAnExceptionIntoAnError) {
  const PrometheusBridge bridge(std::make_shared<Thrower>(), {}, Undescribed::kTaken);
  EXPECT_EQ(TextOf(bridge), "prometheus-cpp metrics: out of order");
}

TEST(PrometheusCollectableTest, ComesBackThroughTheBridgeAsItWas) {
  auto snapshot = std::make_shared<Snapshot>(*EveryType());
  snapshot->families.erase(std::remove_if(snapshot->families.begin(), snapshot->families.end(),
                                          [](const Family& family) {
                                            return family.description->type ==
                                                   MetricType::kGaugeHistogram;
                                          }),
                           snapshot->families.end());
  const auto collectable = MakePrometheusCollectable([&] {
    return std::vector<std::shared_ptr<const Snapshot>>{snapshot, nullptr};
  });
  const std::string expected = Render(Format::kText, Page::Merge({snapshot}));
  std::string back = TextOf(PrometheusBridge(collectable, {}, Undescribed::kTaken));
  // Line feeds in help are lost on the way, and nothing else.
  const std::string feed = "line\\nfeed, in help";
  ASSERT_NE(expected.find(feed), std::string::npos);
  EXPECT_EQ(back.find(feed), std::string::npos);
  const std::string blank = "line feed, in help";
  back.replace(back.find(blank), blank.size(), feed);
  EXPECT_EQ(back, expected);
}

TEST(PrometheusCollectableTest, PrometheusCppCanSerializeIt) {
  const auto collectable = MakePrometheusCollectable(
      [] { return std::vector<std::shared_ptr<const Snapshot>>{EveryType()}; });
  const std::string page = prometheus::TextSerializer().Serialize(collectable->Collect());
  EXPECT_THAT(page, testing::HasSubstr("# TYPE lab_remaining_seconds_gcount gauge\n"));
  EXPECT_THAT(page, testing::HasSubstr(
                        "lab_call_duration_seconds_bucket{service=\"agent\",le=\"+Inf\"} 10\n"));
  EXPECT_THAT(
      page, testing::HasSubstr("lab_remaining_seconds_bucket{service=\"mixed\",le=\"-60.0\"} 1\n"));
}

}  // namespace
}  // namespace spire_exporter
