#include "exporter/collect/runner.h"

#include <algorithm>
#include <exception>

#include "exporter/base/thread.h"

namespace spire_exporter {

Runner::Runner(std::unique_ptr<Collector> collector, const Limits& limits, const Clock& clock,
               Logger& logger, FactsBoard& facts)
    : collector_(std::move(collector)),
      fingerprint_(collector_->Fingerprint()),
      limits_(limits),
      clock_(clock),
      logger_(logger),
      facts_(facts),
      throttle_(clock, std::chrono::minutes(1)) {
  state_.collector = collector_->Name();
  state_.target = collector_->Target();
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

Runner::~Runner() = default;  // thread_ goes first: it requests stop and joins

void Runner::Run(const std::stop_token& stop) {
  NameThisThread(std::string(collector_->Name()) + ":" + std::string(collector_->Target()));
  while (!stop.stop_requested()) {
    const SteadyTime started = clock_.Steady();
    CallOnce(stop);
    // By a duration and not by a point in time: the clock of a test is not the one that waits.
    const Duration left = collector_->Period() - (clock_.Steady() - started);
    mutex_.lock();
    nudged_ = false;
    wake_.wait_for(mutex_, stop, std::max(left, Duration::zero()),
                   [this]() NO_THREAD_SAFETY_ANALYSIS { return nudged_; });
    mutex_.unlock();
  }
}

void Runner::CallOnce(const std::stop_token& stop) {
  const SteadyTime started = clock_.Steady();
  {
    MutexLock lock(mutex_);
    running_since_ = started;
    overrun_noted_ = false;
  }
  const CollectContext context{Deadline::After(clock_, collector_->Timeout()), stop, clock_,
                               facts_};
  // The last door for an exception: a collector that throws has a bug, and the others go on.
  Result<Reading> result = [&]() -> Result<Reading> {
    try {
      return collector_->Collect(context);
    } catch (const std::exception& e) {
      return Error{Code::kInternal, std::string("unexpected exception: ") + e.what(), "", true};
    }
  }();

  std::string problem;
  {
    MutexLock lock(mutex_);
    const SteadyTime now = clock_.Steady();
    NoteOverrun(now);
    running_since_.reset();
    state_.finished_once = true;
    state_.last_duration = now - started;
    if (!result.ok()) {
      RecordFailure(result.error());
    } else {
      const Status outcome = result->problem;
      for (Fact& fact : result->facts) facts_.Publish(std::move(fact));
      Publish(std::move(*result), started);
      if (!outcome.ok()) {
        RecordFailure(outcome.error());
      } else {
        state_.success = true;
        state_.last_success_seconds = UnixSeconds(clock_.System());
        state_.last_error.clear();
      }
    }
    problem = state_.last_error;
  }
  uint64_t suppressed = 0;
  if (!problem.empty() && !stop.stop_requested() && throttle_.Admit(&suppressed)) {
    logger_.Warn("collector failed", {{"collector", std::string(collector_->Name())},
                                      {"target", std::string(collector_->Target())},
                                      {"error", problem},
                                      {"not_shown", std::to_string(suppressed)}});
  }
}

void Runner::RecordFailure(const Error& error) {
  state_.success = false;
  state_.last_error = error.ToString();
  ++state_.failures[std::string(CodeName(error.code))];
}

void Runner::Publish(Reading reading, SteadyTime started) {
  FamilyList families = reading.families.Take();
  state_.dropped += ApplyLimits(families, limits_);
  std::vector<Held> next;
  next.reserve(families.size());
  for (Family& family : families) next.push_back({std::move(family), started});
  if (!reading.problem.ok()) {
    // What this call could not read stays from before, until it has grown too old.
    for (Held& old : held_) {
      const bool read_again = std::any_of(next.begin(), next.end(), [&old](const Held& held) {
        return held.family.description == old.family.description;
      });
      if (!read_again) next.push_back(std::move(old));
    }
  }
  held_ = std::move(next);
  last_read_ = started;
  snapshot_.reset();
}

void Runner::NoteOverrun(SteadyTime now) {
  if (!running_since_ || overrun_noted_) return;
  if (now - *running_since_ > collector_->Timeout() + kTolerance) {
    ++state_.overruns;
    overrun_noted_ = true;
  }
}

bool Runner::Expired(const Held& held, SteadyTime now) const {
  return held.family.description->when_stale == WhenStale::kWithdrawn &&
         now - held.read > held.family.description->age_max;
}

void Runner::Nudge() {
  const SteadyTime now = clock_.Steady();
  MutexLock lock(mutex_);
  if (running_since_ || (last_read_ && now - *last_read_ < collector_->Period() / 2)) return;
  // A call that failed is not tried faster than its period: a broken source is not hammered by
  // scrapes.
  if (state_.finished_once && !state_.success) return;
  nudged_ = true;
  wake_.notify_all();
}

std::shared_ptr<const Snapshot> Runner::Latest() {
  const SteadyTime now = clock_.Steady();
  MutexLock lock(mutex_);
  const auto expired = std::remove_if(held_.begin(), held_.end(),
                                      [&](const Held& held) { return Expired(held, now); });
  if (expired != held_.end()) {
    held_.erase(expired, held_.end());
    snapshot_.reset();
  }
  if (!snapshot_ && !held_.empty()) {
    auto made = std::make_shared<Snapshot>();
    made->taken =
        clock_.System() - std::chrono::duration_cast<SystemTime::duration>(now - *last_read_);
    for (const Held& held : held_) made->families.push_back(held.family);
    snapshot_ = std::move(made);
  }
  return snapshot_;
}

RunnerState Runner::State() {
  const SteadyTime now = clock_.Steady();
  MutexLock lock(mutex_);
  NoteOverrun(now);
  RunnerState state = state_;
  if (overrun_noted_ && running_since_) {
    state.success = false;
    state.last_error = "a call is past its deadline and has not returned";
  }
  if (last_read_ && !held_.empty()) state.reading_age = now - *last_read_;
  return state;
}

}  // namespace spire_exporter
