#include "exporter/base/clock.h"

#include <algorithm>
#include <limits>

namespace spire_exporter {

SteadyTime RealClock::Steady() const {
  return std::chrono::steady_clock::now();
}
SystemTime RealClock::System() const {
  return std::chrono::system_clock::now();
}

ManualClock::ManualClock(SystemTime start)
    : system_ns_(std::chrono::duration_cast<Duration>(start.time_since_epoch()).count()) {}

SteadyTime ManualClock::Steady() const {
  return SteadyTime(Duration(steady_ns_.load(std::memory_order_relaxed)));
}

SystemTime ManualClock::System() const {
  return SystemTime(std::chrono::duration_cast<SystemTime::duration>(
      Duration(system_ns_.load(std::memory_order_relaxed))));
}

void ManualClock::Advance(Duration by) {
  steady_ns_.fetch_add(by.count(), std::memory_order_relaxed);
  system_ns_.fetch_add(by.count(), std::memory_order_relaxed);
}

void ManualClock::StepSystem(Duration by) {
  system_ns_.fetch_add(by.count(), std::memory_order_relaxed);
}

double UnixSeconds(SystemTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

double Seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

Duration Deadline::Remaining(const Clock& clock) const {
  const SteadyTime now = clock.Steady();
  return now >= at_ ? Duration::zero() : std::chrono::duration_cast<Duration>(at_ - now);
}

int Deadline::RemainingPollMs(const Clock& clock) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(Remaining(clock)).count();
  return static_cast<int>(std::min<int64_t>(left, std::numeric_limits<int>::max()));
}

}  // namespace spire_exporter
