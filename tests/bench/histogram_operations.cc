#include <prometheus/histogram.h>

#include <utility>
#include <vector>

#include "exporter/metrics/histogram.h"
#include "tests/bench/operations.h"
#include "tests/bench/samples.h"

namespace spire_exporter::bench {
namespace {

void Loop(uint64_t n) {
  const std::vector<double> samples = LatencySamples();
  for (uint64_t i = 0; i < n; ++i) Keep(samples[i % kSamples]);
}

void Observe(uint64_t n, int schema, std::vector<double> bounds) {
  const std::vector<double> samples = LatencySamples();
  NativeHistogram histogram(Layout(schema, std::move(bounds)));
  // The window has its size before anything is counted.
  for (const double sample : samples) histogram.Observe(sample);
  for (uint64_t i = 0; i < n; ++i) histogram.Observe(samples[i % kSamples]);
  Keep(&histogram);
}

void ObserveNative0(uint64_t n) {
  Observe(n, 0, {});
}
void ObserveNative3(uint64_t n) {
  Observe(n, 3, {});
}
void ObserveNative8(uint64_t n) {
  Observe(n, 8, {});
}
void ObserveClassic12(uint64_t n) {
  Observe(n, 3, TwelveBounds());
}

void ObservePrometheusCpp12(uint64_t n) {
  const std::vector<double> samples = LatencySamples();
  prometheus::Histogram histogram(TwelveBounds());
  for (uint64_t i = 0; i < n; ++i) histogram.Observe(samples[i % kSamples]);
  Keep(&histogram);
}

void SnapshotTypical(uint64_t n) {
  NativeHistogram histogram(Layout(3, TwelveBounds()));
  for (const double sample : LatencySamples()) histogram.Observe(sample);
  for (uint64_t i = 0; i < n; ++i) Keep(histogram.Snapshot().get());
}

void CloneTypical(uint64_t n) {
  NativeHistogram histogram(Layout(3, TwelveBounds()));
  for (const double sample : LatencySamples()) histogram.Observe(sample);
  for (uint64_t i = 0; i < n; ++i) {
    const NativeHistogram clone = histogram.Clone();
    Keep(&clone);
  }
}

}  // namespace

std::vector<Operation> HistogramOperations() {
  return {
      {"sample_loop", "", 0, Loop},
      {"observe_native_schema0", "sample_loop", 30, ObserveNative0},
      {"observe_native_schema3", "sample_loop", 30, ObserveNative3},
      {"observe_native_schema8", "sample_loop", 30, ObserveNative8},
      {"observe_native_classic12", "sample_loop", 36, ObserveClassic12},
      {"observe_prometheus_cpp12", "sample_loop", 0, ObservePrometheusCpp12},
      {"snapshot_native_classic12", "", 25'000, SnapshotTypical},
      {"clone_native_classic12", "", 2000, CloneTypical},
  };
}

}  // namespace spire_exporter::bench
