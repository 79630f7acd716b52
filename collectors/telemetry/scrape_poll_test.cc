#include "collectors/telemetry/scrape_poll.h"

#include <gtest/gtest.h>

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
  EXPECT_EQ(poll.Next(false), 4s) << "0.5 % of the time";
  for (int i = 0; i < 50; ++i) poll.OnPage(5s);
  EXPECT_EQ(poll.Next(false), 15s) << "never less often than the interval";
  for (int i = 0; i < 100; ++i) poll.OnPage(2ms);
  EXPECT_EQ(poll.Next(false), 1s) << "and again, once it is cheap";
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
