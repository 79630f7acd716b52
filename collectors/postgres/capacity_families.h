// Sessions, transactions and what the server counts as metrics.
#ifndef COLLECTORS_POSTGRES_CAPACITY_FAMILIES_H_
#define COLLECTORS_POSTGRES_CAPACITY_FAMILIES_H_

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "collectors/postgres/capacity_rebase.h"
#include "collectors/postgres/capacity_server.h"
#include "collectors/postgres/capacity_sessions.h"
#include "collectors/postgres/statistics_scope.h"
#include "exporter/metrics/family.h"

namespace spire_exporter::postgres {

std::span<const FamilyDescription* const> CapacityFamilies();

// `pool_max`: connections that one SPIRE server may open, when that is known. What depends on
// sessions that may not be seen is left out.
void AddSessions(std::string_view node, const SessionsReading& reading,
                 const StatisticsScope& scope, std::optional<int64_t> pool_max,
                 FamilyBuilder& families);
// The age of the oldest snapshot by holder needs both; without `sessions` those of backends and
// standbys are left out.
void AddTransactions(std::string_view node, const TransactionsReading& reading,
                     const SessionsReading* sessions, const StatisticsScope& scope,
                     FamilyBuilder& families);
void AddDatabase(std::string_view node, const DatabaseReading& reading, CounterRebase& rebase,
                 FamilyBuilder& families);
void AddWrites(std::string_view node, const WritesReading& reading, CounterRebase& rebase,
               FamilyBuilder& families);
// After the last counter of a round.
void AddRebased(std::string_view node, const CounterRebase& rebase, double created_seconds,
                FamilyBuilder& families);
void AddTables(std::string_view node, const std::vector<TableReading>& tables,
               FamilyBuilder& families);
void AddSize(std::string_view node, int64_t bytes, FamilyBuilder& families);

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_CAPACITY_FAMILIES_H_
