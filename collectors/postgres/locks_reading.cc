#include "collectors/postgres/locks_reading.h"

#include <charconv>

#include "collectors/postgres/statistics_gates.h"

namespace spire_exporter::postgres {
namespace {

// As pg_locks spells them, in the order of kLockModes.
constexpr std::string_view kServerModes[kLockModeCount] = {
    "AccessShareLock", "RowShareLock",          "RowExclusiveLock", "ShareUpdateExclusiveLock",
    "ShareLock",       "ShareRowExclusiveLock", "ExclusiveLock",    "AccessExclusiveLock"};

// Pairs to remember of one reading; more are as if not examined.
constexpr size_t kPairsMax = 100'000;

std::optional<size_t> ModeNumber(std::string_view mode) {
  for (size_t i = 0; i < kLockModeCount; ++i) {
    if (kServerModes[i] == mode) return i;
  }
  return std::nullopt;
}

std::string HeldStatement(const StatisticsScope& scope) {
  return "SELECT mode, granted, CASE WHEN granted AND locktype = 'relation' AND database = " +
         std::to_string(scope.database) + " AND relation IN (" + TableList(scope) +
         ") AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', "
         "'AccessExclusiveLock') THEN relation END, count(*) "
         "FROM pg_locks WHERE mode <> 'SIReadLock' AND pid IS DISTINCT FROM pg_backend_pid() "
         "AND NOT (granted AND locktype IN ('virtualxid', 'transactionid')) GROUP BY 1, 2, 3";
}

// Whoever waits for a row waits for the transaction that changed it, or for those who came before;
// the table is then the one whose tuple it has locked meanwhile.
std::string WaitersStatement(const StatisticsScope& scope, bool wait_start) {
  const std::string since = wait_start ? "l.waitstart" : "s.query_start";
  return "WITH held AS MATERIALIZED (SELECT * FROM pg_locks), "
         "waiters AS MATERIALIZED (SELECT l.pid, coalesce(l.relation, (SELECT t.relation "
         "FROM held t WHERE t.pid = l.pid AND t.locktype = 'tuple' AND t.granted LIMIT 1)) AS "
         "relation, (s.usesysid IN (" +
         RoleList(scope) + ") AND s.datid = " + std::to_string(scope.database) +
         " AND s.application_name <> current_setting('application_name')) AS spires, "
         "extract(epoch FROM clock_timestamp() - " +
         since + ")::float8 AS seconds, row_number() OVER (ORDER BY " + since +
         " NULLS LAST, l.pid) AS place, count(*) OVER () AS waiting, l.mode "
         "FROM held l LEFT JOIN pg_stat_get_activity(NULL) s ON s.pid = l.pid "
         "WHERE NOT l.granted), "
         "asked AS MATERIALIZED (SELECT *, CASE WHEN place <= " +
         std::to_string(LocksReading::kExaminedMax) +
         " THEN pg_blocking_pids(pid) END AS blockers FROM waiters ORDER BY place LIMIT " +
         std::to_string(LocksReading::kWaitersMax) +
         "), roots AS (SELECT DISTINCT b.pid FROM asked, unnest(blockers) AS b(pid) "
         "WHERE b.pid NOT IN (SELECT pid FROM waiters)) "
         "SELECT 'waiter', pid, spires, seconds, relation, array_to_string(blockers, ','), "
         "waiting, "
         "mode FROM asked UNION ALL "
         "SELECT 'blocker', r.pid, NULL, CASE WHEN r.pid = 0 THEN (SELECT extract(epoch FROM "
         "clock_timestamp() - min(prepared))::float8 FROM pg_prepared_xacts) "
         "ELSE extract(epoch FROM clock_timestamp() - s.xact_start)::float8 END, NULL, "
         "s.state, NULL, s.backend_type FROM roots r LEFT JOIN pg_stat_get_activity(NULL) s ON "
         "s.pid = r.pid";
}

void ParsePids(std::string_view text, std::vector<int64_t>& pids) {
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  while (at < end) {
    int64_t pid = 0;
    const auto [next, error] = std::from_chars(at, end, pid);
    if (error != std::errc()) return;
    pids.push_back(pid);
    at = next + 1;
  }
}

Status ReadWaiters(pg::Connection& connection, const StatisticsScope& scope,
                   LocksReading& reading) {
  size_t pairs = 0;
  return connection.Stream(
      "waiting sessions", WaitersStatement(scope, Has(connection, Gate::kWaitStart)),
      [&](const pg::Row& row) {
        const auto pid = row.Int(1);
        if (!pid) return;
        if (row.Text(0) == "blocker") {
          reading.blockers[*pid] = {*pid == kPreparedPid
                                        ? BlockerState::kPrepared
                                        : ClassifyBlocker(row.Text(7), row.Text(5)),
                                    row.Double(3)};
          return;
        }
        // As this statement saw it, so that all of the reading is of one moment.
        if (const auto mode = ModeNumber(row.TextOr(7, ""))) ++reading.waiting[*mode];
        LocksReading::Waiter waiter;
        waiter.who.pid = *pid;
        if (!scope.roles.empty()) waiter.spires = row.Bool(2).value_or(false);
        waiter.seconds = row.Double(3);
        waiter.table = row.Int(4);
        if (const auto blockers = row.Text(5); blockers && pairs < kPairsMax) {
          waiter.examined = true;
          ParsePids(*blockers, waiter.who.blockers);
          pairs += waiter.who.blockers.size();
        }
        const auto waiting = row.Int(6).value_or(0);
        reading.waiting_sessions = static_cast<uint64_t>(waiting > 0 ? waiting : 0);
        reading.waiters.push_back(std::move(waiter));
      });
}

}  // namespace

BlockerState ClassifyBlocker(std::optional<std::string_view> backend_type,
                             std::optional<std::string_view> state) {
  if (!backend_type) return BlockerState::kUnknown;
  if (*backend_type == "autovacuum worker") return BlockerState::kAutovacuum;
  if (*backend_type == "startup") return BlockerState::kReplay;
  if (*backend_type != "client backend" || !state) return BlockerState::kOther;
  if (*state == "active") return BlockerState::kActive;
  if (state->starts_with("idle in transaction")) return BlockerState::kIdleInTransaction;
  return BlockerState::kOther;
}

Result<LocksReading> ReadLocks(pg::Connection& connection, const StatisticsScope& scope) {
  const auto rows = connection.Query("locks", HeldStatement(scope));
  if (!rows.ok()) return rows.error();
  LocksReading reading;
  rows->ForEach([&](const pg::Row& row) {
    const auto mode = ModeNumber(row.TextOr(0, ""));
    const auto granted = row.Bool(1);
    const auto count = row.Int(3);
    if (!mode || !granted || !count || *count < 0) return;
    (*granted ? reading.granted : reading.waiting)[*mode] += static_cast<uint64_t>(*count);
    if (const auto table = row.Int(2)) {
      reading.exclusive[*table] += static_cast<uint64_t>(*count);
    }
    if (!*granted) reading.waiting_sessions += static_cast<uint64_t>(*count);
  });
  if (reading.waiting_sessions == 0) return reading;
  reading.waiting_sessions = 0;
  reading.waiting = {};
  const Status status = ReadWaiters(connection, scope, reading);
  if (!status.ok()) return status.error();
  return reading;
}

}  // namespace spire_exporter::postgres
