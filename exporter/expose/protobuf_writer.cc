// Delimited messages io.prometheus.client.MetricFamily (github.com/prometheus/client_model,
// metrics.proto), fields in rising order as libprotobuf writes them. Field numbers stand beside the
// functions that write them.
#include <limits>
#include <utility>
#include <vector>

#include "exporter/expose/format_writers.h"
#include "exporter/expose/protobuf_output.h"
#include "exporter/metrics/bucket_counts.h"
#include "exporter/metrics/bucket_layout.h"
#include "exporter/metrics/histogram.h"
#include "exporter/metrics/histogram_value.h"

namespace spire_exporter {
namespace {

// MetricType of the format.
uint8_t TypeNumber(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return 0;
    case MetricType::kGauge:
    case MetricType::kInfo:
    case MetricType::kStateSet:
      return 1;
    case MetricType::kHistogram:
      return 4;
    case MetricType::kGaugeHistogram:
      return 5;
    case MetricType::kUnknown:
      break;
  }
  return 3;
}

bool IsNative(const HistogramValue& histogram) {
  return histogram.zero_threshold > 0 || histogram.zero_count != 0 || !histogram.positive.empty() ||
         !histogram.negative.empty();
}

// Prometheus 2.42 takes the first series of a family as the measure of all: none is native where
// one is not.
bool AllNative(const PageFamily& family) {
  for (const Series* series : family.series) {
    if (!IsNative(*series->histogram)) return false;
  }
  return true;
}

// google.protobuf.Timestamp: seconds 1, nanos 2; a zero is left out there.
void PutTimestamp(BackwardOutput& out, uint32_t number, double unix_seconds) {
  constexpr int64_t kNanos = 1'000'000'000;
  const size_t end = out.size();
  auto seconds = static_cast<int64_t>(unix_seconds);  // positive: HasTime()
  auto nanos = static_cast<int64_t>((unix_seconds - static_cast<double>(seconds)) * 1e9 + 0.5);
  if (nanos >= kNanos) {
    ++seconds;
    nanos -= kNanos;
  }
  if (nanos != 0) out.VarintField(2, static_cast<uint64_t>(nanos));
  if (seconds != 0) out.VarintField(1, static_cast<uint64_t>(seconds));
  out.MessageField(number, end);
}

bool HasTime(double unix_seconds) {
  return unix_seconds > 0 && unix_seconds < 1e11;
}

// Spans (offset 1, length 2): the first offset is an index, later ones are gaps. Deltas: each count
// less the one before, the first less zero.
void PutBuckets(BackwardOutput& out, const std::vector<BucketRun>& runs, uint32_t spans,
                uint32_t deltas) {
  for (size_t r = runs.size(); r-- > 0;) {
    const std::vector<uint64_t>& counts = runs[r].counts;
    for (size_t i = counts.size(); i-- > 1;) {
      out.SignedField(deltas, static_cast<int64_t>(counts[i] - counts[i - 1]));
    }
    const uint64_t before = r == 0 ? 0 : runs[r - 1].counts.back();
    out.SignedField(deltas, static_cast<int64_t>(counts.front() - before));
  }
  for (size_t r = runs.size(); r-- > 0;) {
    const size_t end = out.size();
    int64_t offset = runs[r].first;
    if (r != 0) {
      offset -= runs[r - 1].first + static_cast<int64_t>(runs[r - 1].counts.size());
    }
    out.VarintField(2, runs[r].counts.size());
    out.SignedField(1, offset);
    out.MessageField(spans, end);
  }
}

// What a reader of native buckets has to see: they must add up to the count, so that observations
// known by number alone are in the bucket of infinity, where the classic ones have them as well.
// Otherwise Prometheus 2.53 refuses the page, and 2.42 gives the quantiles of the placed ones as
// those of all.
struct NativeView {
  explicit NativeView(const HistogramValue& histogram)
      : schema(histogram.schema), positive(&histogram.positive), negative(&histogram.negative) {
    if (histogram.unplaced == 0) return;
    BucketCounts above = FromRuns(histogram.positive);
    BucketCounts below = FromRuns(histogram.negative);
    const int32_t infinity = BucketIndex(std::numeric_limits<double>::infinity(), schema);
    if (!above.empty() && above.back().index == infinity) {
      above.back().count += histogram.unplaced;
    } else {
      above.push_back({infinity, histogram.unplaced});
    }
    FitBuckets(above, below, kNativeBucketsMax, schema);
    own_positive = MakeRuns(above);
    own_negative = MakeRuns(below);
    positive = &own_positive;
    negative = &own_negative;
  }
  NativeView(const NativeView&) = delete;
  NativeView& operator=(const NativeView&) = delete;

