// The pages that exposition is measured with.
#ifndef TESTS_BENCH_PAGES_H_
#define TESTS_BENCH_PAGES_H_

#include <cstddef>
#include <memory>

#include "exporter/metrics/family.h"

namespace spire_exporter::bench {

// Counters, or gauges with values of sixteen digits, with three labels.
std::shared_ptr<const Snapshot> CounterSnapshot(size_t series);
std::shared_ptr<const Snapshot> GaugeSnapshot(size_t series);
// Histograms of schema 3 with twelve classic bounds and two labels, each with a thousand latencies.
std::shared_ptr<const Snapshot> HistogramSnapshot(size_t series);

}  // namespace spire_exporter::bench

#endif  // TESTS_BENCH_PAGES_H_
