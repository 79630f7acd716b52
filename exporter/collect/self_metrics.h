// What the framework says about the collectors on the page.
#ifndef EXPORTER_COLLECT_SELF_METRICS_H_
#define EXPORTER_COLLECT_SELF_METRICS_H_

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "exporter/collect/runner.h"
#include "exporter/metrics/family.h"

namespace spire_exporter {

// The families of AddCollectorMetrics, for the reference.
std::span<const FamilyDescription* const> CollectorMetricFamilies();

// Adds success, duration, age, failures and overruns of every runner, and the age of every live
// source.
void AddCollectorMetrics(
    const std::vector<RunnerState>& states,
    const std::vector<std::pair<std::string, std::optional<Duration>>>& live_ages,
    FamilyBuilder& families);

}  // namespace spire_exporter

#endif  // EXPORTER_COLLECT_SELF_METRICS_H_
