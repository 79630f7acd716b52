#include "tests/bench/samples.h"

#include <cmath>
#include <numbers>
#include <utility>

#include "exporter/metrics/random_test_util.h"

namespace spire_exporter::bench {

std::vector<double> LatencySamples() {
  TestRandom random(42);
  std::vector<double> samples;
  samples.reserve(kSamples);
  for (size_t i = 0; i < kSamples; ++i) {
    // Box and Muller's way to a normal variate.
    const double normal = std::sqrt(-2 * std::log(1 - random.Unit())) *
                          std::cos(2 * std::numbers::pi * random.Unit());
    samples.push_back(0.005 * std::exp(1.5 * normal));
  }
  return samples;
}

std::vector<double> TwelveBounds() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};
}

std::shared_ptr<const HistogramLayout> Layout(int schema, std::vector<double> bounds) {
  return HistogramLayout::Make(schema, std::move(bounds)).value();
}

}  // namespace spire_exporter::bench
