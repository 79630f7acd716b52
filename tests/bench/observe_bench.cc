// How long observing takes, beside prometheus-cpp in the same run. Times wander on shared machines:
// read the ratios, of the minima of several repetitions, interleaved:
//   observe_bench --benchmark_repetitions=15 --benchmark_enable_random_interleaving=true
#include <benchmark/benchmark.h>
#include <prometheus/histogram.h>

#include <vector>

#include "exporter/metrics/histogram.h"
#include "tests/bench/samples.h"

namespace spire_exporter::bench {
namespace {

template <typename Histogram>
void ObserveSamples(benchmark::State& state, Histogram& histogram) {
  const std::vector<double> samples = LatencySamples();
  size_t i = 0;
  for (auto _ : state) {
    histogram.Observe(samples[i++ % kSamples]);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}

void Native(benchmark::State& state) {
  NativeHistogram histogram(Layout(static_cast<int>(state.range(0)), {}));
  ObserveSamples(state, histogram);
}
BENCHMARK(Native)->Arg(0)->Arg(3)->Arg(8);

// Each thread has its own, as the writers of a sharded collector do.
void NativeClassic12(benchmark::State& state) {
  NativeHistogram histogram(Layout(3, TwelveBounds()));
  ObserveSamples(state, histogram);
}
BENCHMARK(NativeClassic12)->Threads(1)->Threads(2)->UseRealTime();

// All threads share one, as the library intends.
void PrometheusCpp12(benchmark::State& state) {
  static prometheus::Histogram histogram(TwelveBounds());
  ObserveSamples(state, histogram);
}
BENCHMARK(PrometheusCpp12)->Threads(1)->Threads(2)->UseRealTime();

void Snapshot(benchmark::State& state) {
  NativeHistogram histogram(Layout(3, TwelveBounds()));
  for (const double sample : LatencySamples()) histogram.Observe(sample);
  for (auto _ : state) benchmark::DoNotOptimize(histogram.Snapshot());
}
BENCHMARK(Snapshot);

void Clone(benchmark::State& state) {
  NativeHistogram histogram(Layout(3, TwelveBounds()));
  for (const double sample : LatencySamples()) histogram.Observe(sample);
  for (auto _ : state) benchmark::DoNotOptimize(histogram.Clone());
}
BENCHMARK(Clone);

}  // namespace
}  // namespace spire_exporter::bench
