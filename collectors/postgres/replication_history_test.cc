#include "collectors/postgres/replication_history.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

namespace spire_exporter::postgres {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

SteadyTime At(double s) {
  return SteadyTime(duration_cast<SteadyTime::duration>(std::chrono::duration<double>(s)));
}
double Sec(SteadyTime t) {
  return Seconds(t.time_since_epoch());
}

TEST(PositionHistoryTest, KnowsNothingBeyondItsLastSample) {
  PositionHistory history(seconds(2));
  EXPECT_TRUE(history.empty());
  EXPECT_FALSE(history.WhenPassed(0));
  history.Add(At(10), 1000);
  EXPECT_FALSE(history.WhenPassed(1000));
  EXPECT_FALSE(history.WhenPassed(2000));
  ASSERT_TRUE(history.WhenPassed(999));
  EXPECT_FALSE(history.WhenPassed(999)->at) << "before the first sample";
  EXPECT_EQ(history.WhenPassed(999)->at_the_latest, At(10));
}

TEST(PositionHistoryTest, InterpolatesBetweenSamples) {
  PositionHistory history(seconds(2));
  history.Add(At(10), 1000);
  history.Add(At(11), 2000);
  EXPECT_NEAR(Sec(*history.WhenPassed(1000)->at), 10, 1e-6);
  EXPECT_NEAR(Sec(*history.WhenPassed(1250)->at), 10.25, 1e-6);
  EXPECT_FALSE(history.WhenPassed(2000));
}

TEST(PositionHistoryTest, AStandstillIsPassedAtItsEndAndCostsTwoPoints) {
  PositionHistory history(seconds(2));
  for (int i = 0; i < 3600; ++i) history.Add(At(i), 1000);
  EXPECT_EQ(history.points(), 2u);
  history.Add(At(3600), 2000);
  EXPECT_NEAR(Sec(*history.WhenPassed(1000)->at), 3599, 1e-6);
  EXPECT_NEAR(Sec(*history.WhenPassed(1500)->at), 3599.5, 1e-6);
}

TEST(PositionHistoryTest, BelievesNoLineAcrossAGap) {
  PositionHistory history(seconds(2));
  history.Add(At(10), 1000);
  history.Add(At(60), 9000);
  history.Add(At(61), 9100);
  history.Add(At(62), 9200);
  ASSERT_TRUE(history.WhenPassed(5000));
  EXPECT_FALSE(history.WhenPassed(5000)->at);
  EXPECT_EQ(history.WhenPassed(5000)->at_the_latest, At(60));
  EXPECT_FALSE(history.WhenPassed(1000)->at);
  EXPECT_NEAR(Sec(*history.WhenPassed(9050)->at), 60.5, 0.3);
}

TEST(PositionHistoryTest, AGapInAStandstillIsNone) {
  PositionHistory history(seconds(2));
  history.Add(At(10), 1000);
  history.Add(At(60), 1000);
  history.Add(At(61), 2000);
  EXPECT_NEAR(Sec(*history.WhenPassed(1000)->at), 60, 1e-6);
}

TEST(PositionHistoryTest, APositionThatWentBackIsAnotherHistory) {
  PositionHistory history(seconds(2));
  history.Add(At(10), 1000);
  history.Add(At(11), 2000);
  history.Add(At(12), 1500);
  EXPECT_EQ(history.points(), 1u);
  EXPECT_FALSE(history.WhenPassed(1400)->at);
}

TEST(PositionHistoryTest, ASampleThatIsNotLaterIsIgnored) {
  PositionHistory history(seconds(2));
  history.Add(At(10), 1000);
  history.Add(At(10), 3000);
  history.Add(At(9), 2000);
  EXPECT_EQ(history.last_position(), 1000u);
}

TEST(PositionHistoryTest, MemoryIsBoundedUnderTheWorstLoad) {
  PositionHistory history(seconds(2));
  std::mt19937_64 random(1);
  uint64_t position = 0;
  for (int i = 0; i < 40'000; ++i) {
    position += i % 2 == 0 ? 1 : 1 + random() % 100'000'000;
    history.Add(At(i), position);
  }
  EXPECT_LE(history.points(), PositionHistory::kPointsMax);
  EXPECT_FALSE(history.WhenPassed(1)->at) << "the oldest went";
  EXPECT_TRUE(history.WhenPassed(position - 1)->at);
}

TEST(PositionHistoryTest, ASteadyLoadCostsFewPoints) {
  PositionHistory history(seconds(2));
  uint64_t position = 0;
  std::mt19937_64 random(2);
  for (int i = 0; i < 36'000; ++i) {
    position += 1'000'000 + random() % 50'000;
    history.Add(At(i), position);
  }
  EXPECT_LT(history.points(), 3000u);
}

// Every sample, kept or left out, is told within the tolerance.
TEST(PositionHistoryTest, WhatIsLeftOutIsToldWithinTheTolerance) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    std::mt19937_64 random(seed);
    PositionHistory history(seconds(2));
    std::vector<std::pair<double, uint64_t>> samples;
    uint64_t position = 1000;
    double time = 0;
    uint64_t rate = 1000;
    for (int i = 0; i < 5000; ++i) {
      time += 0.5 + static_cast<double>(random() % 1000) / 1000;
      if (random() % 50 == 0) rate = random() % 4 == 0 ? 0 : random() % 10'000'000;
      position += rate == 0 ? 0 : rate + random() % (rate / 3 + 1);
      history.Add(At(time), position);
      samples.emplace_back(time, position);
    }
    for (size_t i = 0; i + 1 < samples.size(); ++i) {
      // The last sample of its position.
      if (samples[i].second == samples[i + 1].second) continue;
      const auto passed = history.WhenPassed(samples[i].second);
      ASSERT_TRUE(passed && passed->at);
      ASSERT_NEAR(Sec(*passed->at), samples[i].first, Seconds(PositionHistory::kTolerance) + 1e-6)
          << "seed " << seed << " sample " << i;
    }
  }
}

}  // namespace
}  // namespace spire_exporter::postgres
