// What the collector tells of itself: the ledger, the listeners, the two sources.
#ifndef COLLECTORS_TELEMETRY_STREAM_FAMILIES_H_
#define COLLECTORS_TELEMETRY_STREAM_FAMILIES_H_

#include <optional>
#include <span>
#include <string_view>

#include "collectors/telemetry/store.h"
#include "exporter/base/clock.h"
#include "exporter/metrics/description.h"
#include "exporter/metrics/family.h"

namespace spire_exporter::telemetry {

// One listener at the time of a snapshot.
struct ListenerView {
  std::string_view address;
  bool up = false;
  // Absent where the kernel does not tell.
  std::optional<uint64_t> kernel_drops;
  const ListenerCounts* counts = nullptr;
  double created_seconds = 0;  // since when it counts
};

std::span<const FamilyDescription* const> StreamFamilies();

// Appends all of them. `now` is the instant of `state`.
void AppendStreamFamilies(std::span<const ListenerView> listeners, const StoreState& state,
                          bool scrape_configured, const Clock& clock, double created_seconds,
                          FamilyList* families);

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_STREAM_FAMILIES_H_
