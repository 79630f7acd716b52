// Observes some latencies and asks the histogram about them.
#include <cstdio>

#include "exporter/metrics/histogram.h"
#include "exporter/metrics/histogram_value.h"

int main() {
  using namespace spire_exporter;
  // Native buckets of schema 3 (each 9 % wider than the one before) and three classic ones.
  const auto layout = HistogramLayout::Make(3, {0.01, 0.1, 1});
  if (!layout.ok()) {
    std::fprintf(stderr, "%s\n", layout.error().ToString().c_str());
    return 1;
  }
  NativeHistogram latency(*layout);
  for (int i = 1; i <= 1000; ++i) latency.Observe(i * 0.001);

  const auto value = latency.Snapshot();
  std::printf("%llu observations, %.1f seconds in all\n",
              static_cast<unsigned long long>(value->count), value->sum);
  for (size_t i = 0; i < value->cumulative.size(); ++i) {
    std::printf("up to %g s: %llu\n", (*value->bounds)[i],
                static_cast<unsigned long long>(value->cumulative[i]));
  }
  std::printf("median %.2f s, 99th percentile %.2f s\n", *Quantile(*value, 0.5),
              *Quantile(*value, 0.99));
  return 0;
}
