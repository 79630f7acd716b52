// Locks as metrics.
#ifndef COLLECTORS_POSTGRES_LOCKS_FAMILIES_H_
#define COLLECTORS_POSTGRES_LOCKS_FAMILIES_H_

#include <memory>
#include <span>
#include <string_view>

#include "collectors/postgres/locks_reading.h"
#include "collectors/postgres/statistics_scope.h"
#include "exporter/metrics/family.h"
#include "exporter/metrics/histogram.h"

namespace spire_exporter::postgres {

std::span<const FamilyDescription* const> LocksFamilies();

// Of the ages of waits.
std::shared_ptr<const HistogramLayout> LockWaitLayout();

void AddLocks(std::string_view node, const LocksReading& reading, const StatisticsScope& scope,
              const std::shared_ptr<const HistogramLayout>& layout, FamilyBuilder& families);

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_LOCKS_FAMILIES_H_
