// What can be done with histograms once they are values: merging, making coarser, quantiles.
// Pure functions, safe from any thread.
#ifndef EXPORTER_METRICS_HISTOGRAM_VALUE_H_
#define EXPORTER_METRICS_HISTOGRAM_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "exporter/metrics/bucket_counts.h"
#include "exporter/metrics/family.h"

namespace spire_exporter {

// Halves the resolution until there are at most `buckets_max` buckets in both, or the schema is -4;
// `schema` follows.
void FitBuckets(BucketCounts& positive, BucketCounts& negative, size_t buckets_max,
                int32_t& schema);

// The same histogram at a schema that is not finer (one that is finer, or below -4, gives back the
// value as it was).
HistogramValue AtSchema(HistogramValue value, int32_t schema);

// Everything that either has observed, as one histogram (Prometheus, "Native Histograms", section
// on compatibility and merging). The schema is the coarser one, coarser still if more than 160
// native buckets came out, and the zero bucket the wider one, widened further to a bucket's bound
// if its threshold lies inside a populated bucket. Of the classic bounds those stay that both have;
// a histogram that placed nothing has no say in that, unless both did. Exact in all counts.
// With one that is placed classically only, so is the result: its native buckets would not be those
// of all. What then has no classic bound left is unplaced.
HistogramValue Merge(const HistogramValue& a, const HistogramValue& b);

// The value below which the share q (0..1) of the placed observations lies, as Prometheus'
// histogram_quantile() estimates it: from the native buckets when there are any, with exponential
// interpolation inside one and linear inside the zero bucket; else from the classic ones, with
// linear interpolation, the lowest bucket beginning at 0 when its bound is positive and the highest
// ending at the highest bound. Nothing when nothing was placed or q is not in 0..1. Unplaced
// observations do not take part: where they lie is not known.
std::optional<double> Quantile(const HistogramValue& value, double q);

}  // namespace spire_exporter

#endif  // EXPORTER_METRICS_HISTOGRAM_VALUE_H_
