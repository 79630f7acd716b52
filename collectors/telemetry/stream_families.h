// What the collector tells of itself: the ledger, the listeners, the two sources.
#ifndef COLLECTORS_TELEMETRY_STREAM_FAMILIES_H_
#define COLLECTORS_TELEMETRY_STREAM_FAMILIES_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collectors/telemetry/store.h"
#include "exporter/base/clock.h"
#include "exporter/metrics/description.h"
#include "exporter/metrics/family.h"

namespace spire_exporter::telemetry {

// One listener at the time of a snapshot.
struct ListenerView {
  std::string address;
  bool up = false;
  // Absent where the kernel does not tell.
  std::optional<uint64_t> kernel_drops;
  ListenerCounts counts;
  double created_seconds = 0;  // since when it counts
};

// All that the collector tells of itself at one instant.
struct StreamState {
  SteadyTime now;
  SystemTime taken;
  std::vector<ListenerView> listeners;
  bool scrape_configured = false;
  double created_seconds = 0;
};

std::span<const FamilyDescription* const> StreamFamilies();

// Appends all of them.
void AppendStreamFamilies(const StreamState& state, const StoreState& store, FamilyList* families);

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_STREAM_FAMILIES_H_
