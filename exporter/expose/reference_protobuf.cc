#include "exporter/expose/reference_protobuf.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/delimited_message_util.h>

#include <cmath>
#include <limits>
#include <map>

#include "exporter/expose/metrics.pb.h"
#include "exporter/metrics/bucket_layout.h"

namespace spire_exporter {
namespace {

namespace proto = io::prometheus::client;

using Counts = std::map<int32_t, uint64_t>;

Counts CountsOf(const std::vector<BucketRun>& runs) {
  Counts counts;
  for (const BucketRun& run : runs) {
    for (size_t i = 0; i < run.counts.size(); ++i) {
      if (run.counts[i] != 0) counts[run.first + static_cast<int32_t>(i)] = run.counts[i];
    }
  }
  return counts;
}

// With zeros wherever at most two empty buckets stand between two.
Counts Bridged(const Counts& counts) {
  Counts bridged = counts;
  for (auto it = counts.begin(); it != counts.end(); ++it) {
    const auto next = std::next(it);
    if (next == counts.end() || next->first - it->first > 3) continue;
    for (int32_t i = it->first + 1; i < next->first; ++i) bridged[i] = 0;
  }
  return bridged;
}

Counts Halved(const Counts& counts) {
  Counts halved;
  for (const auto& [index, count] : counts) {
    // Upwards, as a bucket's bound is its upper one.
    halved[static_cast<int32_t>(std::ceil(index / 2.0))] += count;
  }
  return halved;
}

template <typename AddSpan, typename AddDelta>
void FillBuckets(const Counts& counts, const AddSpan& add_span, const AddDelta& add_delta) {
  proto::BucketSpan* span = nullptr;
  int32_t expected = 0;
  uint64_t before = 0;
  for (const auto& [index, count] : counts) {
    if (span == nullptr || index != expected) {
      span = add_span();
      span->set_offset(index - expected);
      span->set_length(0);
    }
    span->set_length(span->length() + 1);
    add_delta(static_cast<int64_t>(count) - static_cast<int64_t>(before));
    before = count;
    expected = index + 1;
  }
}

void FillTime(double unix_seconds, google::protobuf::Timestamp* time) {
  const long long nanos = std::llround((unix_seconds - std::floor(unix_seconds)) * 1e9);
  time->set_seconds(static_cast<int64_t>(std::floor(unix_seconds)) + nanos / 1'000'000'000);
  time->set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
}

void FillNative(const HistogramValue& histogram, proto::Histogram* message) {
  int32_t schema = histogram.schema;
  Counts positive = CountsOf(histogram.positive);
  Counts negative = CountsOf(histogram.negative);
  if (histogram.unplaced != 0) {
    positive[BucketIndex(std::numeric_limits<double>::infinity(), schema)] += histogram.unplaced;
    while (schema > -4 && Bridged(positive).size() + Bridged(negative).size() > 160) {
      positive = Halved(positive);
      negative = Halved(negative);
      --schema;
    }
  }
  message->set_schema(schema);
  message->set_zero_threshold(histogram.zero_threshold);
  message->set_zero_count(histogram.zero_count);
  FillBuckets(
      Bridged(positive), [&] { return message->add_positive_span(); },
      [&](int64_t delta) { message->add_positive_delta(delta); });
  FillBuckets(
      Bridged(negative), [&] { return message->add_negative_span(); },
      [&](int64_t delta) { message->add_negative_delta(delta); });
}

bool IsNative(const PageFamily& family) {
  for (const Series* series : family.series) {
    const HistogramValue& h = *series->histogram;
    if (h.zero_threshold == 0 && h.zero_count == 0 && h.positive.empty() && h.negative.empty()) {
      return false;
    }
  }
  return true;
}

void FillHistogram(const Series& series, bool native, bool created, proto::Histogram* message) {
  const HistogramValue& histogram = *series.histogram;
  message->set_sample_count(histogram.count);
  message->set_sample_sum(histogram.sum);
  for (size_t i = 0; i < histogram.cumulative.size(); ++i) {
    proto::Bucket* const bucket = message->add_bucket();
    bucket->set_cumulative_count(histogram.cumulative[i]);
    bucket->set_upper_bound((*histogram.bounds)[i]);
  }
  if (native) FillNative(histogram, message);
  if (created && series.created_seconds > 0) {
    FillTime(series.created_seconds, message->mutable_created_timestamp());
  }
}

void FillMetric(const PageFamily& family, const Series& series, bool native,
                proto::Metric* message) {
  for (size_t i = 0; i < series.labels->size(); ++i) {
    proto::LabelPair* const label = message->add_label();
    label->set_name(std::string(series.labels->name(i)));
    label->set_value(std::string(series.labels->value(i)));
  }
  switch (family.description->type) {
    case MetricType::kCounter:
      message->mutable_counter()->set_value(series.value);
      if (series.created_seconds > 0) {
        FillTime(series.created_seconds, message->mutable_counter()->mutable_created_timestamp());
      }
      break;
    case MetricType::kGauge:
    case MetricType::kInfo:
    case MetricType::kStateSet:
      message->mutable_gauge()->set_value(series.value);
      break;
    case MetricType::kHistogram:
      FillHistogram(series, native, true, message->mutable_histogram());
      break;
    case MetricType::kGaugeHistogram:
      FillHistogram(series, native, false, message->mutable_histogram());
      break;
    case MetricType::kUnknown:
      message->mutable_untyped()->set_value(series.value);
      break;
  }
}

proto::MetricType TypeOf(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return proto::COUNTER;
    case MetricType::kHistogram:
      return proto::HISTOGRAM;
    case MetricType::kGaugeHistogram:
      return proto::GAUGE_HISTOGRAM;
    case MetricType::kUnknown:
      return proto::UNTYPED;
    case MetricType::kGauge:
    case MetricType::kInfo:
    case MetricType::kStateSet:
      break;
  }
  return proto::GAUGE;
}

}  // namespace

void FillMessage(const PageFamily& family, proto::MetricFamily* message) {
  const FamilyDescription& description = *family.description;
  message->set_name(std::string(description.name));
  if (!description.help.empty()) message->set_help(std::string(description.help));
  if (!description.unit.empty()) message->set_unit(std::string(description.unit));
  message->set_type(TypeOf(description.type));
  const bool histogram =
      message->type() == proto::HISTOGRAM || message->type() == proto::GAUGE_HISTOGRAM;
  const bool native = histogram && IsNative(family);
  for (const Series* series : family.series) {
    FillMetric(family, *series, native, message->add_metric());
  }
}

std::string WriteByLibprotobuf(const Page& page) {
  std::string body;
  google::protobuf::io::StringOutputStream out(&body);
  for (const PageFamily& family : page.families()) {
    proto::MetricFamily message;
    FillMessage(family, &message);
    google::protobuf::util::SerializeDelimitedToZeroCopyStream(message, &out);
  }
  return body;
}

std::vector<proto::MetricFamily> ReadByLibprotobuf(std::string_view body) {
  google::protobuf::io::ArrayInputStream in(body.data(), static_cast<int>(body.size()));
  std::vector<proto::MetricFamily> families;
  for (bool end = false; in.ByteCount() < static_cast<int64_t>(body.size());) {
    proto::MetricFamily& family = families.emplace_back();
    if (!google::protobuf::util::ParseDelimitedFromZeroCopyStream(&family, &in, &end)) return {};
  }
  return families;
}

}  // namespace spire_exporter
