#include "collectors/postgres/capacity_server.h"

#include <string>
#include <utility>

#include "collectors/postgres/statistics_gates.h"

namespace spire_exporter::postgres {
namespace {

// What every row of counters begins with.
constexpr std::string_view kOriginColumns =
    "extract(epoch FROM clock_timestamp())::float8, "
    "extract(epoch FROM pg_postmaster_start_time())::float8, pg_is_in_recovery()";
constexpr size_t kOriginCount = 3;

CounterOrigin OriginOf(const pg::Rows& rows, std::optional<double> reset) {
  return {rows.Double(0).value_or(0), rows.Double(1).value_or(0), reset};
}

struct Column {
  std::string_view name;
  std::string_view column;
};

constexpr Column kDatabaseColumns[] = {
    {"blocks_cache", "blks_hit"},
    {"blocks_storage", "blks_read"},
    {"transactions_committed", "xact_commit"},
    {"transactions_rolled_back", "xact_rollback"},
    {"temporary_files", "temp_files"},
    {"temporary_bytes", "temp_bytes"},
    {"deadlocks", "deadlocks"},
    {"checksum_failures", "checksum_failures"},
};
constexpr Column kSessionEndColumns[] = {
    {"sessions_abandoned", "sessions_abandoned"},
    {"sessions_fatal", "sessions_fatal"},
    {"sessions_killed", "sessions_killed"},
};
constexpr Column kBgwriterColumns[] = {
    {"checkpoints_timed", "checkpoints_timed"},
    {"checkpoints_requested", "checkpoints_req"},
    {"checkpoint_write_seconds", "checkpoint_write_time / 1000"},
    {"checkpoint_sync_seconds", "checkpoint_sync_time / 1000"},
};
constexpr Column kCheckpointerColumns[] = {
    {"checkpoints_timed", "num_timed + restartpoints_timed"},
    {"checkpoints_requested", "num_requested + restartpoints_req"},
    {"checkpoint_write_seconds", "write_time / 1000"},
    {"checkpoint_sync_seconds", "sync_time / 1000"},
};

// Statement and counters side by side, so that a column cannot be read as another.
class CounterQuery {
 public:
  template <size_t size>
  void Add(const Column (&columns)[size]) {
    for (const Column& column : columns) {
      names_.push_back(column.name);
      text_ += ", (" + std::string(column.column) + ")::float8";
    }
  }
  const std::string& text() const { return text_; }

  // The first counter stands in column `first`.
  void Take(const pg::Rows& rows, size_t first, const CounterOrigin& origin,
            std::vector<ServerCounter>& counters) const {
    for (size_t i = 0; i < names_.size(); ++i) {
      if (const auto value = rows.Double(first + i)) {
        counters.push_back({names_[i], *value, origin});
      }
    }
  }
  size_t size() const { return names_.size(); }

