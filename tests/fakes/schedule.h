// Things that happen at times: a queue of tasks that a clock drives.
#ifndef TESTS_FAKES_SCHEDULE_H_
#define TESTS_FAKES_SCHEDULE_H_

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "exporter/base/clock.h"

namespace spire_exporter::fakes {

// Tasks of the same time run in the order in which they were added. Not safe from several threads.
class Schedule {
 public:
  using Task = std::function<void()>;

  explicit Schedule(SteadyTime now) : now_(now) {}

  void At(SteadyTime time, Task task);
  void After(Duration delay, Task task) { At(now_ + delay, std::move(task)); }
  // First after `first`, then on every `interval`. A beat that comes more than a second late is
  // not made up for, like a ticker's.
  void Every(Duration first, Duration interval, Task task);

  // Runs what is due, each task with now() at its own time.
  void Run(SteadyTime now);
  // The time of the next task; `max()` when there is none.
  SteadyTime next() const;
  SteadyTime now() const { return now_; }

 private:
  struct Entry {
    SteadyTime time;
    uint64_t order;
    Task task;
    Duration interval;  // zero: once
    bool operator>(const Entry& other) const {
      return time != other.time ? time > other.time : order > other.order;
    }
  };
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue_;
  SteadyTime now_;
  uint64_t orders_ = 0;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_SCHEDULE_H_
