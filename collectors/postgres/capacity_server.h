// What the server has counted since it began, and how near its limits are.
#ifndef COLLECTORS_POSTGRES_CAPACITY_SERVER_H_
#define COLLECTORS_POSTGRES_CAPACITY_SERVER_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "collectors/clients/postgres/connection.h"
#include "collectors/postgres/capacity_rebase.h"
#include "collectors/postgres/statistics_scope.h"
#include "exporter/base/result.h"

namespace spire_exporter::postgres {

// A cumulative counter as the server tells it. `name` is one of those in the table of
// capacity_counters.cc and has static storage.
struct ServerCounter {
  std::string_view name;
  double value = 0;
  CounterOrigin origin;
};

struct DatabaseReading {
  bool standby = false;
  std::vector<ServerCounter> counters;  // without those that this version does not tell
  // The oldest of all databases, in transactions and multixacts: PostgreSQL stops writing at 2^31.
  std::optional<int64_t> xid_age;
  std::optional<int64_t> multixact_age;
};
// pg_stat_database of ours, and pg_database.
Result<DatabaseReading> ReadDatabase(pg::Connection& connection, const StatisticsScope& scope);

struct WritesReading {
  std::vector<ServerCounter> counters;
  // Since the archiver last succeeded and failed; nothing when it never did.
  std::optional<double> archived_seconds;
  std::optional<double> archive_failed_seconds;
};
// Checkpoints (restartpoints on a standby), WAL and archiver.
Result<WritesReading> ReadWrites(pg::Connection& connection);

struct TableReading {
  std::string_view table;
  std::optional<int64_t> live;
  std::optional<int64_t> dead;
  // Unix times of the last one, by hand or automatic; nothing for never.
  std::optional<double> vacuumed;
  std::optional<double> analyzed;
};
// SPIRE's tables; none on a standby, which counts neither rows nor vacuums. Takes no lock on them.
Result<std::vector<TableReading>> ReadTables(pg::Connection& connection,
                                             const StatisticsScope& scope);

// Bytes of the whole database. Looks at every file of it: some ms, more for many tables.
Result<int64_t> ReadSize(pg::Connection& connection);

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_CAPACITY_SERVER_H_
