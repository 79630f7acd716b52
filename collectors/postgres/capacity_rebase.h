// PostgreSQL's cumulative counters as counters that never go back.
#ifndef COLLECTORS_POSTGRES_CAPACITY_REBASE_H_
#define COLLECTORS_POSTGRES_CAPACITY_REBASE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace spire_exporter::postgres {

// Where a value was counted. Times in seconds since the epoch, all by the server's own clock.
struct CounterOrigin {
  double now = 0;      // when it was read
  double started = 0;  // pg_postmaster_start_time()
  // stats_reset of the view; PostgreSQL does not always tell.
  std::optional<double> reset;
};

struct RebasedTotal {
  double value = 0;
  double created_seconds = 0;  // as Series::created_seconds
};

// The counters of one node. The first value of each is taken as it is, as it counts since
// `origin.reset`. From then on a total grows
//  - by the difference, as long as nothing happened;
//  - by the whole value after a reset or a crash, as the server counted that since;
//  - not at all when another server answers in the node's place: what that one had counted before
//    did not happen on our watch. It is another one when it was running, or had last been reset,
//    at a time when we had already read from the one before.
//
// Value type, not safe from several threads.
class CounterRebase {
 public:
  // `name` has static storage. A value that is not a finite number of at least 0 counts as the one
  // before.
  RebasedTotal Take(std::string_view name, double raw, const CounterOrigin& origin);

  // The node leads to another address now.
  void OtherServer();

  // How many values did not go on from the one before.
  uint64_t rebased() const { return rebased_; }

 private:
  struct Counter {
    double raw = 0;
    double total = 0;
    double created = 0;
    CounterOrigin origin;
    bool other_server = false;
  };

  double Growth(Counter& counter, double raw, const CounterOrigin& origin);

  std::map<std::string_view, Counter> counters_;
  uint64_t rebased_ = 0;
};

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_CAPACITY_REBASE_H_
