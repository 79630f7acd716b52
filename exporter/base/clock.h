// Time as something that is handed in, so that tests set it.
#ifndef EXPORTER_BASE_CLOCK_H_
#define EXPORTER_BASE_CLOCK_H_

#include <atomic>
#include <chrono>
#include <cstdint>

namespace spire_exporter {

using SteadyTime = std::chrono::steady_clock::time_point;
using SystemTime = std::chrono::system_clock::time_point;
using Duration = std::chrono::nanoseconds;

// Safe from any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  // For durations and deadlines: never steps.
  virtual SteadyTime Steady() const = 0;
  // For timestamps that people and Prometheus see: may step.
  virtual SystemTime System() const = 0;

 protected:
  Clock() = default;
  Clock(const Clock&) = default;
  Clock& operator=(const Clock&) = default;
};

class RealClock final : public Clock {
 public:
  SteadyTime Steady() const override;
  SystemTime System() const override;
};

// Stands still until told to move. Starts at steady time zero and the given system time.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(SystemTime start = SystemTime(std::chrono::seconds(1'800'000'000)));

  SteadyTime Steady() const override;
  SystemTime System() const override;

  // Moves both times forward.
  void Advance(Duration by);
  // Steps the system time alone, as an operator or NTP would; negative steps are allowed.
  void StepSystem(Duration by);

 private:
  // relaxed is enough: each is a lone value and orders nothing else.
  std::atomic<int64_t> steady_ns_{0};
  std::atomic<int64_t> system_ns_;
};

// Seconds since the Unix epoch, as Prometheus wants timestamps.
double UnixSeconds(SystemTime time);
// A duration in seconds.
double Seconds(Duration duration);

// A point in time after which work must have been given up. Value type.
class Deadline {
 public:
  explicit Deadline(SteadyTime at) : at_(at) {}
  static Deadline After(const Clock& clock, Duration timeout) {
    return Deadline(clock.Steady() + std::chrono::duration_cast<SteadyTime::duration>(timeout));
  }

  SteadyTime at() const { return at_; }
  // Zero once it has passed, never negative.
  Duration Remaining(const Clock& clock) const;
  bool Passed(const Clock& clock) const { return Remaining(clock) == Duration::zero(); }
  // For poll(2) and its kin: rounded up, so that waiting that long means that it has passed.
  int RemainingPollMs(const Clock& clock) const;

 private:
  SteadyTime at_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_BASE_CLOCK_H_
