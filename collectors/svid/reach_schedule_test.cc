#include "collectors/svid/reach_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace spire_exporter::svid {
namespace {

using std::chrono::seconds;

size_t Count(const std::vector<bool>& picked) {
  return static_cast<size_t>(std::count(picked.begin(), picked.end(), true));
}

// Whether a delay was drawn from around `middle`.
bool Around(Duration delay, Duration middle) {
  return delay >= middle * 8 / 10 && delay <= middle * 12 / 10;
}

TEST(ReachScheduleTest, LooksAtAllUntilAllIsKnownToBeWell) {
  ReachSchedule schedule(seconds(60), 1);
  EXPECT_EQ(Count(schedule.Next(16)), 16U);
  schedule.Done(true, true);
  EXPECT_EQ(Count(schedule.Next(16)), 16U);
  schedule.Done(false, false);
  EXPECT_EQ(Count(schedule.Next(16)), 16U);
}

TEST(ReachScheduleTest, SeesEachAddressInFourRoundsWhileAllIsWell) {
  for (const size_t count : {1U, 2U, 3U, 4U, 5U, 16U}) {
    ReachSchedule schedule(seconds(60), count);
    schedule.Done(false, true);
    std::vector<bool> seen(count, false);
    size_t looks = 0;
    for (int round = 0; round < 4; ++round) {
      const std::vector<bool> picked = schedule.Next(count);
      EXPECT_GE(Count(picked), 1U);
      looks += Count(picked);
      for (size_t i = 0; i < count; ++i) seen[i] = seen[i] || picked[i];
      schedule.Done(false, true);
    }
    EXPECT_EQ(Count(seen), count);
    EXPECT_LE(looks, std::max<size_t>(4, count));
  }
}

TEST(ReachScheduleTest, LooksAgainSoonAfterAChangeAndThenSlowsDown) {
  ReachSchedule schedule(seconds(60), 7);
  EXPECT_TRUE(Around(schedule.Done(false, true), seconds(60)));
  EXPECT_TRUE(Around(schedule.Done(true, false), seconds(15)));
  EXPECT_TRUE(Around(schedule.Done(false, false), seconds(30)));
  EXPECT_TRUE(Around(schedule.Done(false, false), seconds(60)));
  EXPECT_TRUE(Around(schedule.Done(false, false), seconds(60)));
}

TEST(ReachScheduleTest, IsNeverQuickerThanFiveSecondsNorSlowerThanItsInterval) {
  ReachSchedule often(seconds(8), 7);
  EXPECT_TRUE(Around(often.Done(true, false), seconds(5)));
  ReachSchedule very_often(seconds(2), 7);
  EXPECT_TRUE(Around(very_often.Done(true, false), seconds(2)));
}

TEST(ReachScheduleTest, SpreadsManyProcesses) {
  // A thousand that start together: no second of the spread has more than twice its share.
  std::vector<int> starts(24, 0);
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    const Duration delay = ReachSchedule(seconds(60), seed).Done(false, true);
    ++starts.at(static_cast<size_t>((delay - seconds(48)) / seconds(1)));
  }
  EXPECT_LT(*std::max_element(starts.begin(), starts.end()), 2 * 1000 / 24);
}

}  // namespace
}  // namespace spire_exporter::svid
