// Runs one collector for one target on a thread of its own and keeps its latest reading.
#ifndef EXPORTER_COLLECT_RUNNER_H_
#define EXPORTER_COLLECT_RUNNER_H_

#include <condition_variable>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "exporter/base/clock.h"
#include "exporter/base/logger.h"
#include "exporter/base/mutex.h"
#include "exporter/collect/collector.h"
#include "exporter/metrics/limits.h"

namespace spire_exporter {

// What is known of a runner at one moment; for the self metrics and the status page.
struct RunnerState {
  std::string collector;
  std::string target;
  bool finished_once = false;  // a first call has returned, well or not
  bool success = false;        // the last call brought a whole reading, and none is overdue now
  Duration last_duration{};    // of the last call that returned
  std::optional<double> last_success_seconds;  // Unix time
  std::optional<Duration> reading_age;         // of what is served now; absent when nothing is
  uint64_t overruns = 0;  // calls that went past their deadline by more than the tolerance
  std::map<std::string, uint64_t> failures;  // calls that failed, by reason (CodeName)
  LimitCounts dropped;                       // series and labels that passed the limits
  std::string last_error;                    // one line, empty after a success
};

// Resource with one owner. The collector is called from the runner's thread alone, at once when the
// runner starts, then every period, or earlier when a scrape nudges a reading that is older than
// the period. What the collector needs must outlive the runner. All methods are safe from any
// thread and wait for nothing but a short lock.
class Runner {
 public:
  // How far past its deadline a call may return before it counts as an overrun.
  static constexpr Duration kTolerance = std::chrono::milliseconds(100);

  Runner(std::unique_ptr<Collector> collector, const Limits& limits, const Clock& clock,
         Logger& logger, FactsBoard& facts);
  // Requests stop and waits for the running call, which returns soon by the collector's contract.
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  const std::string& fingerprint() const { return fingerprint_; }

  // Lets a running call know that nobody waits for it any more; the destructor then has less to
  // wait for.
  void RequestStop() { thread_.request_stop(); }
  // A scrape has come: read again unless the reading is younger than half the period or a call is
  // running.
  void Nudge();
  // The latest reading without the families that have outlived their age_max. Null when there is
  // none.
  std::shared_ptr<const Snapshot> Latest();
  RunnerState State();

 private:
  // A family that is served, and when it was read.
  struct Held {
    Family family;
    SteadyTime read;
  };

  void Run(const std::stop_token& stop);
  void CallOnce(const std::stop_token& stop);
  void Publish(Reading reading, SteadyTime started) REQUIRES(mutex_);
  void RecordFailure(const Error& error) REQUIRES(mutex_);
  void NoteOverrun(SteadyTime now) REQUIRES(mutex_);
  bool Expired(const Held& held, SteadyTime now) const;

  const std::unique_ptr<Collector> collector_;
  const std::string fingerprint_;
  const Limits limits_;
  const Clock& clock_;
  Logger& logger_;
  FactsBoard& facts_;
  LogThrottle throttle_;

  Mutex mutex_;
  std::condition_variable_any wake_;
  bool nudged_ GUARDED_BY(mutex_) = false;
  std::vector<Held> held_ GUARDED_BY(mutex_);
  std::shared_ptr<const Snapshot> snapshot_
      GUARDED_BY(mutex_);  // of held_; made again when a family expires
  std::optional<SteadyTime> last_read_ GUARDED_BY(mutex_);
  std::optional<SteadyTime> running_since_ GUARDED_BY(mutex_);
  bool overrun_noted_ GUARDED_BY(mutex_) = false;
  RunnerState state_ GUARDED_BY(mutex_);

  std::jthread thread_;  // last: runs while everything above lives
};

}  // namespace spire_exporter

#endif  // EXPORTER_COLLECT_RUNNER_H_