  int32_t schema;
  const std::vector<BucketRun>* positive;
  const std::vector<BucketRun>* negative;
  std::vector<BucketRun> own_positive, own_negative;
};

size_t BucketsIn(const std::vector<BucketRun>& runs) {
  size_t buckets = runs.size();  // a span is not longer than a delta
  for (const BucketRun& run : runs) buckets += run.counts.size();
  return buckets;
}

// Histogram: schema 5, zero_threshold 6, zero_count 7, negative_span 9, negative_delta 10,
// positive_span 12, positive_delta 13.
void PutNative(BackwardOutput& out, const HistogramValue& histogram) {
  constexpr size_t kDeltaMax = 24;  // a delta with its tag has 11 bytes, a span up to 20
  const NativeView native(histogram);
  out.Reserve((BucketsIn(*native.positive) + BucketsIn(*native.negative)) * kDeltaMax + 64);
  const bool empty = histogram.zero_threshold == 0 && histogram.zero_count == 0 &&
                     native.positive->empty() && native.negative->empty();
  PutBuckets(out, *native.positive, 12, 13);
  PutBuckets(out, *native.negative, 9, 10);
  if (empty) return;
  out.VarintField(7, histogram.zero_count);
  out.DoubleField(6, histogram.zero_threshold);
  out.SignedField(5, native.schema);
}

// Histogram: sample_count 1, sample_sum 2, bucket 3 (cumulative_count 1, upper_bound 2),
// created_timestamp 15. The bucket of infinity is left out, as clients do: it is the count.
void PutHistogram(BackwardOutput& out, const Series& series, bool native, bool created) {
  constexpr size_t kBucketMax = 24;
  const HistogramValue& histogram = *series.histogram;
  out.Reserve(64);
  const size_t end = out.size();
  if (created && HasTime(series.created_seconds)) PutTimestamp(out, 15, series.created_seconds);
  if (native) PutNative(out, histogram);
  out.Reserve(histogram.cumulative.size() * kBucketMax + 64);
  for (size_t i = histogram.cumulative.size(); i-- > 0;) {
    const size_t bucket = out.size();
    out.DoubleField(2, (*histogram.bounds)[i]);
    out.VarintField(1, histogram.cumulative[i]);
    out.MessageField(3, bucket);
  }
  out.DoubleField(2, histogram.sum);
  out.VarintField(1, histogram.count);
  out.MessageField(7, end);
}

// Gauge and Untyped: value 1. Counter: value 1, created_timestamp 3.
void PutScalar(BackwardOutput& out, const Series& series, MetricType type) {
  out.Reserve(64);
  const size_t end = out.size();
  if (type == MetricType::kCounter && HasTime(series.created_seconds)) {
    PutTimestamp(out, 3, series.created_seconds);
  }
  out.DoubleField(1, series.value);
  // Metric: gauge 2, counter 3, untyped 5.
  const uint8_t kind = TypeNumber(type);
  out.MessageField(kind == 0 ? 3 : kind == 1 ? 2 : 5, end);
}

// Series of one family are much alike; what is wrong about the first costs a copy.
size_t ExpectedSize(const Series& series) {
  constexpr size_t kScalar = 48;
  const size_t labels = series.labels->encoded().size();
  if (series.histogram == nullptr) return labels + kScalar;
  return labels + kScalar + series.histogram->cumulative.size() * 14 +
         (BucketsIn(series.histogram->positive) + BucketsIn(series.histogram->negative)) * 3;
}

// MetricFamily: name 1, help 2, type 3, metric 4, unit 5.
void PutFamily(BackwardOutput& out, const PageFamily& family) {
  const FamilyDescription& description = *family.description;
  const MetricType type = description.type;
  const bool histogram = type == MetricType::kHistogram || type == MetricType::kGaugeHistogram;
  const bool native = histogram && AllNative(family);
  out.Reserve(family.series.size() * ExpectedSize(*family.series.front()));
  out.Reserve(description.unit.size() + 16);
  const size_t end = out.size();
  if (!description.unit.empty()) out.StringField(5, description.unit);
  for (size_t i = family.series.size(); i-- > 0;) {
    const Series& series = *family.series[i];
    const size_t metric = out.size();
    if (histogram) {
      PutHistogram(out, series, native, type == MetricType::kHistogram);
    } else {
      PutScalar(out, series, type);
    }
    const std::string_view labels = series.labels->encoded();
    out.Reserve(labels.size() + 16);
    out.PutBytes(labels);
    out.MessageField(4, metric);
  }
  out.Reserve(description.name.size() + description.help.size() + 64);
  out.VarintField(3, TypeNumber(type));
  if (!description.help.empty()) out.StringField(2, description.help);
  out.StringField(1, description.name);
  out.PutVarint(out.size() - end);
}

}  // namespace

void WriteProtobuf(const Page& page, std::string& text) {
  // A family at a time: the buffer that grows to the front stays small.
  BackwardOutput out;
  text.reserve(text.size() + ExpectedTextSize(page) / 2);
  for (const PageFamily& family : page.families()) {
    out.Clear();
    PutFamily(out, family);
    text.append(out.written());
  }
}

}  // namespace spire_exporter
