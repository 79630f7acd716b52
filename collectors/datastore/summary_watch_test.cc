// The windows and marks of tier 1.
#include <gtest/gtest.h>

#include "collectors/datastore/events_lag.h"
#include "collectors/datastore/id_clock.h"
#include "collectors/datastore/restore_watch.h"

namespace spire_exporter::datastore {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int64_t kInt4 = 2'147'483'647;

TEST(IdClockTest, TellsWhenIdsRunOutBySlope) {
  IdClock clock;
  SteadyTime now;
  IdReading reading = clock.Note("selectors", 1'000'000'000, kInt4, now);
  EXPECT_NEAR(reading.headroom, 0.534, 0.001);
  EXPECT_FALSE(reading.per_second);
  EXPECT_FALSE(reading.exhaustion_seconds);
  for (int i = 1; i <= 40; ++i) {
    now += seconds(15);
    reading = clock.Note("selectors", 1'000'000'000 + i * 15 * 100, kInt4, now);
  }
  ASSERT_TRUE(reading.per_second);
  EXPECT_DOUBLE_EQ(*reading.per_second, 100);
  EXPECT_NEAR(*reading.exhaustion_seconds, (kInt4 - 1'000'060'000) / 100.0, 1);
}

TEST(IdClockTest, UnusedIdsLastForEverAndThatIsAbsent) {
  IdClock clock;
  SteadyTime now;
  clock.Note("bundles", 7, kInt4, now);
  const IdReading reading = clock.Note("bundles", 7, kInt4, now + hours(1));
  EXPECT_DOUBLE_EQ(*reading.per_second, 0);
  EXPECT_FALSE(reading.exhaustion_seconds);
}

TEST(IdClockTest, TheWindowIsADayAndABackwardStepBeginsItAnew) {
  IdClock clock;
  SteadyTime now;
  // A burst long ago, quiet since.
  clock.Note("t", 0, kInt4, now);
  for (int i = 1; i <= 30 * 12; ++i) {
    now += minutes(5);
    clock.Note("t", 1'000'000, kInt4, now);
  }
  EXPECT_DOUBLE_EQ(*clock.Note("t", 1'000'000, kInt4, now).per_second, 0);
  EXPECT_FALSE(clock.Note("t", 10, kInt4, now).per_second);
}

TEST(IdClockTest, NothingIsLeftAtTheEnd) {
  IdClock clock;
  EXPECT_DOUBLE_EQ(clock.Note("t", kInt4, kInt4, SteadyTime()).headroom, 0);
}

class RestoreWatchTest : public ::testing::Test {
 protected:
  void Look(std::optional<int64_t> id, bool there = true, std::optional<bool> filled = true) {
    now_ += seconds(15);
    watch_.Begin(now_);
    watch_.Note("events", id);
    watch_.NoteTables(there, filled);
  }
  std::string_view Condition() const { return watch_.Condition(now_); }

  RestoreWatch watch_;
  SystemTime now_{seconds(1'800'000'000)};
};

TEST_F(RestoreWatchTest, RisingAndPrunedIdsAreNormal) {
  for (const std::optional<int64_t> id : {std::optional<int64_t>(5), std::optional<int64_t>(9),
                                          std::optional<int64_t>(), std::optional<int64_t>(10)}) {
    Look(id);
    EXPECT_EQ(Condition(), "normal");
  }
  EXPECT_EQ(watch_.rewinds(), 0u);
}

TEST_F(RestoreWatchTest, FallingIdsAreARestoreForAnHour) {
  Look(100);
  Look(60);
  EXPECT_EQ(Condition(), "restored");
  EXPECT_EQ(watch_.rewinds(), 1u);
  EXPECT_EQ(watch_.last_rewind(), now_);
  Look(61);
  EXPECT_EQ(watch_.rewinds(), 1u);
  now_ += hours(1);
  EXPECT_EQ(Condition(), "normal");
}

TEST_F(RestoreWatchTest, IdsThatFellWhileTheTableWasEmptyAreNoticed) {
  Look(100);
  Look(std::nullopt);
  Look(3);
  EXPECT_EQ(Condition(), "restored");
}

TEST_F(RestoreWatchTest, SeveralSignsOfOneLookAreOneRewind) {
  watch_.Begin(now_);
  watch_.Note("a", 10);
  watch_.Note("b", 10);
  watch_.Begin(now_);
  EXPECT_TRUE(watch_.Note("a", 1));
  EXPECT_TRUE(watch_.Note("b", 1));
  EXPECT_EQ(watch_.rewinds(), 1u);
}

TEST_F(RestoreWatchTest, SignsThatFallOneLookLaterAreTheSameRewind) {
  Look(100);
  watch_.Note("sequence", 100);
  Look(60);  // the sequence could not be read in the midst of it
  Look(61);
  EXPECT_TRUE(watch_.Note("sequence", 60));
  EXPECT_EQ(watch_.rewinds(), 1u);
  now_ += RestoreWatch::kOneRestore;
  Look(2);
  EXPECT_EQ(watch_.rewinds(), 2u);
}

TEST_F(RestoreWatchTest, NewAndEmptiedDatabasesAreToldApart) {
  Look(std::nullopt, false, std::nullopt);
  EXPECT_EQ(Condition(), "no_tables");
  Look(std::nullopt, true, false);
  EXPECT_EQ(Condition(), "empty");
  Look(1, true, true);
  EXPECT_EQ(Condition(), "normal");
  Look(1, true, std::nullopt);  // could not be read
  EXPECT_EQ(Condition(), "normal");
  Look(1, true, false);
  EXPECT_EQ(Condition(), "emptied");
  Look(std::nullopt, false, std::nullopt);
  EXPECT_EQ(Condition(), "emptied");
  Look(2, true, true);
  EXPECT_EQ(Condition(), "normal");
}

TEST(EventsLagTest, IsZeroWhileTheStandbyHasAll) {
  EventsLag lag;
  SteadyTime now;
  lag.NotePrimary(10, now);
  const StandbyLag current = lag.Judge("ro/0", 10, now);
  EXPECT_EQ(current.state, "current");
  EXPECT_EQ(current.ids, 0);
  EXPECT_EQ(current.seconds, 0);
  // An idle primary for an hour is no lag.
  lag.NotePrimary(10, now + hours(1));
  EXPECT_EQ(lag.Judge("ro/0", 10, now + hours(1)).seconds, 0);
}

TEST(EventsLagTest, CountsFromTheFirstEventThatIsMissing) {
  EventsLag lag;
  SteadyTime now;
  lag.NotePrimary(10, now);
  lag.Judge("ro/0", 10, now);
  lag.NotePrimary(12, now += seconds(15));
  EXPECT_EQ(lag.Judge("ro/0", 10, now).seconds, 0);
  lag.NotePrimary(20, now += seconds(15));
  const StandbyLag behind = lag.Judge("ro/0", 10, now);
  EXPECT_EQ(behind.state, "behind");
  EXPECT_EQ(behind.ids, 10);
  EXPECT_EQ(behind.seconds, 15);
  EXPECT_EQ(lag.Judge("ro/0", 12, now).seconds, 0);
}

TEST(EventsLagTest, BehindSinceBeforeTheFirstLookIsKnownInIdsAlone) {
  EventsLag lag;
  lag.NotePrimary(10, SteadyTime());
  const StandbyLag behind = lag.Judge("ro/0", 4, SteadyTime());
  EXPECT_EQ(behind.ids, 6);
  EXPECT_FALSE(behind.seconds);
}

TEST(EventsLagTest, AStandbyThatHadMoreThanThePrimaryHasIsOfAnotherHistory) {
  EventsLag lag;
  SteadyTime now;
  lag.NotePrimary(10, now);
  EXPECT_EQ(lag.Judge("ro/0", 12, now).state, "current");  // asked a moment later
  lag.NotePrimary(12, now += seconds(15));
  EXPECT_EQ(lag.Judge("ro/0", 12, now).state, "current");
  EXPECT_EQ(lag.Judge("ro/0", 40, now).state, "current");
  const StandbyLag ahead = lag.Judge("ro/0", 40, now += seconds(15));
  EXPECT_EQ(ahead.state, "ahead");
  EXPECT_FALSE(ahead.ids);
}

TEST(PropagationTest, MeasuresWholeLooksForEachEventOnce) {
  Propagation propagation;
  SteadyTime now;
  propagation.NotePrimary(10, now);
  propagation.NoteStandby("ro/0", 10, now);
  propagation.NotePrimary(11, now += seconds(15));
  propagation.NoteStandby("ro/0", 11, now);
  propagation.NotePrimary(12, now += seconds(15));
  propagation.NoteStandby("ro/0", 11, now);
  propagation.NotePrimary(12, now += seconds(15));
  propagation.NoteStandby("ro/0", 12, now);
  propagation.NoteStandby("ro/0", 12, now);
  const auto values = propagation.Snapshot();
  ASSERT_EQ(values.size(), 1u);
  EXPECT_EQ(values.at("ro/0")->count, 2u);
  EXPECT_DOUBLE_EQ(values.at("ro/0")->sum, 15);
}

}  // namespace
}  // namespace spire_exporter::datastore
