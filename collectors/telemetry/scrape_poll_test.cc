#include "collectors/telemetry/scrape_poll.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <utility>

namespace spire_exporter::telemetry {
namespace {

using namespace std::chrono_literals;

TEST(ScrapePollTest, PollsOnlyWhileTheStreamIsSilent) {
  ScrapePoll poll(15s, 1s);
  poll.OnPage(1ms);
  EXPECT_EQ(poll.Next(false), 1s);
  EXPECT_EQ(poll.Next(true), 15s);
  EXPECT_EQ(poll.Next(false), 1s);
}

TEST(ScrapePollTest, AnExpensivePageIsReadLessOften) {
  ScrapePoll poll(15s, 1s);
  for (int i = 0; i < 50; ++i) poll.OnPage(20ms);
  EXPECT_EQ(poll.Next(false), 5s) << "0.4 % of the time";
  for (int i = 0; i < 50; ++i) poll.OnPage(5s);
  EXPECT_EQ(poll.Next(false), 15s) << "never less often than the interval";
  for (int i = 0; i < 100; ++i) poll.OnPage(2ms);
  EXPECT_EQ(poll.Next(false), 1s) << "and again, once it is cheap";
}

TEST(ScrapePollTest, ACheapPageIsReadAsOftenAsItMayBe) {
  ScrapePoll poll(15s, 200ms);
  poll.OnPage(2ms);
  EXPECT_EQ(poll.Next(false), 500ms) << "0.4 % of the time";
  for (int i = 0; i < 50; ++i) poll.OnPage(500us);
  EXPECT_EQ(poll.Next(false), 200ms) << "never more often than that";
  EXPECT_EQ(poll.Next(true), 15s);
}

// Pages take what they will, some of them a hundred times as long as the rest.
TEST(ScrapePollTest, ServingPagesStaysBelowItsShareHoweverTheyScatter) {
  constexpr Duration kWindow = 10min;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 random(seed);
    std::lognormal_distribution<double> served_ms(0.7 * static_cast<double>(seed % 4) - 0.7,
                                                  0.5 * static_cast<double>(seed % 3));
    ManualClock clock;
    ScrapePoll poll(15s, 200ms);
    Duration sum{};
    std::deque<std::pair<SteadyTime, Duration>> window;
    while (clock.Steady() < SteadyTime(1h)) {
      const double slow = random() % 100 == 0 ? 10 : 1;
      // No page alone is more than the interval can afford.
      const auto served = std::chrono::duration_cast<Duration>(
          std::chrono::duration<double, std::milli>(std::min(60.0, served_ms(random) * slow)));
      window.emplace_back(clock.Steady(), served);
      sum += served;
      poll.OnPage(served);
      const Duration next = poll.Next(false);
      ASSERT_GE(next, 200ms);
      ASSERT_LE(next, 15s);
      clock.Advance(next);
      while (clock.Steady() - window.front().first > kWindow) {
        sum -= window.front().second;
        window.pop_front();
      }
      if (clock.Steady() < SteadyTime(kWindow)) continue;
      ASSERT_LE(Seconds(sum), Seconds(kWindow) * ScrapePoll::kServingShareMax) << "seed " << seed;
    }
  }
}

TEST(ScrapePollTest, AnEndpointThatFailsSlowlyIsAskedAtTheInterval) {
  ScrapePoll poll(15s, 1s);
  poll.OnFailure(5s);
  EXPECT_EQ(poll.Next(false), 15s);
  poll.OnPage(1ms);
  EXPECT_EQ(poll.Next(false), 1s);
}

TEST(ScrapePollTest, ARefusedConnectionCostsNothingAndIsTriedAgain) {
  ScrapePoll poll(15s, 1s);
  poll.OnFailure(100us);
  EXPECT_EQ(poll.Next(false), 1s);
}

TEST(ScrapePollTest, ZeroSwitchesItOff) {
  ScrapePoll poll(15s, 0s);
  poll.OnPage(1ms);
  EXPECT_EQ(poll.Next(false), 15s);
}

}  // namespace
}  // namespace spire_exporter::telemetry
