#include "tests/fakes/schedule.h"

#include <gtest/gtest.h>

#include <string>

namespace spire_exporter::fakes {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ScheduleTest, RunsWhatIsDueInOrderOfTimeThenOfAdding) {
  Schedule schedule(SteadyTime{});
  std::string order;
  schedule.After(seconds(2), [&] { order += 'c'; });
  schedule.After(seconds(1), [&] { order += 'a'; });
  schedule.After(seconds(1), [&] { order += 'b'; });
  schedule.Run(SteadyTime(seconds(1)));
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(schedule.next(), SteadyTime(seconds(2)));
  schedule.Run(SteadyTime(seconds(3)));
  EXPECT_EQ(order, "abc");
  EXPECT_EQ(schedule.next(), SteadyTime::max());
}

TEST(ScheduleTest, ATaskSeesItsOwnTimeAndMayAddOthers) {
  Schedule schedule(SteadyTime{});
  SteadyTime seen;
  schedule.After(milliseconds(10),
                 [&] { schedule.After(milliseconds(5), [&] { seen = schedule.now(); }); });
  schedule.Run(SteadyTime(milliseconds(100)));
  EXPECT_EQ(seen, SteadyTime(milliseconds(15)));
}

TEST(ScheduleTest, ABeatIsKeptButNotMadeUpForAfterALongStop) {
  Schedule schedule(SteadyTime{});
  int beats = 0;
  schedule.Every(milliseconds(100), milliseconds(100), [&] { ++beats; });
  schedule.Run(SteadyTime(milliseconds(950)));
  EXPECT_EQ(beats, 9);
  schedule.Run(SteadyTime(seconds(60)));
  EXPECT_EQ(beats, 10) << "one late beat, not 590";
  EXPECT_EQ(schedule.next(), SteadyTime(milliseconds(60'100)));
}

}  // namespace
}  // namespace spire_exporter::fakes