 private:
  std::string text_;
  std::vector<std::string_view> names_;
};

Error NoRow(std::string what) {
  return Error{Code::kNotFound, std::move(what) + ": no row", "", true};
}

}  // namespace

Result<DatabaseReading> ReadDatabase(pg::Connection& connection, const StatisticsScope& scope) {
  CounterQuery counters;
  counters.Add(kDatabaseColumns);
  if (Has(connection, Gate::kSessionEnds)) counters.Add(kSessionEndColumns);
  const auto rows = connection.Query("database statistics",
                                     "SELECT " + std::string(kOriginColumns) +
                                         ", extract(epoch FROM stats_reset)::float8, "
                                         "(SELECT max(age(datfrozenxid)) FROM pg_database), "
                                         "(SELECT max(mxid_age(datminmxid)) FROM pg_database)" +
                                         counters.text() + " FROM pg_stat_database WHERE datid = " +
                                         std::to_string(scope.database));
  if (!rows.ok()) return rows.error();
  if (rows->empty()) return NoRow("database statistics");
  DatabaseReading reading;
  reading.standby = rows->Bool(2).value_or(false);
  reading.xid_age = rows->Int(kOriginCount + 1);
  reading.multixact_age = rows->Int(kOriginCount + 2);
  counters.Take(*rows, kOriginCount + 3, OriginOf(*rows, rows->Double(kOriginCount)),
                reading.counters);
  return reading;
}

Result<WritesReading> ReadWrites(pg::Connection& connection) {
  CounterQuery checkpoints;
  const bool checkpointer = Has(connection, Gate::kCheckpointer);
  if (checkpointer) {
    checkpoints.Add(kCheckpointerColumns);
  } else {
    checkpoints.Add(kBgwriterColumns);
  }
  // A standby writes what it is sent, which is not counted.
  const std::string wal =
      Has(connection, Gate::kWalStatistics)
          ? "(SELECT CASE WHEN NOT pg_is_in_recovery() THEN wal_bytes END::float8 AS bytes, "
            "extract(epoch FROM stats_reset)::float8 AS reset FROM pg_stat_wal) w"
          : "(SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), "
            "'0/0') END::float8 AS bytes, NULL::float8 AS reset) w";
  const auto rows = connection.Query(
      "checkpoint, WAL and archiver statistics",
      "SELECT " + std::string(kOriginColumns) +
          ", extract(epoch FROM c.stats_reset)::float8, w.reset, w.bytes, "
          "extract(epoch FROM a.stats_reset)::float8, "
          "CASE WHEN current_setting('archive_mode') <> 'off' THEN archived_count END::float8, "
          "CASE WHEN current_setting('archive_mode') <> 'off' THEN failed_count END::float8, "
          "extract(epoch FROM clock_timestamp() - last_archived_time)::float8, "
          "extract(epoch FROM clock_timestamp() - last_failed_time)::float8" +
          checkpoints.text() + " FROM " +
          (checkpointer ? "pg_stat_checkpointer" : "pg_stat_bgwriter") + " c, " + wal +
          ", pg_stat_archiver a");
  if (!rows.ok()) return rows.error();
  if (rows->empty()) return NoRow("checkpoint, WAL and archiver statistics");
  WritesReading reading;
  const auto add = [&](std::string_view name, size_t column, std::optional<double> reset) {
    if (const auto value = rows->Double(column)) {
      reading.counters.push_back({name, *value, OriginOf(*rows, reset)});
    }
  };
  add("wal_bytes", 5, rows->Double(4));
  add("archived", 7, rows->Double(6));
  add("archive_failed", 8, rows->Double(6));
  reading.archived_seconds = rows->Double(9);
  reading.archive_failed_seconds = rows->Double(10);
  checkpoints.Take(*rows, 11, OriginOf(*rows, rows->Double(3)), reading.counters);
  return reading;
}

Result<std::vector<TableReading>> ReadTables(pg::Connection& connection,
                                             const StatisticsScope& scope) {
  const auto rows =
      connection.Query("statistics of SPIRE's tables",
                       "SELECT relid, n_live_tup, n_dead_tup, "
                       "extract(epoch FROM greatest(last_vacuum, last_autovacuum))::float8, "
                       "extract(epoch FROM greatest(last_analyze, last_autoanalyze))::float8 "
                       "FROM pg_stat_user_tables WHERE relid IN (" +
                           TableList(scope) + ") AND NOT pg_is_in_recovery()");
  if (!rows.ok()) return rows.error();
  std::vector<TableReading> tables;
  rows->ForEach([&](const pg::Row& row) {
    const auto at = scope.tables.find(row.Int(0).value_or(0));
    if (at == scope.tables.end()) return;
    tables.push_back({at->second, row.Int(1), row.Int(2), row.Double(3), row.Double(4)});
  });
  return tables;
}

Result<int64_t> ReadSize(pg::Connection& connection) {
  const auto rows =
      connection.Query("database size", "SELECT pg_database_size(current_database())");
  if (!rows.ok()) return rows.error();
  const auto size = rows->Int(0);
  if (!size) return NoRow("database size");
  return *size;
}

}  // namespace spire_exporter::postgres
