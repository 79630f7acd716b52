// The values that histograms are measured with.
#ifndef TESTS_BENCH_SAMPLES_H_
#define TESTS_BENCH_SAMPLES_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "exporter/metrics/histogram.h"

namespace spire_exporter::bench {

inline constexpr size_t kSamples = 65'536;  // a power of two, so that a mask wraps around

// Latencies in seconds, log-normal with median 5 ms and sigma 1.5; the same everywhere.
std::vector<double> LatencySamples();

// The twelve bounds that are measured with, 1 ms to 10 s.
std::vector<double> TwelveBounds();

std::shared_ptr<const HistogramLayout> Layout(int schema, std::vector<double> bounds);

}  // namespace spire_exporter::bench

#endif  // TESTS_BENCH_SAMPLES_H_
