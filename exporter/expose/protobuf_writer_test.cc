// The bytes of the protobuf writer are those of libprotobuf, for every type and for random pages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <limits>
#include <random>

#include "exporter/expose/metrics.pb.h"
#include "exporter/expose/reference_protobuf.h"
#include "exporter/expose/test_pages.h"
#include "exporter/metrics/histogram.h"

namespace spire_exporter {
namespace {

namespace proto = io::prometheus::client;

constexpr std::array kLabels = {LabelDescription{"a", "any"}, LabelDescription{"b", "any"}};
constexpr FamilyDescription kLatency{.name = "lab_latency_seconds",
                                     .type = MetricType::kHistogram,
                                     .unit = "seconds",
                                     .labels = kLabels,
                                     .help = "How long it took."};

std::shared_ptr<const HistogramLayout> Layout(int schema, std::vector<double> bounds) {
  return HistogramLayout::Make(schema, std::move(bounds)).value();
}

// One histogram in a family of its own, as a reader sees it.
proto::Histogram Read(std::shared_ptr<const HistogramValue> histogram, double created = 0) {
  FamilyBuilder builder;
  builder.Add(kLatency, {"x", "y"}, std::move(histogram), created);
  const Page page = Page::Merge({Take(builder)});
  const std::string body = Render(Format::kProtobuf, page);
  EXPECT_EQ(body, WriteByLibprotobuf(page));
  const std::vector<proto::MetricFamily> families = ReadByLibprotobuf(body);
  return families.size() == 1 ? families[0].metric(0).histogram() : proto::Histogram();
}

uint64_t BucketSum(const proto::Histogram& histogram) {
  int64_t sum = static_cast<int64_t>(histogram.zero_count());
  int64_t count = 0;
  for (const int64_t delta : histogram.positive_delta()) sum += count += delta;
  count = 0;
  for (const int64_t delta : histogram.negative_delta()) sum += count += delta;
  return static_cast<uint64_t>(sum);
}

TEST(ProtobufWriterTest, EveryTypeIsAsLibprotobufWritesIt) {
  const Page page = Page::Merge({EveryType()});
  EXPECT_EQ(Render(Format::kProtobuf, page), WriteByLibprotobuf(page));
  EXPECT_EQ(ReadByLibprotobuf(Render(Format::kProtobuf, page)).size(), page.families().size());
}

TEST(ProtobufWriterTest, AHistogramIsNativeAndClassicAtOnce) {
  NativeHistogram histogram(Layout(3, {0.1, 1}));
  for (const double value : {0.0, 0.05, 0.5, 0.5, 2.0}) histogram.Observe(value);
  const proto::Histogram read = Read(histogram.Snapshot(), 1'800'000'000.25);
  EXPECT_EQ(read.sample_count(), 5u);
  EXPECT_DOUBLE_EQ(read.sample_sum(), 3.05);
  ASSERT_EQ(read.bucket_size(), 2);
  EXPECT_EQ(read.bucket(0).cumulative_count(), 2u);
  EXPECT_EQ(read.bucket(1).cumulative_count(), 4u);
  EXPECT_EQ(read.bucket(1).upper_bound(), 1);
  EXPECT_EQ(read.schema(), 3);
  EXPECT_EQ(read.zero_count(), 1u);
  EXPECT_EQ(read.zero_threshold(), 0x1p-128);
  // 0.05 in (0.0484, 0.0526], 0.5 in (0.459, 0.5], 2 in (1.83, 2]: indices -34, -8 and 8.
  ASSERT_EQ(read.positive_span_size(), 3);
  EXPECT_EQ(read.positive_span(0).offset(), -34);
  EXPECT_EQ(read.positive_span(1).offset(), 25);
  EXPECT_EQ(read.positive_span(2).offset(), 15);
  EXPECT_THAT(read.positive_delta(), testing::ElementsAre(1, 1, -1));
  EXPECT_EQ(read.created_timestamp().seconds(), 1'800'000'000);
  EXPECT_EQ(read.created_timestamp().nanos(), 250'000'000);
}

TEST(ProtobufWriterTest, AnEmptyHistogramIsNativeToo) {
  const proto::Histogram read = Read(NativeHistogram(Layout(3, {1})).Snapshot());
  EXPECT_EQ(read.sample_count(), 0u);
  EXPECT_GT(read.zero_threshold(), 0);  // what Prometheus knows a native histogram by
  EXPECT_EQ(read.bucket_size(), 1);
}

TEST(ProtobufWriterTest, WhatIsKnownByNumberAloneIsInTheBucketOfInfinity) {
  NativeHistogram histogram(Layout(3, {1}));
  histogram.Observe(0.5);
  histogram.AddUnplaced(7, 70);
  const proto::Histogram read = Read(histogram.Snapshot());
  EXPECT_EQ(read.sample_count(), 8u);
  EXPECT_EQ(BucketSum(read), 8u);  // else Prometheus 2.53 refuses the page
  EXPECT_EQ(read.bucket(0).cumulative_count(), 1u);
  ASSERT_EQ(read.positive_span_size(), 2);
  EXPECT_EQ(read.positive_span(0).offset() + 1 + read.positive_span(1).offset(), 8 * 1024 + 1);
}

TEST(ProtobufWriterTest, InfinityAndUnplacedShareABucketWithinTheLimit) {
  NativeHistogram histogram(Layout(8, {}));
  // As many buckets as there may be, with gaps that are not bridged.
  for (int i = 0; i < 160; ++i) histogram.Observe(std::exp2(i / 32.0));
  histogram.AddUnplaced(3, 30);
  const proto::Histogram read = Read(histogram.Snapshot());
  EXPECT_LE(read.positive_delta_size(), 160);
  EXPECT_EQ(BucketSum(read), 163u);

  NativeHistogram infinite(Layout(3, {}));
  infinite.Observe(std::numeric_limits<double>::infinity());
  infinite.AddUnplaced(3, 30);
  EXPECT_THAT(Read(infinite.Snapshot()).positive_delta(), testing::ElementsAre(4));
}

TEST(ProtobufWriterTest, AFamilyWithOneClassicSeriesIsClassic) {
  NativeHistogram native(Layout(3, {1}));
  native.Observe(0.5);
  FamilyBuilder builder;
  builder.Add(kLatency, {"a", ""}, native.Snapshot());
  builder.Add(kLatency, {"b", ""}, ClassicHistogram({1}, {1}, 2, 3));
  const Page page = Page::Merge({Take(builder)});
  const std::string body = Render(Format::kProtobuf, page);
  EXPECT_EQ(body, WriteByLibprotobuf(page));
  const std::vector<proto::MetricFamily> families = ReadByLibprotobuf(body);
  for (const proto::Metric& metric : families.at(0).metric()) {
    EXPECT_FALSE(metric.histogram().has_schema());
    EXPECT_EQ(metric.histogram().bucket_size(), 1);
  }
}

TEST(ProtobufWriterTest, AMillionRandomDoublesComeBack) {
  constexpr size_t kSeries = 10'000;
  FamilyDescription gauge = kLatency;
  gauge.type = MetricType::kGauge;
  FamilyBuilder builder;
  for (size_t i = 0; i < kSeries; ++i) builder.Add(gauge, {std::to_string(i), ""}, 0);
  auto snapshot = std::make_shared<Snapshot>(*Take(builder));
  std::mt19937_64 random(20'261'127);
  for (size_t n = 0; n < 100; ++n) {
    for (Series& series : snapshot->families[0].series) {
      series.value = std::bit_cast<double>(random());
    }
    const Page page = Page::Merge({snapshot});
    const auto families = ReadByLibprotobuf(Render(Format::kProtobuf, page));
    ASSERT_EQ(families.size(), 1u);
    for (size_t i = 0; i < kSeries; ++i) {
      const double read = families[0].metric(static_cast<int>(i)).gauge().value();
      ASSERT_EQ(std::bit_cast<uint64_t>(read),
                std::bit_cast<uint64_t>(page.families()[0].series[i]->value));
    }
  }
}

TEST(ProtobufWriterTest, AppendsToWhatIsThere) {
  std::string out = "before";
  Write(Format::kProtobuf, Page::Merge({}), {}, out);
  EXPECT_EQ(out, "before");
}

// Values over the whole range of double, many of them near each other.
double RandomValue(std::mt19937_64& random) {
  switch (random() % 8) {
    case 0:
      return std::bit_cast<double>(random());
    case 1:
      return 0;
    case 2:
      return -std::exp2(static_cast<double>(random() % 2000) / 100 - 10);
    default:
      return std::exp2(static_cast<double>(random() % 2000) / 100 - 10);
  }
}

void AddRandomHistogram(std::mt19937_64& random, const FamilyDescription& description,
                        std::string_view label, FamilyBuilder& builder) {
  std::vector<double> bounds;
  for (uint64_t i = random() % 14; i > 0; --i) {
    bounds.push_back((bounds.empty() ? 0.001 : bounds.back()) * (1.1 + double(random() % 30) / 10));
  }
  NativeHistogram histogram(Layout(static_cast<int>(random() % 13) - 4, bounds));
  for (uint64_t i = random() % 300; i > 0; --i) histogram.Observe(RandomValue(random));
  if (random() % 3 == 0) histogram.AddUnplaced(random() % 1000, 1);
  builder.Add(description, {label, ""}, histogram.Snapshot(),
              static_cast<double>(random() % 4'000'000'000'000) / 1000);
}

TEST(ProtobufWriterTest, RandomPagesAreAsLibprotobufWritesThem) {
  std::mt19937_64 random(20'261'126);
  for (int round = 0; round < 1000; ++round) {
    FamilyBuilder builder;
    FamilyDescription gauges = kLatency;
    gauges.name = "lab_remaining_seconds";
    gauges.type = MetricType::kGaugeHistogram;
    FamilyDescription counter = kLatency;
    counter.name = "lab_total";
    counter.type = MetricType::kCounter;
    counter.unit = "";
    for (uint64_t i = random() % 5; i > 0; --i) {
      const std::string label(random() % 300, static_cast<char>('a' + i));
      AddRandomHistogram(random, kLatency, label, builder);
      AddRandomHistogram(random, gauges, label, builder);
      builder.Add(counter, {label, "x"}, RandomValue(random),
                  static_cast<double>(random() % 4'000'000'000'000) / 1000);
    }
    const Page page = Page::Merge({Take(builder)});
    const std::string body = Render(Format::kProtobuf, page);
    ASSERT_EQ(body, WriteByLibprotobuf(page)) << "round " << round;
    for (const proto::MetricFamily& family : ReadByLibprotobuf(body)) {
      for (const proto::Metric& metric : family.metric()) {
        if (!metric.has_histogram()) continue;
        ASSERT_EQ(BucketSum(metric.histogram()), metric.histogram().sample_count());
        ASSERT_LE(
            metric.histogram().positive_delta_size() + metric.histogram().negative_delta_size(),
            160);
      }
    }
  }
}

}  // namespace
}  // namespace spire_exporter
