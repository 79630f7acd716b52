#include "collectors/postgres/locks_tree.h"

#include <algorithm>
#include <cstddef>
#include <unordered_map>

namespace spire_exporter::postgres {
namespace {

// Sessions by number: waiters first, in the order given, then those that only block.
struct Graph {
  std::vector<int64_t> pids;
  std::vector<std::vector<uint32_t>> waiting_for_it;
  std::vector<bool> waits;  // for somebody
  size_t waiters = 0;
};

Graph MakeGraph(std::span<const LockWaiter> waiters) {
  Graph graph;
  std::unordered_map<int64_t, uint32_t> numbers;
  const auto number = [&](int64_t pid) {
    const auto [at, added] = numbers.emplace(pid, static_cast<uint32_t>(graph.pids.size()));
    if (added) {
      graph.pids.push_back(pid);
      graph.waiting_for_it.emplace_back();
      graph.waits.push_back(false);
    }
    return at->second;
  };
  for (const LockWaiter& waiter : waiters) number(waiter.pid);
  graph.waiters = graph.pids.size();
  for (const LockWaiter& waiter : waiters) {
    const uint32_t self = number(waiter.pid);
    for (const int64_t pid : waiter.blockers) {
      const uint32_t blocker = number(pid);
      if (blocker == self) continue;
      graph.waiting_for_it[blocker].push_back(self);
      graph.waits[self] = true;
    }
  }
  return graph;
}

// Visits everything behind sessions, each once in a walk, until the steps are used up.
class Walker {
 public:
  Walker(const Graph& graph, uint64_t steps)
      : graph_(graph), steps_(steps), seen_(graph.pids.size(), 0) {}

  void Begin() { ++walk_; }
  // How many sessions that this walk has not seen are behind `from`.
  uint64_t Walk(uint32_t from) {
    uint64_t found = 0;
    seen_[from] = walk_;
    open_.assign(1, from);
    while (!open_.empty()) {
      const uint32_t at = open_.back();
      open_.pop_back();
      for (const uint32_t next : graph_.waiting_for_it[at]) {
        if (steps_ == 0) {
          exhausted_ = true;
          return found;
        }
        --steps_;
        if (seen_[next] == walk_) continue;
        seen_[next] = walk_;
        ++found;
        open_.push_back(next);
      }
    }
    return found;
  }
  bool Seen(uint32_t session) const { return seen_[session] == walk_; }
  bool exhausted() const { return exhausted_; }

 private:
  const Graph& graph_;
  uint64_t steps_;
  std::vector<uint32_t> seen_;  // the last walk that came by
  std::vector<uint32_t> open_;
  uint32_t walk_ = 0;
  bool exhausted_ = false;
};

}  // namespace

BlockingForest GrowForest(std::span<const LockWaiter> waiters, uint64_t steps_max) {
  const Graph graph = MakeGraph(waiters);
  BlockingForest forest;
  Walker walker(graph, steps_max);

  // All trees in one walk first, as that costs each pair once: what it does not reach is in
  // circles.
  const auto is_root = [&](uint32_t i) { return i >= graph.waiters && !graph.waits[i]; };
  walker.Begin();
  for (uint32_t i = 0; i < graph.pids.size(); ++i) {
    if (is_root(i)) forest.blocked += walker.Walk(i);
  }
  for (uint32_t i = 0; i < graph.waiters; ++i) {
    if (!graph.waits[i]) walker.Walk(i);
  }
  if (!walker.exhausted()) {
    for (uint32_t i = 0; i < graph.pids.size(); ++i) {
      if (!walker.Seen(i)) ++forest.deadlocked;
    }
  }
  for (uint32_t i = 0; i < graph.pids.size(); ++i) {
    if (!is_root(i)) continue;
    walker.Begin();
    forest.roots.push_back({graph.pids[i], walker.Walk(i)});
  }
  forest.cut_short = walker.exhausted();
  std::sort(forest.roots.begin(), forest.roots.end(),
            [](const BlockingRoot& a, const BlockingRoot& b) {
              return a.blocked != b.blocked ? a.blocked > b.blocked : a.pid < b.pid;
            });
  return forest;
}

}  // namespace spire_exporter::postgres
