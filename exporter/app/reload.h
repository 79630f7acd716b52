// Hands a wish for a reload from any thread to the one that may carry it out, and the outcome back.
#ifndef EXPORTER_APP_RELOAD_H_
#define EXPORTER_APP_RELOAD_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "exporter/base/clock.h"
#include "exporter/base/mutex.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter {

// How the last reload went. The first load of the configuration counts as one.
struct ReloadState {
  bool success = false;
  double success_seconds = 0;  // Unix time of the last good one
};

// Anybody whom the door lets in may ask, as often as they like, and must neither keep the process
// reading its configuration nor hold the workers that scrapes need. Request() is safe from any
// thread; the rest belongs to the thread that reloads.
class ReloadGate {
 public:
  static constexpr Duration kApart = std::chrono::seconds(1);  // from one asked for to the next
  static constexpr size_t kWaitingMax = 2;                     // of the four workers

  // `clock` outlives this.
  explicit ReloadGate(const Clock& clock);

  // Asks for a reload and waits for its outcome, at most for `timeout`. Several requests that wait
  // at once share one reload that began after the last of them came. More than kWaitingMax at once
  // are kResourceExhausted, at once.
  Status Request(Duration timeout) EXCLUDES(mutex_);

  // Readable when a request has come since Due().
  int fd() const { return event_.get(); }
  // How long until a reload may begin for the requests that wait; nothing when none does.
  std::optional<Duration> Due() EXCLUDES(mutex_);
  // A reload begins, due or not: for the requests that wait now.
  void Begin() EXCLUDES(mutex_);
  // Gives the outcome to those that Begin() took.
  void Finish(const Status& outcome, double now_seconds) EXCLUDES(mutex_);

  ReloadState state() const EXCLUDES(mutex_);

 private:
  const Clock& clock_;
  UniqueFd event_;
  mutable Mutex mutex_;
  std::condition_variable_any done_;
  size_t waiting_ GUARDED_BY(mutex_) = 0;
  std::optional<SteadyTime> begun_ GUARDED_BY(mutex_);  // the last one
  uint64_t asked_ GUARDED_BY(mutex_) = 0;               // number of the newest request
  uint64_t taken_ GUARDED_BY(mutex_) = 0;               // newest that Begin() took
  uint64_t finished_ GUARDED_BY(mutex_) = 0;            // newest that has its outcome
  Status outcome_ GUARDED_BY(mutex_);
  ReloadState state_ GUARDED_BY(mutex_);
};

// Which reloads are worth a line in the log: an outcome or a configuration that is another one.
class ReloadNews {
 public:
  // `configuration` tells the one in force from others; the first is known before any reload.
  explicit ReloadNews(size_t configuration) : configuration_(configuration) {}
  bool Note(const Status& outcome, size_t configuration);

 private:
  std::string error_;
  size_t configuration_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_APP_RELOAD_H_
