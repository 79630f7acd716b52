#include "exporter/collect/self_metrics.h"

#include <array>

namespace spire_exporter {
namespace {

constexpr std::string_view kSource = "the exporter itself";
constexpr uint32_t kTargetsMax = 64;

constexpr LabelDescription kCollector{"collector", "the collector, as in --collector.<name>"};
constexpr LabelDescription kTarget{"target", "what the collector watches, never an address"};

constexpr std::array<std::string_view, 16> kReasons = {
    "aborted",           "already_exists",      "cancelled",         "data_loss",
    "deadline_exceeded", "failed_precondition", "internal",          "invalid_argument",
    "not_found",         "out_of_range",        "permission_denied", "resource_exhausted",
    "unauthenticated",   "unavailable",         "unimplemented",     "unknown"};
constexpr std::array<std::string_view, 2> kDropReasons = {"label_length", "series_limit"};

constexpr std::array kCollectorTarget = {kCollector, kTarget};
constexpr std::array kFailureLabels = {kCollector, kTarget,
                                       LabelDescription{"reason", "the kind of failure", kReasons}};
constexpr std::array kDropLabels = {
    kCollector, kTarget,
    LabelDescription{"reason", "series_limit: series left out; label_length: label values cut",
                     kDropReasons}};

constexpr FamilyDescription kSuccess{.name = "spire_exporter_collector_success",
                                     .labels = kCollectorTarget,
                                     .help =
                                         "Whether the last call of a collector brought a whole "
                                         "reading and none is past its deadline now.",
                                     .source = kSource,
                                     .series_max = kTargetsMax,
                                     .stability = Stability::kStable,
                                     .detail = Detail::kMinimal};
constexpr FamilyDescription kDuration{.name = "spire_exporter_collector_duration_seconds",
                                      .unit = "seconds",
                                      .labels = kCollectorTarget,
                                      .help = "How long the last call of a collector took.",
                                      .source = kSource,
                                      .series_max = kTargetsMax,
                                      .stability = Stability::kStable,
                                      .detail = Detail::kFull};
constexpr FamilyDescription kLastSuccess{
    .name = "spire_exporter_collector_last_success_timestamp_seconds",
    .unit = "seconds",
    .labels = kCollectorTarget,
    .help = "When a call of a collector last brought a whole reading; absent before the first.",
    .source = kSource,
    .series_max = kTargetsMax,
    .when_stale = WhenStale::kKept,
    .stability = Stability::kStable};
constexpr FamilyDescription kAge{
    .name = "spire_exporter_collector_age_seconds",
    .unit = "seconds",
    .labels = kCollectorTarget,
    .help = "How old the reading is that this page shows; absent when it shows none.",
    .source = kSource,
    .series_max = kTargetsMax,
    .detail = Detail::kFull};
constexpr FamilyDescription kFailures{
    .name = "spire_exporter_collector_failures_total",
    .type = MetricType::kCounter,
    .labels = kFailureLabels,
    .help = "Calls of a collector that failed, wholly or in part.",
    .source = kSource,
    .series_max = kTargetsMax * kReasons.size()};
constexpr FamilyDescription kOverruns{
    .name = "spire_exporter_collector_overruns_total",
    .type = MetricType::kCounter,
    .labels = kCollectorTarget,
    .help = "Calls of a collector that were not back 100 ms after their deadline.",
    .source = kSource,
    .series_max = kTargetsMax,
    .detail = Detail::kFull};
constexpr FamilyDescription kDropped{
    .name = "spire_exporter_series_dropped_total",
    .type = MetricType::kCounter,
    .labels = kDropLabels,
    .help = "Series or label values of readings that passed the limits of the configuration.",
    .source = kSource,
    .series_max = kTargetsMax * kDropReasons.size(),
    .detail = Detail::kFull};

constexpr std::array<const FamilyDescription*, 7> kFamilies = {
    &kSuccess, &kDuration, &kLastSuccess, &kAge, &kFailures, &kOverruns, &kDropped};

}  // namespace

std::span<const FamilyDescription* const> CollectorMetricFamilies() {
  return kFamilies;
}

void AddCollectorMetrics(
    const std::vector<RunnerState>& states,
    const std::vector<std::pair<std::string, std::optional<Duration>>>& live_ages,
    FamilyBuilder& families) {
  for (const RunnerState& state : states) {
    const std::string& name = state.collector;
    const std::string& target = state.target;
    // Before the first call has returned nothing is known: no success and no failure either.
    if (state.finished_once || state.overruns > 0) {
      families.Add(kSuccess, {name, target}, state.success ? 1 : 0);
    }
    if (state.finished_once) families.Add(kDuration, {name, target}, Seconds(state.last_duration));
    if (state.last_success_seconds) {
      families.Add(kLastSuccess, {name, target}, *state.last_success_seconds);
    }
    if (state.reading_age) families.Add(kAge, {name, target}, Seconds(*state.reading_age));
    for (const auto& [reason, count] : state.failures) {
      families.Add(kFailures, {name, target, reason}, static_cast<double>(count));
    }
    families.Add(kOverruns, {name, target}, static_cast<double>(state.overruns));
    families.Add(kDropped, {name, target, "series_limit"},
                 static_cast<double>(state.dropped.series));
    families.Add(kDropped, {name, target, "label_length"},
                 static_cast<double>(state.dropped.labels_cut));
  }
  for (const auto& [name, age] : live_ages) {
    if (age) families.Add(kAge, {name, "stream"}, Seconds(*age));
  }
}

}  // namespace spire_exporter
