#include <prometheus/histogram.h>

#include <cmath>
#include <utility>
#include <vector>

#include "exporter/metrics/bucket_layout.h"
#include "exporter/metrics/histogram.h"
#include "exporter/metrics/lifetime_histogram.h"
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

// 16 values over 16 octaves at the finest schema: all of the window but them is empty.
void SnapshotSparse(uint64_t n) {
  NativeHistogram histogram(Layout(8, TwelveBounds()));
  for (int i = -8; i < 8; ++i) histogram.Observe(1.3 * std::exp2(i));
  for (uint64_t i = 0; i < n; ++i) Keep(histogram.Snapshot().get());
}

// Each of 3,000 cells has passed 2^32.
void SnapshotOverflowed(uint64_t n) {
  constexpr int32_t kCells = 3000;
  NativeHistogram histogram(Layout(8, TwelveBounds()));
  for (int32_t i = 0; i < kCells; ++i) {
    histogram.Observe(BucketUpperBound(i - kCells / 2, 8), uint64_t{1} << 32);
  }
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

// In batches of a thousand; n is a multiple of it.
void CountLifetimes(uint64_t n) {
  constexpr uint64_t kBatch = 1000;
  constexpr int64_t kNow = 1'800'000'000;
  std::vector<int64_t> expiries(kBatch);
  for (size_t i = 0; i < kBatch; ++i)
    expiries[i] = kNow + 1800 + static_cast<int64_t>(i * 7 % 1800);
  LifetimeHistogram histogram(Layout(3, TwelveBounds()), kNow);
  for (uint64_t done = 0; done + kBatch <= n; done += kBatch) histogram.Add(expiries);
  Keep(histogram.Snapshot().living.histogram.get());
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
      {"lifetime_of_an_expiry", "", 10, CountLifetimes},
      {"snapshot_native_classic12", "", 25'000, SnapshotTypical},
      {"snapshot_sparse_schema8", "", 30'000, SnapshotSparse},
      {"snapshot_of_3000_overflows", "", 350'000, SnapshotOverflowed},
      {"clone_native_classic12", "", 2000, CloneTypical},
  };
}

}  // namespace spire_exporter::bench
