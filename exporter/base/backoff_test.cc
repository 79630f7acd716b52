#include "exporter/base/backoff.h"

#include <gtest/gtest.h>

namespace spire_exporter {
namespace {

using std::chrono::seconds;

TEST(BackoffTest, DoublesWithinItsJitterUpToTheMaximum) {
  Backoff backoff(seconds(1), seconds(8), 42);
  for (const int64_t step : {1, 2, 4, 8, 8, 8}) {
    const Duration delay = backoff.Next();
    EXPECT_GE(delay, Duration(seconds(step)) / 2);
    EXPECT_LE(delay, Duration(seconds(step)));
  }
}

TEST(BackoffTest, StartsAgainAfterReset) {
  Backoff backoff(seconds(1), seconds(60), 7);
  for (int i = 0; i < 5; ++i) backoff.Next();
  backoff.Reset();
  EXPECT_LE(backoff.Next(), Duration(seconds(1)));
}

TEST(BackoffTest, SeedsMakeDifferentDelays) {
  EXPECT_NE(Backoff(seconds(9), seconds(9), 1).Next(), Backoff(seconds(9), seconds(9), 2).Next());
}

}  // namespace
}  // namespace spire_exporter
