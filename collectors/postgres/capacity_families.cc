#include "collectors/postgres/capacity_families.h"

#include <algorithm>
#include <iterator>

#include "collectors/postgres/statistics_describe.h"

namespace spire_exporter::postgres {
namespace {

constexpr std::string_view kActivity = "pg_stat_activity";
constexpr std::string_view kDatabase = "pg_stat_database";

constexpr LabelDescription kNodeSessionState[] = {
    kStatisticsNode,
    {"state",
     "What the session does; hidden: pg_read_all_stats is missing; other: a fastpath call, or "
     "track_activities is off.",
     kSessionStates}};
constexpr LabelDescription kNodeHolder[] = {kStatisticsNode,
                                            {"holder", "What holds dead rows back.", kXminHolders}};
constexpr std::string_view kWrapCounters[] = {"xid", "multixact"};
constexpr LabelDescription kNodeCounter[] = {
    kStatisticsNode, {"counter", "Transaction ids or multixact ids.", kWrapCounters}};
constexpr std::string_view kRowStates[] = {"live", "dead"};
constexpr LabelDescription kNodeTableState[] = {
    kStatisticsNode, kSpireTable, {"state", "dead: waits for vacuum.", kRowStates}};
constexpr std::string_view kOutcomes[] = {"archived", "failed"};
constexpr LabelDescription kNodeOutcome[] = {kStatisticsNode,
                                             {"outcome", "How the attempt ended.", kOutcomes}};
constexpr std::string_view kFrom[] = {"cache", "storage"};
constexpr LabelDescription kNodeFrom[] = {
    kStatisticsNode, {"from", "cache: shared_buffers; storage: asked of the kernel.", kFrom}};
constexpr std::string_view kEnds[] = {"committed", "rolled_back"};
constexpr LabelDescription kNodeEnd[] = {kStatisticsNode,
                                         {"outcome", "How the transaction ended.", kEnds}};
constexpr std::string_view kEndReasons[] = {"abandoned", "fatal", "killed"};
constexpr LabelDescription kNodeReason[] = {
    kStatisticsNode,
    {"reason", "abandoned: the client was lost; fatal: an error; killed: an administrator.",
     kEndReasons}};
constexpr std::string_view kCauses[] = {"timed", "requested"};
constexpr LabelDescription kNodeCause[] = {
    kStatisticsNode, {"cause", "requested: mostly because max_wal_size was reached.", kCauses}};
constexpr std::string_view kPhases[] = {"write", "sync"};
constexpr LabelDescription kNodePhase[] = {kStatisticsNode,
                                           {"phase", "Writing, or waiting for fsync.", kPhases}};

constexpr auto kGauge = MetricType::kGauge;
constexpr auto kCounter = MetricType::kCounter;

constexpr FamilyDescription kConnections =
    DescribeStatistics("spire_postgres_connections", kGauge, kNodeSessionState, kSessionStateCount,
                       "Clients' sessions on the server, in all databases.", kActivity);
constexpr FamilyDescription kSpireConnections = DescribeStatistics(
    "spire_postgres_spire_connections", kGauge, kNodeSessionState, kSessionStateCount,
    "SPIRE's sessions: those of its roles in its database, but ours.", kActivity);
constexpr FamilyDescription kLimit =
    DescribeStatistics("spire_postgres_connections_limit", kGauge, kNodeOnly, 1,
                       "max_connections: sessions that the server takes.", "settings");
constexpr FamilyDescription kReserved = DescribeStatistics(
    "spire_postgres_connections_reserved", kGauge, kNodeOnly, 1,
    "Sessions of the limit that are not for SPIRE: superuser_reserved_connections and, from "
    "PostgreSQL 16, reserved_connections.",
    "settings");
constexpr FamilyDescription kAvailable = DescribeStatistics(
    "spire_postgres_connections_available", kGauge, kNodeOnly, 1,
    "Sessions that SPIRE could still open: what the server's limit, the database's and its role's "
    "leave, whichever is least.",
    kActivity);
constexpr FamilyDescription kClients =
    DescribeStatistics("spire_postgres_spire_clients", kGauge, kNodeOnly, 1,
                       "Addresses that SPIRE's sessions come from.", kActivity);
constexpr FamilyDescription kPoolsMax = DescribeStatistics(
    "spire_postgres_spire_connections_max", kGauge, kNodeOnly, 1,
    "Sessions that SPIRE's pools may take: the configured size of a pool for each address seen. "
    "Absent when the size is not configured.",
    "this process");
constexpr FamilyDescription kLong = DescribeStatistics(
    "spire_postgres_long_transactions", kGauge, kNodeOnly, 1,
    "Clients' transactions that have been open for longer than a minute.", kActivity);
constexpr FamilyDescription kOldest = DescribeStatistics(
    "spire_postgres_oldest_transaction_seconds", kGauge, kNodeOnly, 1,
    "For how long the oldest client's transaction has been open; 0 when none is.", kActivity,
    "seconds");
constexpr FamilyDescription kIdle = DescribeStatistics(
    "spire_postgres_oldest_idle_in_transaction_seconds", kGauge, kNodeOnly, 1,
    "For how long the session has been idle that has been so longest in an open transaction; 0 "
    "when none is.",
    kActivity, "seconds");
constexpr FamilyDescription kPrepared =
    DescribeStatistics("spire_postgres_prepared_transactions", kGauge, kNodeOnly, 1,
                       "Prepared transactions, in all databases.", "pg_prepared_xacts");
constexpr FamilyDescription kOldestPrepared =
    DescribeStatistics("spire_postgres_oldest_prepared_transaction_seconds", kGauge, kNodeOnly, 1,
                       "Since the oldest prepared transaction was prepared; 0 when there is none.",
                       "pg_prepared_xacts", "seconds");
constexpr FamilyDescription kXmin = DescribeStatistics(
    "spire_postgres_xmin_age_transactions", kGauge, kNodeHolder, kXminHolderCount,
    "Age of the oldest snapshot that keeps dead rows from being removed, in transactions; 0 when "
    "there is none.",
    "pg_stat_activity, pg_prepared_xacts, pg_replication_slots");

constexpr FamilyDescription kBlocks =
    DescribeStatistics("spire_postgres_blocks_total", kCounter, kNodeFrom, 2,
                       "Blocks read in SPIRE's database.", kDatabase);
constexpr FamilyDescription kTransactions = DescribeStatistics(
    "spire_postgres_transactions_total", kCounter, kNodeEnd, 2,
    "Transactions that ended in SPIRE's database; ours, a few each round, among them.", kDatabase);
constexpr FamilyDescription kTemporaryFiles =
    DescribeStatistics("spire_postgres_temporary_files_total", kCounter, kNodeOnly, 1,
                       "Files that statements wrote because work_mem was too small.", kDatabase);
constexpr FamilyDescription kTemporaryBytes =
    DescribeStatistics("spire_postgres_temporary_bytes_total", kCounter, kNodeOnly, 1,
                       "What was written to temporary files.", kDatabase, "bytes");
constexpr FamilyDescription kDeadlocks =
    DescribeStatistics("spire_postgres_deadlocks_total", kCounter, kNodeOnly, 1,
                       "Deadlocks found in SPIRE's database.", kDatabase);
constexpr FamilyDescription kChecksums = DescribeStatistics(
    "spire_postgres_checksum_failures_total", kCounter, kNodeOnly, 1,
    "Pages of SPIRE's database whose checksum was wrong. Absent when checksums are off.",
    kDatabase);
constexpr FamilyDescription kSessionsEnded = DescribeStatistics(
    "spire_postgres_sessions_ended_total", kCounter, kNodeReason, 3,
    "Sessions with SPIRE's database that did not end well. From PostgreSQL 14.", kDatabase);
constexpr FamilyDescription kCheckpoints = DescribeStatistics(
    "spire_postgres_checkpoints_total", kCounter, kNodeCause, 2,
    "Checkpoints, and restartpoints of a standby.", "pg_stat_bgwriter, pg_stat_checkpointer");
constexpr FamilyDescription kCheckpointSeconds = DescribeStatistics(
    "spire_postgres_checkpoint_seconds_total", kCounter, kNodePhase, 2,
    "Time that checkpoints took.", "pg_stat_bgwriter, pg_stat_checkpointer", "seconds");
constexpr FamilyDescription kWal = DescribeStatistics(
    "spire_postgres_wal_bytes_total", kCounter, kNodeOnly, 1,
    "WAL made by a primary. Before PostgreSQL 14 its position in the log.", "pg_stat_wal", "bytes");
constexpr FamilyDescription kArchived = DescribeStatistics(
    "spire_postgres_archiver_attempts_total", kCounter, kNodeOutcome, 2,
    "WAL files given to the archiver. Absent when archive_mode is off.", "pg_stat_archiver");
constexpr FamilyDescription kArchiverAge =
    DescribeStatistics("spire_postgres_archiver_age_seconds", kGauge, kNodeOutcome, 2,
                       "Since the archiver last succeeded or failed; absent when it never did.",
                       "pg_stat_archiver", "seconds");
constexpr FamilyDescription kRebased = DescribeStatistics(
    "spire_postgres_statistics_rebased_total", kCounter, kNodeOnly, 1,
    "Counters of the server that did not go on from where they were: after a reset, a crash, or "
    "with another server behind the name.",
    "this process");

constexpr FamilyDescription kWraparound = DescribeStatistics(
    "spire_postgres_wraparound_ratio", kGauge, kNodeCounter, 2,
    "Age of the oldest id in any database, of the 2^31 at which PostgreSQL refuses to write.",
    "pg_database", "ratio");
constexpr FamilyDescription kSize = DescribeStatistics(
    "spire_postgres_database_size_bytes", kGauge, kNodeOnly, 1,
    "Size of SPIRE's database in files; read every five minutes.", "pg_database_size()", "bytes");
constexpr FamilyDescription kRows = DescribeStatistics(
    "spire_postgres_table_rows", kGauge, kNodeTableState, 2 * std::size(kSpireTables),
    "Rows of the table as the statistics estimate them; of a primary, read every minute.",
    "pg_stat_user_tables");
constexpr FamilyDescription kVacuumed = DescribeStatistics(
    "spire_postgres_table_vacuum_timestamp_seconds", kGauge, kNodeTable, std::size(kSpireTables),
    "When the table was last vacuumed, by hand or automatically; absent for never.",
    "pg_stat_user_tables", "seconds");
constexpr FamilyDescription kAnalyzed = DescribeStatistics(
    "spire_postgres_table_analyze_timestamp_seconds", kGauge, kNodeTable, std::size(kSpireTables),
    "When the table was last analyzed, by hand or automatically; absent for never.",
    "pg_stat_user_tables", "seconds");

constexpr const FamilyDescription* kCapacityFamilies[] = {
    &kConnections,    &kSpireConnections,  &kLimit,     &kReserved,  &kAvailable,
    &kClients,        &kPoolsMax,          &kLong,      &kOldest,    &kIdle,
    &kPrepared,       &kOldestPrepared,    &kXmin,      &kBlocks,    &kTransactions,
    &kTemporaryFiles, &kTemporaryBytes,    &kDeadlocks, &kChecksums, &kSessionsEnded,
    &kCheckpoints,    &kCheckpointSeconds, &kWal,       &kArchived,  &kArchiverAge,
    &kRebased,        &kWraparound,        &kSize,      &kRows,      &kVacuumed,
    &kAnalyzed};

// Which series a counter of the server is. `label` is empty where the node is the only label.
struct CounterSeries {
  std::string_view counter;
  const FamilyDescription* family;
  std::string_view label;
};
constexpr CounterSeries kCounters[] = {
    {"blocks_cache", &kBlocks, "cache"},
    {"blocks_storage", &kBlocks, "storage"},
    {"transactions_committed", &kTransactions, "committed"},
    {"transactions_rolled_back", &kTransactions, "rolled_back"},
    {"temporary_files", &kTemporaryFiles, ""},
    {"temporary_bytes", &kTemporaryBytes, ""},
    {"deadlocks", &kDeadlocks, ""},
    {"checksum_failures", &kChecksums, ""},
    {"sessions_abandoned", &kSessionsEnded, "abandoned"},
    {"sessions_fatal", &kSessionsEnded, "fatal"},
    {"sessions_killed", &kSessionsEnded, "killed"},
    {"checkpoints_timed", &kCheckpoints, "timed"},
    {"checkpoints_requested", &kCheckpoints, "requested"},
    {"checkpoint_write_seconds", &kCheckpointSeconds, "write"},
    {"checkpoint_sync_seconds", &kCheckpointSeconds, "sync"},
    {"wal_bytes", &kWal, ""},
    {"archived", &kArchived, "archived"},
    {"archive_failed", &kArchived, "failed"},
};

double Number(int64_t value) {
  return static_cast<double>(value);
}

void AddCounters(std::string_view node, const std::vector<ServerCounter>& counters,
                 CounterRebase& rebase, FamilyBuilder& families) {
  for (const ServerCounter& counter : counters) {
    const auto* series =
        std::find_if(std::begin(kCounters), std::end(kCounters),
                     [&](const CounterSeries& each) { return each.counter == counter.name; });
    if (series == std::end(kCounters)) continue;
    const RebasedTotal total = rebase.Take(series->counter, counter.value, counter.origin);
    if (series->label.empty()) {
      families.Add(*series->family, {node}, total.value, total.created_seconds);
    } else {
      families.Add(*series->family, {node, series->label}, total.value, total.created_seconds);
    }
  }
}

}  // namespace

std::span<const FamilyDescription* const> CapacityFamilies() {
  return kCapacityFamilies;
}

void AddSessions(std::string_view node, const SessionsReading& reading,
                 const StatisticsScope& scope, std::optional<int64_t> pool_max,
                 FamilyBuilder& families) {
  const SessionSummary summary = Summarize(reading, scope);
  for (size_t i = 0; i < kSessionStateCount; ++i) {
    families.Add(kConnections, {node, kSessionStates[i]}, Number(summary.connections[i]));
    if (!scope.roles.empty()) {
      families.Add(kSpireConnections, {node, kSessionStates[i]}, Number(summary.spires[i]));
    }
  }
  families.Add(kLimit, {node}, Number(reading.connections_limit));
  families.Add(kReserved, {node}, Number(reading.reserved));
  families.Add(kAvailable, {node}, Number(summary.available));
  if (!scope.roles.empty() && summary.spires_hidden == 0) {
    const auto clients = static_cast<int64_t>(summary.clients.size());
    families.Add(kClients, {node}, Number(clients));
    if (pool_max) families.Add(kPoolsMax, {node}, Number(clients * *pool_max));
  }
  if (summary.hidden == 0) {
    families.Add(kLong, {node}, Number(summary.long_transactions));
    families.Add(kOldest, {node}, std::max(summary.transaction_seconds, 0.0));
    families.Add(kIdle, {node}, std::max(summary.idle_seconds, 0.0));
  }
}

void AddTransactions(std::string_view node, const TransactionsReading& reading,
                     const SessionsReading* sessions, const StatisticsScope& scope,
                     FamilyBuilder& families) {
  families.Add(kPrepared, {node}, Number(reading.prepared));
  families.Add(kOldestPrepared, {node}, std::max(reading.prepared_seconds.value_or(0), 0.0));
  families.Add(kXmin, {node, "prepared"}, Number(reading.prepared_xmin_age.value_or(0)));
  families.Add(kXmin, {node, "slot"}, Number(reading.slot_xmin_age.value_or(0)));
  if (sessions == nullptr) return;
  const SessionSummary summary = Summarize(*sessions, scope);
  families.Add(kXmin, {node, "backend"}, Number(summary.backend_xmin_age));
  families.Add(kXmin, {node, "standby_feedback"}, Number(summary.feedback_xmin_age));
}

void AddDatabase(std::string_view node, const DatabaseReading& reading, CounterRebase& rebase,
                 FamilyBuilder& families) {
  AddCounters(node, reading.counters, rebase, families);
  constexpr double kLimitIds = 2147483648.0;
  if (reading.xid_age) {
    families.Add(kWraparound, {node, "xid"}, Number(*reading.xid_age) / kLimitIds);
  }
  if (reading.multixact_age) {
    families.Add(kWraparound, {node, "multixact"}, Number(*reading.multixact_age) / kLimitIds);
  }
}

void AddWrites(std::string_view node, const WritesReading& reading, CounterRebase& rebase,
               FamilyBuilder& families) {
  AddCounters(node, reading.counters, rebase, families);
  if (reading.archived_seconds) {
    families.Add(kArchiverAge, {node, "archived"}, std::max(*reading.archived_seconds, 0.0));
  }
  if (reading.archive_failed_seconds) {
    families.Add(kArchiverAge, {node, "failed"}, std::max(*reading.archive_failed_seconds, 0.0));
  }
}

void AddRebased(std::string_view node, const CounterRebase& rebase, double created_seconds,
                FamilyBuilder& families) {
  families.Add(kRebased, {node}, static_cast<double>(rebase.rebased()), created_seconds);
}

void AddTables(std::string_view node, const std::vector<TableReading>& tables,
               FamilyBuilder& families) {
  for (const TableReading& table : tables) {
    if (table.live) families.Add(kRows, {node, table.table, "live"}, Number(*table.live));
    if (table.dead) families.Add(kRows, {node, table.table, "dead"}, Number(*table.dead));
    if (table.vacuumed) families.Add(kVacuumed, {node, table.table}, *table.vacuumed);
    if (table.analyzed) families.Add(kAnalyzed, {node, table.table}, *table.analyzed);
  }
}

void AddSize(std::string_view node, int64_t bytes, FamilyBuilder& families) {
  families.Add(kSize, {node}, Number(bytes));
}

}  // namespace spire_exporter::postgres
