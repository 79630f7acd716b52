#include "exporter/metrics/histogram_value.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "exporter/metrics/bucket_layout.h"
#include "exporter/metrics/histogram.h"

namespace spire_exporter {
namespace {

uint64_t Placed(const HistogramValue& value) {
  return value.count - value.unplaced;
}

bool HasClassic(const HistogramValue& value) {
  return value.bounds != nullptr && !value.cumulative.empty();
}

bool HasNative(const HistogramValue& value) {
  return value.zero_count != 0 || !value.positive.empty() || !value.negative.empty();
}

// See HistogramValue.
bool ClassicOnly(const HistogramValue& value) {
  return Placed(value) != 0 && !HasNative(value);
}

// Leaves what both histograms that were merged know, when one of them has no native part.
void DropNative(HistogramValue& merged) {
  merged.positive.clear();
  merged.negative.clear();
  merged.zero_count = 0;
  merged.zero_threshold = 0;
  if (!HasClassic(merged)) merged.unplaced = merged.count;
}

// The zero bucket's threshold may not lie inside a populated bucket, as its observations could not
// be told apart.
double WidenThreshold(double threshold, int32_t schema,
                      const std::array<const BucketCounts*, 4>& all) {
  for (bool widened = true; widened;) {
    widened = false;
    for (const BucketCounts* counts : all) {
      for (const BucketCount& bucket : *counts) {
        const double upper = BucketUpperBound(bucket.index, schema);
        if (threshold < upper && threshold > BucketUpperBound(bucket.index - 1, schema)) {
          threshold = upper;
          widened = true;
        }
      }
    }
  }
  return threshold;
}

// Takes the buckets that the zero bucket has swallowed away and returns what they counted.
uint64_t TakeWithin(BucketCounts& counts, double threshold, int32_t schema) {
  uint64_t taken = 0;
  auto keep = counts.begin();
  while (keep != counts.end() && BucketUpperBound(keep->index, schema) <= threshold) {
    taken += (keep++)->count;
  }
  counts.erase(counts.begin(), keep);
  return taken;
}

void TakeClassic(HistogramValue& into, const HistogramValue& from) {
  into.bounds = from.bounds;
  into.cumulative = from.cumulative;
}

// The bounds that both have; a cumulative count means the same whatever other bounds there are.
void MergeClassic(HistogramValue& into, const HistogramValue& a, const HistogramValue& b) {
  if (!HasClassic(a) || !HasClassic(b)) return;
  const std::vector<double>& left = *a.bounds;
  const std::vector<double>& right = *b.bounds;
  std::vector<double> bounds;
  for (size_t i = 0, k = 0; i < left.size() && k < right.size();) {
    if (left[i] < right[k]) {
      ++i;
    } else if (right[k] < left[i]) {
      ++k;
    } else {
      bounds.push_back(left[i]);
      into.cumulative.push_back(a.cumulative[i++] + b.cumulative[k++]);
    }
  }
  into.bounds =
      bounds == left ? a.bounds : std::make_shared<const std::vector<double>>(std::move(bounds));
}

// Where `place` (a count from below) falls among native buckets.
double NativeQuantile(const HistogramValue& value, double place) {
  const double width = std::ldexp(1.0, -value.schema);  // of a bucket, as an exponent of 2
  const BucketCounts positive = FromRuns(value.positive);
  const BucketCounts negative = FromRuns(value.negative);
  double below = 0;
  double last = 0;
  for (auto bucket = negative.rbegin(); bucket != negative.rend(); ++bucket) {
    const auto count = static_cast<double>(bucket->count);
    last = -BucketUpperBound(bucket->index - 1, value.schema);
    if (place <= below + count) {
      return -std::exp2((bucket->index - (place - below) / count) * width);
    }
    below += count;
  }
  if (value.zero_count != 0) {
    const auto count = static_cast<double>(value.zero_count);
    const double low = negative.empty() ? 0 : -value.zero_threshold;
    const double high = positive.empty() && !negative.empty() ? 0 : value.zero_threshold;
    last = high;
    if (place <= below + count) return low + (high - low) * (place - below) / count;
    below += count;
  }
  for (const BucketCount& bucket : positive) {
    const auto count = static_cast<double>(bucket.count);
    last = BucketUpperBound(bucket.index, value.schema);
    if (place <= below + count) {
      const double share = (place - below) / count;
      return share == 1.0 ? last : std::exp2((bucket.index - 1 + share) * width);
    }
    below += count;
  }
  return last;  // rounding alone leads here
}

std::optional<double> ClassicQuantile(const HistogramValue& value, double place) {
  if (!HasClassic(value)) return std::nullopt;
  const std::vector<double>& bounds = *value.bounds;
  uint64_t below = 0;
  for (size_t i = 0; i < bounds.size(); ++i) {
    const uint64_t upto = value.cumulative[i];
    if (upto > below && place <= static_cast<double>(upto)) {
      if (i == 0 && bounds[0] <= 0) return bounds[0];
      const double low = i == 0 ? 0 : bounds[i - 1];
      const double share = (place - static_cast<double>(below)) / static_cast<double>(upto - below);
      return low + (bounds[i] - low) * share;
    }
    below = upto;
  }
  return bounds.back();
}

}  // namespace

void FitBuckets(BucketCounts& positive, BucketCounts& negative, size_t buckets_max,
                int32_t& schema) {
  while (schema > kSchemaMin && BucketsInRuns(positive) + BucketsInRuns(negative) > buckets_max) {
    Coarsen(positive, 1);
    Coarsen(negative, 1);
    --schema;
  }
}

HistogramValue AtSchema(HistogramValue value, int32_t schema) {
  if (schema >= value.schema || schema < kSchemaMin) return value;
  const auto coarser = [&](const std::vector<BucketRun>& runs) {
    BucketCounts counts = FromRuns(runs);
    Coarsen(counts, value.schema - schema);
    return MakeRuns(counts);
  };
  value.positive = coarser(value.positive);
  value.negative = coarser(value.negative);
  value.schema = schema;
  return value;
}

HistogramValue Merge(const HistogramValue& a, const HistogramValue& b) {
  HistogramValue merged;
  merged.count = a.count + b.count;
  merged.sum = a.sum + b.sum;
  merged.unplaced = a.unplaced + b.unplaced;
  merged.schema = std::min(a.schema, b.schema);

  const auto counts_of = [&](const HistogramValue& value, const std::vector<BucketRun>& runs) {
    BucketCounts counts = FromRuns(runs);
    Coarsen(counts, value.schema - merged.schema);
    return counts;
  };
  BucketCounts positive_a = counts_of(a, a.positive);
  BucketCounts positive_b = counts_of(b, b.positive);
  BucketCounts negative_a = counts_of(a, a.negative);
  BucketCounts negative_b = counts_of(b, b.negative);
  merged.zero_threshold =
      WidenThreshold(std::max(a.zero_threshold, b.zero_threshold), merged.schema,
                     {&positive_a, &positive_b, &negative_a, &negative_b});
  merged.zero_count = a.zero_count + b.zero_count;
  BucketCounts positive = MergeCounts(positive_a, positive_b);
  BucketCounts negative = MergeCounts(negative_a, negative_b);
  merged.zero_count += TakeWithin(positive, merged.zero_threshold, merged.schema);
  merged.zero_count += TakeWithin(negative, merged.zero_threshold, merged.schema);
  FitBuckets(positive, negative, kNativeBucketsMax, merged.schema);
  merged.positive = MakeRuns(positive);
  merged.negative = MakeRuns(negative);

  if ((Placed(a) == 0) == (Placed(b) == 0)) {
    MergeClassic(merged, a, b);
  } else {
    TakeClassic(merged, Placed(a) == 0 ? b : a);
  }
  if (Placed(merged) == 0 && merged.unplaced != 0) merged.cumulative.clear();
  if (ClassicOnly(a) || ClassicOnly(b)) DropNative(merged);
  return merged;
}

std::optional<double> Quantile(const HistogramValue& value, double q) {
  const uint64_t placed = Placed(value);
  if (placed == 0 || !(q >= 0 && q <= 1)) return std::nullopt;
  const double place = q * static_cast<double>(placed);
  return HasNative(value) ? NativeQuantile(value, place) : ClassicQuantile(value, place);
}

}  // namespace spire_exporter
