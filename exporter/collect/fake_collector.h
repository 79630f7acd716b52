// A collector and a module under a test's control, for the tests of this package.
#ifndef EXPORTER_COLLECT_FAKE_COLLECTOR_H_
#define EXPORTER_COLLECT_FAKE_COLLECTOR_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "exporter/base/mutex.h"
#include "exporter/collect/collector.h"

namespace spire_exporter {

inline constexpr FamilyDescription kFakeValue{.name = "spire_fake_value",
                                              .help = "A value.",
                                              .source = "a test",
                                              .age_max = std::chrono::seconds(60)};
inline constexpr FamilyDescription kFakeKept{.name = "spire_fake_kept",
                                             .help = "A value that stays.",
                                             .source = "a test",
                                             .age_max = std::chrono::seconds(60),
                                             .when_stale = WhenStale::kKept};

// Counts calls and lets a test wait for them. Outlives the collectors that refer to it.
class CallLog {
 public:
  void Enter() {
    MutexLock lock(mutex_);
    ++entered_;
    if (++inside_ > 1) overlapped_ = true;
    changed_.notify_all();
  }
  void Leave() {
    MutexLock lock(mutex_);
    --inside_;
    ++left_;
    changed_.notify_all();
  }
  // False when it takes longer than ten seconds.
  bool WaitEntered(int calls) {
    return Wait([this, calls] { return entered_ >= calls; });
  }
  bool WaitLeft(int calls) {
    return Wait([this, calls] { return left_ >= calls; });
  }
  int entered() {
    MutexLock lock(mutex_);
    return entered_;
  }
  bool overlapped() {
    MutexLock lock(mutex_);
    return overlapped_;
  }

 private:
  bool Wait(const std::function<bool()>& done) NO_THREAD_SAFETY_ANALYSIS {
    mutex_.lock();
    const bool happened = changed_.wait_for(mutex_, std::chrono::seconds(10), done);
    mutex_.unlock();
    return happened;
  }

  Mutex mutex_;
  std::condition_variable_any changed_;
  int entered_ = 0, left_ = 0, inside_ = 0;
  bool overlapped_ = false;
};

class FakeCollector final : public Collector {
 public:
  using Act = std::function<Result<Reading>(const CollectContext&)>;
  FakeCollector(CallLog& log, Act act, std::string target = "one", std::string fingerprint = "")
      : log_(log),
        act_(std::move(act)),
        target_(std::move(target)),
        fingerprint_(std::move(fingerprint)) {}

  std::string_view Name() const override { return "fake"; }
  std::string_view Target() const override { return target_; }
  std::string Fingerprint() const override { return fingerprint_; }
  Duration Period() const override { return period; }
  Duration Timeout() const override { return timeout; }
  Result<Reading> Collect(const CollectContext& context) override {
    log_.Enter();
    Result<Reading> result = act_(context);
    log_.Leave();
    return result;
  }

  Duration period = std::chrono::hours(1);
  Duration timeout = std::chrono::seconds(1);

 private:
  CallLog& log_;
  Act act_;
  std::string target_;
  std::string fingerprint_;
};

inline Reading ReadingOf(double value) {
  Reading reading;
  reading.families.Add(kFakeValue, {}, value);
  reading.families.Add(kFakeKept, {}, value);
  return reading;
}

}  // namespace spire_exporter

#endif  // EXPORTER_COLLECT_FAKE_COLLECTOR_H_
