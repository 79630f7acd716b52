// Where a fake's calls are held up, fail or pass.
#ifndef TESTS_FAKES_IDENTITY_GATE_H_
#define TESTS_FAKES_IDENTITY_GATE_H_

#include <condition_variable>
#include <functional>
#include <string>

#include "exporter/base/mutex.h"
#include "exporter/base/result.h"

namespace spire_exporter::fakes {

// Safe from any thread.
class Gate {
 public:
  // Calls fail that way; kOk ends it.
  void Fail(Code code, const std::string& message);
  // Calls wait; those that wait go on when it ends.
  void Hang(bool hang);
  // Nobody waits any more: every call fails.
  void Close();

  // The failure that is due, once the call may go on; kCancelled when `left` says that its caller
  // waits no more.
  Status Pass(const std::function<bool()>& left);

 private:
  Mutex mutex_;
  std::condition_variable_any changed_;
  Status failure_ GUARDED_BY(mutex_);
  bool hang_ GUARDED_BY(mutex_) = false;
  bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_GATE_H_
