#include "exporter/app/reload.h"

#include <sys/eventfd.h>

namespace spire_exporter {

ReloadGate::ReloadGate() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Status ReloadGate::Request(Duration timeout) {
  mutex_.lock();
  const uint64_t mine = ++asked_;
  ::eventfd_write(event_.get(), 1);
  const bool finished = done_.wait_for(
      mutex_, timeout, [this, mine]() NO_THREAD_SAFETY_ANALYSIS { return finished_ >= mine; });
  Status outcome =
      finished ? outcome_
               : Error{Code::kDeadlineExceeded, "the reload has not finished yet", "", true};
  mutex_.unlock();
  return outcome;
}

bool ReloadGate::Begin() {
  eventfd_t ignored = 0;
  ::eventfd_read(event_.get(), &ignored);
  MutexLock lock(mutex_);
  const bool any = asked_ > taken_;
  taken_ = asked_;
  return any;
}

void ReloadGate::Finish(const Status& outcome, double now_seconds) {
  MutexLock lock(mutex_);
  finished_ = taken_;
  outcome_ = outcome;
  state_.success = outcome.ok();
  if (outcome.ok()) state_.success_seconds = now_seconds;
  done_.notify_all();
}

ReloadState ReloadGate::state() const {
  MutexLock lock(mutex_);
  return state_;
}

}  // namespace spire_exporter
