#include "exporter/metrics/gauge_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace spire_exporter {

GaugeHistogram MakeGaugeHistogram(std::shared_ptr<const HistogramLayout> layout,
                                  std::span<const double> values) {
  NativeHistogram histogram(std::move(layout));
  double min = std::numeric_limits<double>::infinity();
  double max = -min;
  bool any = false;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    any = true;
    min = std::min(min, value);
    max = std::max(max, value);
    histogram.Observe(value);
  }
  GaugeHistogram made{histogram.Snapshot(), std::nullopt, std::nullopt};
  if (any) {
    made.min = min;
    made.max = max;
  }
  return made;
}

}  // namespace spire_exporter
