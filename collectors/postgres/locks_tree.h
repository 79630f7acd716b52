// Who waits for whom: blocking trees from the pairs that pg_blocking_pids() gives.
#ifndef COLLECTORS_POSTGRES_LOCKS_TREE_H_
#define COLLECTORS_POSTGRES_LOCKS_TREE_H_

#include <cstdint>
#include <span>
#include <vector>

namespace spire_exporter::postgres {

// pg_blocking_pids() names a prepared transaction so, as no process holds its locks.
inline constexpr int64_t kPreparedPid = 0;

// A session that waits for a lock.
struct LockWaiter {
  int64_t pid = 0;
  // Who holds what it waits for, or waits for it in front of it; repeats are harmless. Empty when
  // that was not asked, or it waits no longer.
  std::vector<int64_t> blockers;
};

// A session that waits for nobody and that others wait for.
struct BlockingRoot {
  int64_t pid = 0;
  uint64_t blocked = 0;  // sessions that wait for it, at once or behind others
};

struct BlockingForest {
  // By falling number of blocked sessions, then by pid.
  std::vector<BlockingRoot> roots;
  uint64_t blocked = 0;  // sessions behind any root, each once
  // Sessions that wait for each other in a circle, or for one that does, and for nobody else:
  // PostgreSQL breaks it after deadlock_timeout.
  uint64_t deadlocked = 0;
  // The work had an end before the trees had: what is blocked is at least what is said.
  bool cut_short = false;
};

// Pure. A session behind two roots counts for both. Circles end. Costs time and memory by the
// number of pairs, and for each root by the pairs behind it, to at most `steps_max` in all.
BlockingForest GrowForest(std::span<const LockWaiter> waiters, uint64_t steps_max = 20'000'000);

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_LOCKS_TREE_H_
