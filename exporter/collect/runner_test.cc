#include "exporter/collect/runner.h"

#include <gtest/gtest.h>

#include <atomic>

#include "exporter/collect/fake_collector.h"

namespace spire_exporter {
namespace {

using namespace std::chrono_literals;

class RunnerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Runner> Start(FakeCollector::Act act) {
    return std::make_unique<Runner>(std::make_unique<FakeCollector>(log_, std::move(act)), Limits{},
                                    clock_, logger_, facts_);
  }
  // The collector has left before the runner has written down its result: wait for that, too.
  static RunnerState Finished(Runner& runner) {
    RunnerState state = runner.State();
    const auto give_up = std::chrono::steady_clock::now() + 10s;
    while (!state.finished_once && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::yield();
      state = runner.State();
    }
    return state;
  }
  static double Value(const Snapshot& snapshot, const FamilyDescription& description) {
    for (const Family& family : snapshot.families) {
      if (family.description == &description) return family.series.at(0).value;
    }
    return -1;
  }

  ManualClock clock_;
  NullLogger logger_;
  FactsBoard facts_;
  CallLog log_;
};

TEST_F(RunnerTest, ServesTheReadingOfItsFirstCall) {
  const auto runner = Start([](const CollectContext&) -> Result<Reading> { return ReadingOf(7); });
  const RunnerState state = Finished(*runner);
  EXPECT_TRUE(state.success);
  EXPECT_EQ(state.last_success_seconds, UnixSeconds(clock_.System()));
  ASSERT_NE(runner->Latest(), nullptr);
  EXPECT_EQ(Value(*runner->Latest(), kFakeValue), 7);
}

TEST_F(RunnerTest, HasNothingToServeBeforeTheFirstCallReturns) {
  std::atomic<bool> release{false};
  const auto runner = Start([&release](const CollectContext& context) -> Result<Reading> {
    while (!release && !context.stop.stop_requested()) std::this_thread::yield();
    return ReadingOf(1);
  });
  ASSERT_TRUE(log_.WaitEntered(1));
  EXPECT_EQ(runner->Latest(), nullptr);
  EXPECT_FALSE(runner->State().finished_once);
  release = true;
  EXPECT_TRUE(Finished(*runner).success);
}

TEST_F(RunnerTest, KeepsTheLastReadingThroughAFailureUntilItsFamiliesAreTooOld) {
  std::atomic<bool> fail{false};
  const auto runner = Start([&fail](const CollectContext&) -> Result<Reading> {
    if (fail) return Error{Code::kUnavailable, "fake: connection refused", "", true};
    return ReadingOf(3);
  });
  Finished(*runner);
  fail = true;
  clock_.Advance(50s);
  // Not until it is no success: the clock moves under a call too, which looks like an overrun.
  while (runner->State().failures.empty()) {
    // The period is an hour of real time, so only a nudge makes the second call; the reading must
    // be old enough.
    clock_.Advance(1h);
    runner->Nudge();
    std::this_thread::yield();
  }
  const RunnerState state = runner->State();
  EXPECT_GE(state.failures.at("unavailable"), 1u) << "more where nudges came faster than calls";
  EXPECT_EQ(state.last_error, "fake: connection refused");
  // More than the minute that kFakeValue may be old has passed; kFakeKept stays.
  ASSERT_NE(runner->Latest(), nullptr);
  EXPECT_EQ(Value(*runner->Latest(), kFakeValue), -1);
  EXPECT_EQ(Value(*runner->Latest(), kFakeKept), 3);
}

TEST_F(RunnerTest, CountsAnOverrunOnceAndNeverCallsASecondTime) {
  std::atomic<bool> release{false};
  const auto runner = Start([&release](const CollectContext& context) -> Result<Reading> {
    while (!release && !context.stop.stop_requested()) std::this_thread::yield();
    return ReadingOf(1);
  });
  ASSERT_TRUE(log_.WaitEntered(1));
  clock_.Advance(2s);
  for (int i = 0; i < 5; ++i) runner->Nudge();
  const RunnerState overdue = runner->State();
  EXPECT_EQ(overdue.overruns, 1u);
  EXPECT_FALSE(overdue.success);
  EXPECT_EQ(runner->State().overruns, 1u);
  release = true;
  EXPECT_TRUE(Finished(*runner).success);
  EXPECT_EQ(runner->State().overruns, 1u);
  EXPECT_FALSE(log_.overlapped());
}

TEST_F(RunnerTest, PublishesAPartialReadingAndKeepsTheRestFromBefore) {
  std::atomic<bool> partial{false};
  const auto runner = Start([&partial](const CollectContext&) -> Result<Reading> {
    if (!partial) return ReadingOf(1);
    Reading reading;
    reading.families.Add(kFakeValue, {}, 2);
    reading.problem = Error{Code::kPermissionDenied, "fake: no right to the rest", "", false};
    return reading;
  });
  Finished(*runner);
  partial = true;
  clock_.Advance(1h);
  runner->Nudge();
  ASSERT_TRUE(log_.WaitLeft(2));
  while (runner->State().failures.empty()) std::this_thread::yield();
  EXPECT_EQ(Value(*runner->Latest(), kFakeValue), 2);
  EXPECT_EQ(Value(*runner->Latest(), kFakeKept), 1);
  EXPECT_FALSE(runner->State().success);
}

TEST_F(RunnerTest, TurnsAnExceptionIntoAFailure) {
  const auto runner =
      Start([](const CollectContext&) -> Result<Reading> { throw std::runtime_error("boom"); });
  const RunnerState state = Finished(*runner);
  EXPECT_EQ(state.failures.at("internal"), 1u);
  EXPECT_EQ(state.last_error, "unexpected exception: boom");
}

TEST_F(RunnerTest, StopsACallThatListensToItsStopToken) {
  auto runner = Start([](const CollectContext& context) -> Result<Reading> {
    while (!context.stop.stop_requested()) std::this_thread::yield();
    return Error{Code::kCancelled, "stopped", "", true};
  });
  ASSERT_TRUE(log_.WaitEntered(1));
  runner.reset();
  EXPECT_TRUE(log_.WaitLeft(1));
}

TEST_F(RunnerTest, PublishesFactsForOthers) {
  const auto runner = Start([](const CollectContext& context) -> Result<Reading> {
    Reading reading;
    reading.facts.push_back(Fact::Make("server", context.clock.Steady(), std::string("1.15.3")));
    return reading;
  });
  Finished(*runner);
  ASSERT_TRUE(facts_.Latest<std::string>("server").has_value());
  EXPECT_EQ(*facts_.Latest<std::string>("server")->value, "1.15.3");
}

}  // namespace
}  // namespace spire_exporter
