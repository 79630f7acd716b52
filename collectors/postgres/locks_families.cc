#include "collectors/postgres/locks_families.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <vector>

#include "collectors/postgres/statistics_describe.h"
#include "exporter/metrics/gauge_histogram.h"

namespace spire_exporter::postgres {
namespace {

constexpr std::string_view kLocksView = "pg_locks";
constexpr std::string_view kTrees = "pg_blocking_pids()";

constexpr std::string_view kTruth[] = {"true", "false"};
constexpr LabelDescription kModeGranted[] = {
    kStatisticsNode,
    {"mode", "How strong the lock is, as PostgreSQL names it.", kLockModes},
    {"granted", "false: a session waits for it.", kTruth}};
constexpr LabelDescription kNodeBlockerState[] = {
    kStatisticsNode,
    {"state",
     "What the session does; prepared: a prepared transaction, which no session holds; replay: a "
     "standby replays what the primary locked; unknown: the session is gone, or the right to see "
     "it "
     "is missing.",
     kBlockerStates}};

constexpr FamilyDescription Gauge(std::string_view name, std::span<const LabelDescription> labels,
                                  uint32_t series, std::string_view help, std::string_view source,
                                  std::string_view unit = {}) {
  return DescribeStatistics(name, MetricType::kGauge, labels, series, help, source, unit);
}

constexpr FamilyDescription kLocks =
    Gauge("spire_postgres_locks", kModeGranted, 2 * kLockModeCount,
          "Locks that are held or waited for on the server, in all databases. Ours, and those that "
          "every transaction holds on itself, are left out.",
          kLocksView);
constexpr FamilyDescription kWaiting = Gauge("spire_postgres_lock_waiting_sessions", kNodeOnly, 1,
                                             "Sessions that wait for a lock.", kLocksView);
constexpr FamilyDescription kLongest =
    Gauge("spire_postgres_lock_longest_wait_seconds", kNodeOnly, 1,
          "For how long the session has waited that waits longest for a lock; 0 when none waits. "
          "Before PostgreSQL 14 since its statement began, which is at least that.",
          kLocksView, "seconds");
constexpr FamilyDescription kAges = DescribeStatistics(
    "spire_postgres_lock_wait_age_seconds", MetricType::kGaugeHistogram, kNodeOnly, 1,
    "For how long the sessions have waited that wait for a lock now. Before PostgreSQL 14 since "
    "their statement began.",
    kLocksView, "seconds");
constexpr FamilyDescription kBlocked =
    Gauge("spire_postgres_blocked_sessions", kNodeOnly, 1,
          "Sessions that wait, at once or behind others, for one that waits for nobody.", kTrees);
constexpr FamilyDescription kDeadlocked =
    Gauge("spire_postgres_deadlocked_sessions", kNodeOnly, 1,
          "Sessions that wait for each other and for nobody else, until deadlock_timeout.", kTrees);
constexpr FamilyDescription kUnexamined =
    Gauge("spire_postgres_blocking_unexamined_sessions", kNodeOnly, 1,
          "Waiting sessions whose blockers were not asked for, as too many wait: the trees are at "
          "least as large as they say.",
          kTrees);
constexpr FamilyDescription kRoots = Gauge(
    "spire_postgres_blocking_roots", kNodeOnly, 1,
    "Sessions and prepared transactions that others wait for and that wait for nobody.", kTrees);
constexpr FamilyDescription kWorst =
    Gauge("spire_postgres_blocking_root_blocked_sessions", kNodeOnly, 1,
          "Sessions behind the root with most behind it; 0 when nobody blocks.", kTrees);
constexpr FamilyDescription kWorstAge =
    Gauge("spire_postgres_blocking_root_transaction_seconds", kNodeOnly, 1,
          "Since the transaction of the root with most sessions behind it began; for a prepared "
          "one, that of the oldest prepared transaction. Absent when nobody blocks.",
          "pg_stat_activity", "seconds");
constexpr FamilyDescription kWorstState = DescribeStatistics(
    "spire_postgres_blocking_root_state", MetricType::kStateSet, kNodeBlockerState,
    std::size(kBlockerStates),
    "What the root with most sessions behind it does. Absent when nobody blocks.",
    "pg_stat_activity");
constexpr FamilyDescription kSpireWaiting =
    Gauge("spire_postgres_spire_lock_waiting_sessions", kNodeOnly, 1,
          "SPIRE's sessions that wait for a lock.", kLocksView);
constexpr FamilyDescription kSpireLongest =
    Gauge("spire_postgres_spire_lock_longest_wait_seconds", kNodeOnly, 1,
          "For how long that of SPIRE's sessions has waited that waits longest for a lock; 0 when "
          "none waits.",
          kLocksView, "seconds");
constexpr FamilyDescription kTablesWaiting =
    Gauge("spire_postgres_spire_tables_lock_waiting_sessions", kNodeOnly, 1,
          "Sessions, whosever, that wait for a lock on a table of SPIRE's or on a row of one.",
          kLocksView);
constexpr FamilyDescription kTablesExclusive =
    Gauge("spire_postgres_spire_tables_exclusive_locks", kNodeOnly, 1,
          "Locks held on tables of SPIRE's that its writes have to wait for: SHARE and stronger.",
          kLocksView);
constexpr FamilyDescription kTableWaiting =
    Gauge("spire_postgres_table_lock_waiting_sessions", kNodeTable, std::size(kSpireTables),
          "Sessions that wait for a lock on the table or on a row of it. Tables nobody waits for "
          "are left out.",
          kLocksView);
constexpr FamilyDescription kTableExclusive =
    Gauge("spire_postgres_table_exclusive_locks", kNodeTable, std::size(kSpireTables),
          "Locks held on the table that SPIRE's writes have to wait for. Tables without one are "
          "left out.",
          kLocksView);

constexpr const FamilyDescription* kLockFamilies[] = {
    &kLocks,        &kWaiting,       &kLongest,      &kAges,          &kBlocked,
    &kDeadlocked,   &kUnexamined,    &kRoots,        &kWorst,         &kWorstAge,
    &kWorstState,   &kSpireWaiting,  &kSpireLongest, &kTablesWaiting, &kTablesExclusive,
    &kTableWaiting, &kTableExclusive};

double Number(uint64_t value) {
  return static_cast<double>(value);
}

void AddWaits(std::string_view node, const LocksReading& reading, const StatisticsScope& scope,
              const std::shared_ptr<const HistogramLayout>& layout, FamilyBuilder& families) {
  std::vector<double> ages;
  uint64_t spires = 0;
  std::optional<double> spires_longest;
  for (const LocksReading::Waiter& waiter : reading.waiters) {
    if (waiter.seconds) ages.push_back(std::max(*waiter.seconds, 0.0));
    if (!waiter.spires.value_or(false)) continue;
    ++spires;
    if (waiter.seconds) {
      spires_longest = std::max(spires_longest.value_or(0), *waiter.seconds);
    }
  }
  families.Add(kWaiting, {node}, Number(reading.waiting_sessions));
  // Somebody waits, and nobody's age may be seen: then it is not known.
  if (!ages.empty() || reading.waiters.empty()) {
    families.Add(kLongest, {node}, ages.empty() ? 0 : *std::max_element(ages.begin(), ages.end()));
    families.Add(kAges, {node}, MakeGaugeHistogram(layout, ages).histogram);
  }
  if (scope.roles.empty()) return;
  families.Add(kSpireWaiting, {node}, Number(spires));
  if (spires == 0 || spires_longest) {
    families.Add(kSpireLongest, {node}, std::max(spires_longest.value_or(0), 0.0));
  }
}

void AddTrees(std::string_view node, const LocksReading& reading, FamilyBuilder& families) {
  std::vector<LockWaiter> waiters;
  uint64_t examined = 0;
  for (const LocksReading::Waiter& waiter : reading.waiters) {
    waiters.push_back(waiter.who);
    examined += waiter.examined ? 1u : 0u;
  }
  const BlockingForest forest = GrowForest(waiters);
  families.Add(kBlocked, {node}, Number(forest.blocked));
  families.Add(kDeadlocked, {node}, Number(forest.deadlocked));
  families.Add(kUnexamined, {node}, Number(reading.waiting_sessions - examined));
  families.Add(kRoots, {node}, Number(forest.roots.size()));
  families.Add(kWorst, {node}, forest.roots.empty() ? 0 : Number(forest.roots.front().blocked));
  if (forest.roots.empty()) return;
  const auto at = reading.blockers.find(forest.roots.front().pid);
  const LocksReading::Blocker worst =
      at == reading.blockers.end() ? LocksReading::Blocker{} : at->second;
  families.AddState(kWorstState, {node}, kBlockerStates[static_cast<size_t>(worst.state)]);
  if (worst.transaction_seconds) {
    families.Add(kWorstAge, {node}, std::max(*worst.transaction_seconds, 0.0));
  }
}

void AddTables(std::string_view node, const LocksReading& reading, const StatisticsScope& scope,
               FamilyBuilder& families) {
  if (scope.tables.empty()) return;
  std::map<std::string_view, uint64_t> waiting;
  uint64_t waiting_in_all = 0;
  for (const LocksReading::Waiter& waiter : reading.waiters) {
    if (!waiter.table) continue;
    const auto at = scope.tables.find(*waiter.table);
    if (at == scope.tables.end()) continue;
    ++waiting[at->second];
    ++waiting_in_all;
  }
  families.Add(kTablesWaiting, {node}, Number(waiting_in_all));
  for (const auto& [table, count] : waiting) {
    families.Add(kTableWaiting, {node, table}, Number(count));
  }
  uint64_t exclusive_in_all = 0;
  for (const auto& [oid, count] : reading.exclusive) {
    const auto at = scope.tables.find(oid);
    if (at == scope.tables.end()) continue;
    exclusive_in_all += count;
    families.Add(kTableExclusive, {node, at->second}, Number(count));
  }
  families.Add(kTablesExclusive, {node}, Number(exclusive_in_all));
}

}  // namespace

std::span<const FamilyDescription* const> LocksFamilies() {
  return kLockFamilies;
}

std::shared_ptr<const HistogramLayout> LockWaitLayout() {
  // A deadlock's second, an operator's ten, SPIRE's agents' thirty, and what has been forgotten.
  return *HistogramLayout::Make(0, {1, 10, 30, 300});
}

void AddLocks(std::string_view node, const LocksReading& reading, const StatisticsScope& scope,
              const std::shared_ptr<const HistogramLayout>& layout, FamilyBuilder& families) {
  for (size_t i = 0; i < kLockModeCount; ++i) {
    families.Add(kLocks, {node, kLockModes[i], "true"}, Number(reading.granted[i]));
    families.Add(kLocks, {node, kLockModes[i], "false"}, Number(reading.waiting[i]));
  }
  AddWaits(node, reading, scope, layout, families);
  AddTrees(node, reading, families);
  AddTables(node, reading, scope, families);
}

}  // namespace spire_exporter::postgres
