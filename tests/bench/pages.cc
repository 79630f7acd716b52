#include "tests/bench/pages.h"

#include <array>
#include <string>

#include "tests/bench/samples.h"

namespace spire_exporter::bench {
namespace {

constexpr std::array kThreeLabels = {LabelDescription{"method", "of the call"},
                                     LabelDescription{"service", "of the call"},
                                     LabelDescription{"status", "of the answer"}};
constexpr std::array kTwoLabels = {LabelDescription{"method", "of the call"},
                                   LabelDescription{"service", "of the call"}};

constexpr FamilyDescription kCalls{.name = "lab_calls_total",
                                   .type = MetricType::kCounter,
                                   .labels = kThreeLabels,
                                   .help = "Calls of every service."};
constexpr FamilyDescription kLevels{
    .name = "lab_level_ratio", .labels = kThreeLabels, .help = "Level of every service."};
constexpr FamilyDescription kDurations{.name = "lab_duration_seconds",
                                       .type = MetricType::kHistogram,
                                       .unit = "seconds",
                                       .labels = kTwoLabels,
                                       .help = "Duration of every call."};

std::shared_ptr<const Snapshot> Take(FamilyBuilder& builder) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->families = builder.Take();
  return snapshot;
}

}  // namespace

std::shared_ptr<const Snapshot> CounterSnapshot(size_t series) {
  FamilyBuilder builder;
  for (size_t i = 0; i < series; ++i) {
    builder.Add(kCalls,
                {"Method" + std::to_string(100'000 + i), "spire.api.server.agent.v1.Agent", "OK"},
                static_cast<double>(i * 7919 % 1'000'000), 1'800'000'000.5);
  }
  return Take(builder);
}

std::shared_ptr<const Snapshot> GaugeSnapshot(size_t series) {
  FamilyBuilder builder;
  const std::vector<double> samples = LatencySamples();
  for (size_t i = 0; i < series; ++i) {
    builder.Add(kLevels,
                {"Method" + std::to_string(100'000 + i), "spire.api.server.agent.v1.Agent", "OK"},
                samples[i % kSamples]);
  }
  return Take(builder);
}

std::shared_ptr<const Snapshot> HistogramSnapshot(size_t series) {
  constexpr size_t kObservations = 1000;
  FamilyBuilder builder;
  const std::vector<double> samples = LatencySamples();
  const auto layout = Layout(3, TwelveBounds());
  for (size_t i = 0; i < series; ++i) {
    NativeHistogram histogram(layout);
    for (size_t k = 0; k < kObservations; ++k) {
      histogram.Observe(samples[(i * kObservations + k) % kSamples]);
    }
    builder.Add(kDurations,
                {"Method" + std::to_string(100'000 + i), "spire.api.server.agent.v1.Agent"},
                histogram.Snapshot(), 1'800'000'000.5);
  }
  return Take(builder);
}

}  // namespace spire_exporter::bench
