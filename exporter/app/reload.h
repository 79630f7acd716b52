// Hands a wish for a reload from any thread to the one that may carry it out, and the outcome back.
#ifndef EXPORTER_APP_RELOAD_H_
#define EXPORTER_APP_RELOAD_H_

#include <condition_variable>
#include <cstdint>
#include <optional>

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

// Request() is safe from any thread; the rest belongs to the thread that reloads.
class ReloadGate {
 public:
  ReloadGate();

  // Asks for a reload and waits for its outcome, at most for `timeout`. Several requests that wait
  // at once share one reload that began after the last of them came.
  Status Request(Duration timeout) EXCLUDES(mutex_);

  // Readable while a request waits.
  int fd() const { return event_.get(); }
  // Takes the requests that wait now; false when there are none.
  bool Begin() EXCLUDES(mutex_);
  // Gives the outcome to those that Begin() took.
  void Finish(const Status& outcome, double now_seconds) EXCLUDES(mutex_);

  ReloadState state() const EXCLUDES(mutex_);

 private:
  UniqueFd event_;
  mutable Mutex mutex_;
  std::condition_variable_any done_;
  uint64_t asked_ GUARDED_BY(mutex_) = 0;     // number of the newest request
  uint64_t taken_ GUARDED_BY(mutex_) = 0;     // newest that Begin() took
  uint64_t finished_ GUARDED_BY(mutex_) = 0;  // newest that has its outcome
  Status outcome_ GUARDED_BY(mutex_);
  ReloadState state_ GUARDED_BY(mutex_);
};

}  // namespace spire_exporter

#endif  // EXPORTER_APP_RELOAD_H_
