#include "exporter/app/reload.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <future>
#include <thread>

namespace spire_exporter {
namespace {

using namespace std::chrono_literals;

bool WaitReadable(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, 10'000) == 1;
}

TEST(ReloadGateTest, HandsTheOutcomeToTheOneWhoAsked) {
  ReloadGate gate;
  std::future<Status> asked = std::async(std::launch::async, [&gate] { return gate.Request(10s); });
  ASSERT_TRUE(WaitReadable(gate.fd()));
  ASSERT_TRUE(gate.Begin());
  gate.Finish(Error{Code::kInvalidArgument, "unknown key", "a.yaml:1:1", false}, 5);
  const Status outcome = asked.get();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().ToString(), "a.yaml:1:1: unknown key");
  EXPECT_FALSE(gate.state().success);
}

TEST(ReloadGateTest, ABadReloadKeepsTheTimeOfTheLastGoodOne) {
  ReloadGate gate;
  gate.Finish({}, 100);
  gate.Finish(Error{Code::kInvalidArgument, "bad", "", false}, 200);
  EXPECT_FALSE(gate.state().success);
  EXPECT_EQ(gate.state().success_seconds, 100);
}

TEST(ReloadGateTest, ARequestThatComesDuringAReloadWaitsForTheNext) {
  ReloadGate gate;
  std::future<Status> first = std::async(std::launch::async, [&gate] { return gate.Request(10s); });
  ASSERT_TRUE(WaitReadable(gate.fd()));
  ASSERT_TRUE(gate.Begin());
  std::future<Status> second =
      std::async(std::launch::async, [&gate] { return gate.Request(10s); });
  ASSERT_TRUE(WaitReadable(gate.fd()));
  gate.Finish({}, 1);
  EXPECT_TRUE(first.get().ok());
  ASSERT_TRUE(gate.Begin());
  gate.Finish(Error{Code::kInternal, "second", "", false}, 2);
  EXPECT_FALSE(second.get().ok());
}

TEST(ReloadGateTest, GivesUpWaiting) {
  ReloadGate gate;
  const Status outcome = gate.Request(1ms);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, Code::kDeadlineExceeded);
}

}  // namespace
}  // namespace spire_exporter
