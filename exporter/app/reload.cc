#include "exporter/app/reload.h"

#include <sys/eventfd.h>

namespace spire_exporter {

ReloadGate::ReloadGate(const Clock& clock)
    : clock_(clock), event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Status ReloadGate::Request(Duration timeout) {
  mutex_.lock();
  if (waiting_ >= kWaitingMax) {
    mutex_.unlock();
    return Error{Code::kResourceExhausted, "others wait for a reload already", "", true};
  }
  ++waiting_;
  const uint64_t mine = ++asked_;
  ::eventfd_write(event_.get(), 1);
  const bool finished = done_.wait_for(
      mutex_, timeout, [this, mine]() NO_THREAD_SAFETY_ANALYSIS { return finished_ >= mine; });
  Status outcome =
      finished ? outcome_
               : Error{Code::kDeadlineExceeded, "the reload has not finished yet", "", true};
  --waiting_;
  mutex_.unlock();
  return outcome;
}

std::optional<Duration> ReloadGate::Due() {
  eventfd_t ignored = 0;
  ::eventfd_read(event_.get(), &ignored);
  MutexLock lock(mutex_);
  if (asked_ == taken_) return std::nullopt;
  return begun_ ? Deadline(*begun_ + kApart).Remaining(clock_) : Duration::zero();
}

void ReloadGate::Begin() {
  MutexLock lock(mutex_);
  taken_ = asked_;
  begun_ = clock_.Steady();
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

bool ReloadNews::Note(const Status& outcome, size_t configuration) {
  const std::string error = outcome.ok() ? "" : outcome.error().ToString();
  const bool news = error != error_ || configuration != configuration_;
  error_ = error;
  configuration_ = configuration;
  return news;
}

}  // namespace spire_exporter
