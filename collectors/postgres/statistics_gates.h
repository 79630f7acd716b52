// From which major version PostgreSQL tells what; before it, other columns serve or a value is
// absent. Source: the release notes of PostgreSQL 13 to 18, tried on each of 12 to 18.
#ifndef COLLECTORS_POSTGRES_STATISTICS_GATES_H_
#define COLLECTORS_POSTGRES_STATISTICS_GATES_H_

#include "collectors/clients/postgres/connection.h"

namespace spire_exporter::postgres {

enum class Gate {
  kWaitStart,            // pg_locks.waitstart
  kSessionEnds,          // pg_stat_database.sessions_{abandoned,fatal,killed}
  kWalStatistics,        // pg_stat_wal
  kReservedConnections,  // the setting reserved_connections
  kCheckpointer,         // pg_stat_checkpointer in place of half of pg_stat_bgwriter
};

struct GateVersion {
  Gate gate;
  int major;
};

inline constexpr GateVersion kGates[] = {
    {Gate::kWaitStart, 14},           {Gate::kSessionEnds, 14},  {Gate::kWalStatistics, 14},
    {Gate::kReservedConnections, 16}, {Gate::kCheckpointer, 17},
};

inline bool Has(const pg::Connection& connection, Gate gate) {
  for (const GateVersion& each : kGates) {
    if (each.gate == gate) return connection.AtLeast(each.major);
  }
  return false;
}

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_STATISTICS_GATES_H_
