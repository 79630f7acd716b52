// Settings as metrics, and what should not be as it is.
#ifndef COLLECTORS_POSTGRES_CAPACITY_FINDINGS_H_
#define COLLECTORS_POSTGRES_CAPACITY_FINDINGS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "collectors/postgres/capacity_sessions.h"
#include "collectors/postgres/capacity_settings.h"
#include "collectors/postgres/statistics_scope.h"
#include "exporter/metrics/family.h"

namespace spire_exporter::postgres {

std::span<const FamilyDescription* const> FindingsFamilies();

// `reference`: the settings of the node that others are held against; null when there is none to
// compare with. `changes`: settings seen to change since this process began.
void AddSettings(std::string_view node, const SettingsReading& settings,
                 const SettingsReading* reference, uint64_t changes, double created_seconds,
                 FamilyBuilder& families);

// Null for what could not be read: what cannot be judged is absent.
void AddFindings(std::string_view node, const SessionsReading* sessions,
                 const SettingsReading* settings, const StatisticsScope& scope,
                 FamilyBuilder& families);

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_CAPACITY_FINDINGS_H_
