#include "tests/fakes/schedule.h"

#include <algorithm>
#include <utility>

namespace spire_exporter::fakes {

void Schedule::At(SteadyTime time, Task task) {
  queue_.push(Entry{time, orders_++, std::move(task), Duration::zero()});
}

void Schedule::Every(Duration first, Duration interval, Task task) {
  queue_.push(Entry{now_ + first, orders_++, std::move(task), interval});
}

void Schedule::Run(SteadyTime now) {
  while (!queue_.empty() && queue_.top().time <= now) {
    Entry entry = queue_.top();
    queue_.pop();
    now_ = std::max(now_, entry.time);
    entry.task();
    if (entry.interval == Duration::zero()) continue;
    entry.time += entry.interval;
    if (now - entry.time > std::chrono::seconds(1)) entry.time = now + entry.interval;
    entry.order = orders_++;
    queue_.push(std::move(entry));
  }
  now_ = std::max(now_, now);
}

SteadyTime Schedule::next() const {
  return queue_.empty() ? SteadyTime::max() : queue_.top().time;
}

}  // namespace spire_exporter::fakes
