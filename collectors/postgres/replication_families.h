// The families of the replication, and how they are filled.
#ifndef COLLECTORS_POSTGRES_REPLICATION_FAMILIES_H_
#define COLLECTORS_POSTGRES_REPLICATION_FAMILIES_H_

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collectors/postgres/replication_judge.h"
#include "collectors/postgres/replication_reading.h"
#include "exporter/metrics/description.h"
#include "exporter/metrics/family.h"

namespace spire_exporter::postgres {

std::span<const FamilyDescription* const> ReplicationFamilies();

// A node with the latest that is known of it.
struct NodeKnown {
  NodeView view;
  int version = 0;
  std::optional<SurroundingsReading> surroundings;
  // Of servers that do not say it: since when we have seen a slot inactive, Unix time.
  std::map<std::string, double, std::less<>> slots_inactive_since;
};

enum class SlotState { kActive, kInactive, kUnused, kLost, kInvalidated };
SlotState StateOfSlot(const SlotReading& slot);

// Follows which slots are inactive. `now_seconds` is Unix time.
void WatchSlots(const std::vector<SlotReading>& slots, double now_seconds,
                std::map<std::string, double, std::less<>>* inactive_since);

// Adds every family, those without series too: what was known before is not known still. `nodes`
// are as the verdict's.
void AddReplication(const std::vector<NodeKnown>& nodes, const ClusterVerdict& verdict,
                    FamilyBuilder* builder);

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_REPLICATION_FAMILIES_H_
