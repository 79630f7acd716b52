#include "collectors/postgres/capacity_rebase.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace spire_exporter::postgres {
namespace {

CounterOrigin At(double now, double started = 100, std::optional<double> reset = 50) {
  return {now, started, reset};
}

TEST(CapacityRebaseTest, BeginsWithWhatTheServerCountedAndSinceWhen) {
  CounterRebase rebase;
  const RebasedTotal total = rebase.Take("x", 70, At(1000));
  EXPECT_EQ(total.value, 70);
  EXPECT_EQ(total.created_seconds, 50);
  EXPECT_EQ(rebase.Take("y", 3, At(1000, 100, {})).created_seconds, 0);
}

TEST(CapacityRebaseTest, GrowsByTheDifference) {
  CounterRebase rebase;
  rebase.Take("x", 70, At(1000));
  EXPECT_EQ(rebase.Take("x", 75, At(1015)).value, 75);
  EXPECT_EQ(rebase.Take("x", 75, At(1030)).value, 75);
  EXPECT_EQ(rebase.rebased(), 0u);
}

TEST(CapacityRebaseTest, AResetAddsWhatWasCountedSince) {
  CounterRebase rebase;
  rebase.Take("x", 70, At(1000));
  const RebasedTotal total = rebase.Take("x", 4, At(1015, 100, 1010));
  EXPECT_EQ(total.value, 74);
  EXPECT_EQ(total.created_seconds, 50);
  EXPECT_EQ(rebase.rebased(), 1u);
}

TEST(CapacityRebaseTest, AResetIsSeenEvenWhenTheCounterHasPassedItsOldValue) {
  CounterRebase rebase;
  rebase.Take("x", 70, At(1000));
  EXPECT_EQ(rebase.Take("x", 90, At(1015, 100, 1010)).value, 160);
}

TEST(CapacityRebaseTest, ACrashThatForgotTheStatisticsAddsWhatWasCountedSince) {
  CounterRebase rebase;
  rebase.Take("x", 70, At(1000, 100, {}));
  EXPECT_EQ(rebase.Take("x", 4, At(1015, 1005, {})).value, 74);
}

TEST(CapacityRebaseTest, ACleanRestartGoesOn) {
  CounterRebase rebase;
  rebase.Take("x", 70, At(1000));
  EXPECT_EQ(rebase.Take("x", 71, At(1015, 1005)).value, 71);
  EXPECT_EQ(rebase.rebased(), 0u);
}

TEST(CapacityRebaseTest, AServerThatRanAlreadyBringsNothingFromItsPast) {
  CounterRebase rebase;
  rebase.Take("x", 70, At(1000, 100, {}));
  // Another one behind the same name, which had counted a million before we came.
  EXPECT_EQ(rebase.Take("x", 1'000'000, At(1015, 90, {})).value, 70);
  EXPECT_EQ(rebase.Take("x", 1'000'003, At(1030, 90, {})).value, 73);
  EXPECT_EQ(rebase.rebased(), 1u);
}

TEST(CapacityRebaseTest, AServerWithAnOlderResetBringsNothingFromItsPast) {
  CounterRebase rebase;
  rebase.Take("x", 70, At(1000, 100, 50));
  EXPECT_EQ(rebase.Take("x", 1'000'000, At(1015, 1010, 60)).value, 70);
}

TEST(CapacityRebaseTest, AnotherAddressBringsNothingFromItsPast) {
  CounterRebase rebase;
  rebase.Take("x", 70, At(1000));
  rebase.OtherServer();
  EXPECT_EQ(rebase.Take("x", 500, At(1015)).value, 70);
  EXPECT_EQ(rebase.Take("x", 510, At(1030)).value, 80);
}

TEST(CapacityRebaseTest, NeverGoesBack) {
  CounterRebase rebase;
  double last = 0;
  for (const double raw : {5.0, 3.0, 8.0, 0.0, 2.0, std::nan(""), -4.0, 1.0,
                           std::numeric_limits<double>::infinity(), 9.0}) {
    const double total = rebase.Take("x", raw, At(1000)).value;
    EXPECT_GE(total, last) << raw;
    last = total;
  }
  EXPECT_EQ(last, 5 + 3 + 5 + 0 + 2 + 1 + 8);
}

}  // namespace
}  // namespace spire_exporter::postgres
