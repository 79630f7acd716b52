// The distribution of many values at one moment (the remaining lifetimes of all SVIDs, say) as one
// series.
#ifndef EXPORTER_METRICS_GAUGE_HISTOGRAM_H_
#define EXPORTER_METRICS_GAUGE_HISTOGRAM_H_

#include <memory>
#include <optional>
#include <span>

#include "exporter/metrics/histogram.h"

namespace spire_exporter {

struct GaugeHistogram {
  std::shared_ptr<const HistogramValue> histogram;  // never null
  // Of the values themselves, not of buckets; nothing when there is no value.
  std::optional<double> min;
  std::optional<double> max;
};

// Values that are not numbers are skipped. One pass, some 4 ns a value; quantiles come from the
// buckets (Quantile() in histogram_value.h). Safe from any thread; takes the memory of one
// NativeHistogram while it runs. Cannot fail.
GaugeHistogram MakeGaugeHistogram(std::shared_ptr<const HistogramLayout> layout,
                                  std::span<const double> values);

}  // namespace spire_exporter

#endif  // EXPORTER_METRICS_GAUGE_HISTOGRAM_H_
