// The families that say how long an SVID lives. Whoever knows one fills them: the canary, the probe
// of the servers, the agent's admin socket; to a reader of the page they are the same.
#ifndef COLLECTORS_SVID_SVID_DESCRIPTIONS_H_
#define COLLECTORS_SVID_SVID_DESCRIPTIONS_H_

#include <array>
#include <cstdint>
#include <string_view>

#include "exporter/metrics/description.h"

namespace spire_exporter::svid {

inline constexpr std::array<std::string_view, 3> kSvidKinds = {"agent", "canary", "server"};
inline constexpr std::array kSvidLabels = {LabelDescription{"kind", "whose SVID", kSvidKinds}};

// Where a value comes from, and what becomes of it when that falls silent.
struct SvidSource {
  std::string_view source;
  Duration age_max;
  WhenStale when_stale = WhenStale::kWithdrawn;
};

constexpr FamilyDescription SvidFamily(std::string_view name, std::string_view unit,
                                       std::string_view help, const SvidSource& from,
                                       Detail detail = Detail::kStandard) {
  return {.name = name,
          .unit = unit,
          .labels = kSvidLabels,
          .help = help,
          .source = from.source,
          .series_max = static_cast<uint32_t>(kSvidKinds.size()),
          .age_max = from.age_max,
          .when_stale = from.when_stale,
          .detail = detail};
}

constexpr FamilyDescription SvidNotBefore(const SvidSource& from) {
  return SvidFamily("spire_svid_not_before_timestamp_seconds", "seconds", "When an SVID begins.",
                    from);
}

constexpr FamilyDescription SvidExpiry(const SvidSource& from) {
  return SvidFamily("spire_svid_expiry_timestamp_seconds", "seconds", "When an SVID ends.", from,
                    Detail::kMinimal);
}

// Of the lifetime that it was issued with.
constexpr FamilyDescription SvidRemaining(const SvidSource& from) {
  return SvidFamily("spire_svid_remaining_ratio", "ratio", "What is left of an SVID's lifetime.",
                    from);
}

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_SVID_DESCRIPTIONS_H_
