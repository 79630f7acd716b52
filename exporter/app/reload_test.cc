#include "exporter/app/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <future>
#include <thread>

#include "exporter/app/pages.h"

namespace spire_exporter {
namespace {

using namespace std::chrono_literals;

bool WaitReadable(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, 10'000) == 1;
}

class ReloadGateTest : public ::testing::Test {
 protected:
  std::future<Status> Ask() {
    std::future<Status> asked =
        std::async(std::launch::async, [this] { return gate_.Request(10s); });
    EXPECT_TRUE(WaitReadable(gate_.fd()));
    return asked;
  }

  ManualClock clock_;
  ReloadGate gate_{clock_};
};

TEST_F(ReloadGateTest, HandsTheOutcomeToTheOneWhoAsked) {
  std::future<Status> asked = Ask();
  ASSERT_EQ(gate_.Due(), 0s);
  gate_.Begin();
  gate_.Finish(Error{Code::kInvalidArgument, "unknown key", "a.yaml:1:1", false}, 5);
  const Status outcome = asked.get();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().ToString(), "a.yaml:1:1: unknown key");
  EXPECT_FALSE(gate_.state().success);
}

TEST_F(ReloadGateTest, ABadReloadKeepsTheTimeOfTheLastGoodOne) {
  gate_.Finish({}, 100);
  gate_.Finish(Error{Code::kInvalidArgument, "bad", "", false}, 200);
  EXPECT_FALSE(gate_.state().success);
  EXPECT_EQ(gate_.state().success_seconds, 100);
}

TEST_F(ReloadGateTest, ARequestThatComesDuringAReloadWaitsForTheNext) {
  std::future<Status> first = Ask();
  ASSERT_EQ(gate_.Due(), 0s);
  gate_.Begin();
  std::future<Status> second = Ask();
  gate_.Finish({}, 1);
  EXPECT_TRUE(first.get().ok());
  clock_.Advance(ReloadGate::kApart);
  ASSERT_EQ(gate_.Due(), 0s);
  gate_.Begin();
  gate_.Finish(Error{Code::kInternal, "second", "", false}, 2);
  EXPECT_FALSE(second.get().ok());
}

TEST_F(ReloadGateTest, GivesUpWaiting) {
  const Status outcome = gate_.Request(1ms);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, Code::kDeadlineExceeded);
}

TEST_F(ReloadGateTest, BeginsOneASecondHoweverManyAsk) {
  int begun = 0;
  for (int tenth = 0; tenth < 100; ++tenth) {
    std::future<Status> asked = Ask();
    while (gate_.Due() != 0s) clock_.Advance(100ms);
    gate_.Begin();
    ++begun;
    gate_.Finish({}, 1);
    ASSERT_TRUE(asked.get().ok());
  }
  EXPECT_EQ(clock_.Steady().time_since_epoch(), (begun - 1) * ReloadGate::kApart);
}

TEST_F(ReloadGateTest, OneThatIsNotAskedForBeginsAtOnceAndCounts) {
  gate_.Begin();
  gate_.Finish({}, 1);
  EXPECT_EQ(gate_.Due(), std::nullopt);
  std::future<Status> asked = Ask();
  EXPECT_EQ(gate_.Due(), ReloadGate::kApart);
  EXPECT_EQ(gate_.Due(), ReloadGate::kApart);  // and is not forgotten
  gate_.Begin();
  gate_.Finish({}, 2);
  EXPECT_TRUE(asked.get().ok());
}

TEST_F(ReloadGateTest, HoldsNoMoreThanTwoWhoWait) {
  std::future<Status> first = Ask();
  ASSERT_EQ(gate_.Due(), 0s);
  gate_.Begin();
  std::future<Status> second = Ask();
  const HttpResponse third = ReloadPage(gate_);
  EXPECT_EQ(third.status, 429);
  EXPECT_THAT(third.headers, ::testing::ElementsAre(std::pair("Retry-After", "1")));
  gate_.Finish({}, 1);
  EXPECT_TRUE(first.get().ok());
  EXPECT_EQ(gate_.Due(), ReloadGate::kApart);
  std::future<Status> fourth = Ask();
  gate_.Begin();
  gate_.Finish({}, 2);
  EXPECT_TRUE(second.get().ok());
  EXPECT_TRUE(fourth.get().ok());
}

TEST(ReloadNewsTest, AreAChangedOutcomeOrAnotherConfiguration) {
  const Status bad = Error{Code::kInvalidArgument, "bad", "", false};
  ReloadNews news(7);
  EXPECT_FALSE(news.Note({}, 7));
  EXPECT_TRUE(news.Note(bad, 7));
  EXPECT_FALSE(news.Note(bad, 7));
  EXPECT_TRUE(news.Note(Error{Code::kInvalidArgument, "worse", "", false}, 7));
  EXPECT_TRUE(news.Note({}, 7));
  EXPECT_TRUE(news.Note({}, 8));
  EXPECT_FALSE(news.Note({}, 8));
}

}  // namespace
}  // namespace spire_exporter
