// Who holds and who waits for locks on a server.
#ifndef COLLECTORS_POSTGRES_LOCKS_READING_H_
#define COLLECTORS_POSTGRES_LOCKS_READING_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/postgres/connection.h"
#include "collectors/postgres/locks_tree.h"
#include "collectors/postgres/statistics_scope.h"
#include "exporter/base/result.h"

namespace spire_exporter::postgres {

// The modes of table-level locks, weakest first. SIReadLock is left out: nobody waits for it.
inline constexpr size_t kLockModeCount = 8;
inline constexpr std::string_view kLockModes[kLockModeCount] = {
    "access_share", "row_share",           "row_exclusive", "share_update_exclusive",
    "share",        "share_row_exclusive", "exclusive",     "access_exclusive"};

enum class BlockerState {
  kActive,
  kIdleInTransaction,  // aborted or not
  kAutovacuum,
  kPrepared,  // a prepared transaction, which no session holds
  kReplay,    // a standby's replay, which holds the locks that the primary's transactions hold
  kOther,
  kUnknown,  // gone since, or the right to see its state is missing
};
inline constexpr std::string_view kBlockerStates[] = {
    "active", "idle_in_transaction", "autovacuum", "prepared", "replay", "other", "unknown"};

struct LocksReading {
  std::array<uint64_t, kLockModeCount> granted{};
  std::array<uint64_t, kLockModeCount> waiting{};
  // Granted locks on SPIRE's tables that its writes have to wait for, by oid: SHARE and stronger.
  std::map<int64_t, uint64_t> exclusive;

  // Sessions that wait. Their details are in `waiters`, whoever waits longest first, to at most
  // kWaitersMax; of those the first kExaminedMax have their blockers.
  static constexpr int64_t kWaitersMax = 10'000;
  static constexpr int64_t kExaminedMax = 200;
  uint64_t waiting_sessions = 0;

  struct Waiter {
    LockWaiter who;
    bool examined = false;
    // Nothing when SPIRE's roles are not known.
    std::optional<bool> spires;
    // The table that it waits for, or a row of.
    std::optional<int64_t> table;
    // Since it waits. Before PostgreSQL 14: since its statement began, which is no later; nothing
    // when the right to see that is missing.
    std::optional<double> seconds;
  };
  std::vector<Waiter> waiters;

  // Who blocks and waits for nobody.
  struct Blocker {
    BlockerState state = BlockerState::kUnknown;
    std::optional<double> transaction_seconds;  // since its transaction began
  };
  std::map<int64_t, Blocker> blockers;
};

BlockerState ClassifyBlocker(std::optional<std::string_view> backend_type,
                             std::optional<std::string_view> state);

// One statement on pg_locks; only when somebody waits another, which takes the lock manager's
// attention for kExaminedMax sessions at most.
Result<LocksReading> ReadLocks(pg::Connection& connection, const StatisticsScope& scope);

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_LOCKS_READING_H_
