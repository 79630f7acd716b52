#include "collectors/telemetry/nap.h"

#include <gtest/gtest.h>

namespace spire_exporter::telemetry {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kLargeBuffer = 16 << 20;
constexpr size_t kDefaultBuffer = 2 * 212'992;

class NapTest : public testing::Test {
 protected:
  // Turns of `datagrams` each, `apart` from each other; what the last one decided.
  int Turns(int turns, size_t datagrams, Duration apart, size_t buffer = kLargeBuffer) {
    int nap = 0;
    for (int i = 0; i < turns; ++i) {
      now_ += apart;
      nap = pacer_.AfterTurn(datagrams, now_, buffer);
    }
    return nap;
  }

  SteadyTime now_ = SteadyTime(seconds(1000));
  NapPacer pacer_;
};

TEST_F(NapTest, ASteadyStreamIsReadEveryFiveMilliseconds) {
  // The first stretch is for knowing the rate.
  EXPECT_EQ(Turns(62, 1, microseconds(320)), 0);
  EXPECT_EQ(Turns(2, 1, microseconds(320)), 5);
  // What a nap gathers at 50,000 lines a second.
  EXPECT_EQ(Turns(1000, 16, milliseconds(5)), 5);
}

TEST_F(NapTest, SeldomDatagramsAreReadAtOnce) {
  EXPECT_EQ(Turns(1000, 1, milliseconds(3)), 0);
}

TEST_F(NapTest, ABurstAfterSilenceIsReadAtOnce) {
  EXPECT_EQ(Turns(100, 1, microseconds(320)), 5);
  EXPECT_EQ(Turns(1, 3, milliseconds(20)), 0);
  EXPECT_EQ(Turns(60, 1, microseconds(10)), 0);
}

TEST_F(NapTest, ANapThatBroughtNothingIsNotFollowedByAnother) {
  ASSERT_EQ(Turns(100, 1, microseconds(320)), 5);
  EXPECT_EQ(Turns(1, 0, milliseconds(5)), 0);
  EXPECT_EQ(Turns(1, 1, milliseconds(5)), 5) << "it goes on";
}

TEST_F(NapTest, AFloodEndsNapsForAsLongAsItLasts) {
  ASSERT_EQ(Turns(100, 1, microseconds(320)), 5);
  // The nap in which it begins brings as much as is read at once, and there may be more.
  EXPECT_EQ(Turns(1, kNapDatagrams, milliseconds(5)), 0);
  EXPECT_EQ(Turns(3, 128, microseconds(100)), 0);
  // Caught up with it: a nap would make another backlog.
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(Turns(1, 20, microseconds(50)), 0);
  // Its end, and a stretch or two to be sure of it.
  EXPECT_EQ(Turns(10, 1, microseconds(320)), 0);
  EXPECT_EQ(Turns(130, 1, microseconds(320)), 5);
}

TEST_F(NapTest, HalfOfTheBufferOutlastsABurst) {
  ASSERT_EQ(Turns(100, 1, microseconds(320), 1 << 20), 4);
  EXPECT_EQ(Turns(1, 1, microseconds(320), 500'000), 2);
  EXPECT_EQ(Turns(1, 1, microseconds(320), kDefaultBuffer), 0);
  EXPECT_EQ(Turns(1, 1, microseconds(320), 0), 0);
}

}  // namespace
}  // namespace spire_exporter::telemetry
