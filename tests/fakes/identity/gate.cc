#include "tests/fakes/identity/gate.h"

#include <chrono>

namespace spire_exporter::fakes {
namespace {

// How often somebody who waits looks whether the caller still does.
constexpr std::chrono::milliseconds kLookAtCaller{20};

}  // namespace

void Gate::Fail(Code code, const std::string& message) {
  const MutexLock lock(mutex_);
  failure_ = code == Code::kOk ? Status() : Status(Error{code, message, {}});
}

void Gate::Hang(bool hang) {
  const MutexLock lock(mutex_);
  hang_ = hang;
  changed_.notify_all();
}

void Gate::Close() {
  const MutexLock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

Status Gate::Pass(const std::function<bool()>& left) NO_THREAD_SAFETY_ANALYSIS {
  std::unique_lock<Mutex> lock(mutex_);
  while (hang_ && !closed_) {
    if (left()) return Error{Code::kCancelled, "the caller left", {}};
    changed_.wait_for(lock, kLookAtCaller);
  }
  if (closed_) return Error{Code::kUnavailable, "the fake is closing", {}};
  return failure_;
}

}  // namespace spire_exporter::fakes
