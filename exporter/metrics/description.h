// What a metric family is, written down once. Every family that the process can emit has a
// constexpr FamilyDescription; the page, `spire-exporter metrics`, docs/reference/metrics.md and
// the lint of alerts and dashboards all read it, and nothing that is not described can be built.
// Constant data and look-ups in it: safe from any thread, no allocation, no errors.
#ifndef EXPORTER_METRICS_DESCRIPTION_H_
#define EXPORTER_METRICS_DESCRIPTION_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "exporter/base/clock.h"

namespace spire_exporter {

enum class MetricType { kCounter, kGauge, kHistogram, kGaugeHistogram, kInfo, kStateSet, kUnknown };

// What an operator may rely on between releases.
enum class Stability { kStable, kExperimental, kDeprecated };

// What becomes of a family when its source has been silent for longer than `age_max`.
enum class WhenStale {
  kWithdrawn,  // the series go away, and the collector's success says why
  kKept,       // the last values stay, with their age in a metric of its own
};

// How much of a page a family is worth: a profile shows those up to its own.
enum class Detail {
  kMinimal,   // what pages somebody, in a fleet where each series counts a million times
  kStandard,  // what a dashboard needs
  kFull,      // what tells why
};

struct LabelDescription {
  std::string_view name;
  std::string_view meaning;
  // The closed set of values; empty when open, which FamilyDescription::series_max then bounds.
  std::span<const std::string_view> values = {};
};

// All views have static storage. A family never changes its type.
struct FamilyDescription {
  // As in text 0.0.4: a counter ends in `_total`, an info in `_info`.
  std::string_view name = {};
  MetricType type = MetricType::kGauge;
  // `seconds`, `bytes`, `ratio` or empty; the name ends in it, before `_total`.
  std::string_view unit = {};
  std::span<const LabelDescription> labels = {};
  // One sentence, with its final stop.
  std::string_view help = {};
  // Where the value comes from: `DogStatsD stream`, `pg_stat_replication`, ...
  std::string_view source = {};
  // The bound on series of one process.
  uint32_t series_max = 1;
  Duration age_max = std::chrono::minutes(1);
  WhenStale when_stale = WhenStale::kWithdrawn;
  Stability stability = Stability::kExperimental;
  Detail detail = Detail::kStandard;
};

// `counter`, `gaugehistogram`, ... as OpenMetrics spells them.
std::string_view MetricTypeName(MetricType type);
std::string_view StabilityName(Stability stability);
// `minimal`, `standard`, `full`: the profiles.
std::string_view DetailName(Detail detail);

}  // namespace spire_exporter

#endif  // EXPORTER_METRICS_DESCRIPTION_H_
