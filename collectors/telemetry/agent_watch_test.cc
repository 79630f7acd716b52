#include "collectors/telemetry/agent_watch.h"

#include <gtest/gtest.h>

#include <string>

#include "collectors/telemetry/store.h"

namespace spire_exporter::telemetry {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

// The lines of SPIRE 1.15, through the store.
class AgentWatchTest : public testing::Test {
 protected:
  AgentWatchTest() {
    store_.SetTap(&watch_);
    watch_.SetTtl(seconds(240));
    stream_.listening = stream_.files_only = true;
  }
  void Feed(const std::string& datagram) {
    store_.Feed(datagram, false, {clock_.Steady(), clock_.Steady()}, &counts_);
  }
  void Cached(int svids) {
    Feed("spire_agent.lru_cache_svid_map_size:" + std::to_string(svids) + "|g|#host:vm\n");
  }
  void Signed(const char* status = "OK") {
    Feed(std::string("spire_agent.manager.sync.fetch_svids_updates.elapsed_time:3.1|ms|#status:") +
         status + ",host:vm\n");
  }
  void Expiring(int svids) {
    Feed("spire_agent.cache_manager.expiring_svids:" + std::to_string(svids) +
         ".000000|ms|#host:vm\n");
  }
  void Synced() {
    Feed("spire_agent.manager.sync.fetch_entries_updates.elapsed_time:5.0|ms|#status:OK,host:vm\n");
  }
  void Started() { Feed("spire_agent.started:1|g|#version:1_15_3,host:vm\n"); }
  void Pass(int time) {
    for (int i = 0; i < time; ++i) {
      clock_.Advance(seconds(1));
      stream_.last = clock_.Steady();
      watch_.OnStream(stream_);
    }
  }
  // Seconds until the first end.
  double First() {
    const AgentWatch::View view = watch_.Read();
    if (view.standing.groups.empty()) return -1;
    return UnixSeconds(view.standing.groups[0].expiry) - UnixSeconds(clock_.System());
  }

  ManualClock clock_;
  AgentWatch watch_{clock_};
  Store store_{StoreOptions{}, clock_};
  ListenerCounts counts_;
  AgentWatch::StreamState stream_;
};

TEST_F(AgentWatchTest, AStartThatWasSeenMakesItWholeAtOnce) {
  Cached(2);
  EXPECT_FALSE(watch_.Read().standing.whole);
  Started();
  Pass(5);
  Signed();
  Cached(3);
  Pass(10);
  EXPECT_TRUE(watch_.Read().standing.whole);
  EXPECT_NEAR(First(), 230, 0.2);
  EXPECT_EQ(watch_.Read().standing.groups[0].count, 3u);
}

TEST_F(AgentWatchTest, ARenewalCountsWhenItsBatchWasSigned) {
  Started();
  Signed();
  Cached(1);
  Pass(120);
  Expiring(1);
  Signed("Unavailable");
  Pass(5);
  EXPECT_NEAR(First(), 115, 0.2) << "announced, and not signed";
  Expiring(1);
  Signed();
  Cached(1);
  EXPECT_NEAR(First(), 240, 0.2);
  EXPECT_TRUE(watch_.Read().standing.whole);
}

TEST_F(AgentWatchTest, TheOlderSpellingAndOrderAreTheSame) {
  Started();
  Signed();
  Cached(1);
  Pass(120);
  Feed(
      "spire_agent.manager.sync.fetch_svids_updates.elapsed_time:3.2|ms|#status:OK,host:vm\n"
      "spire_agent.cache_manager.expiring_svids:1.000000|ms|#host:vm");
  EXPECT_NEAR(First(), 240, 0.2);
}

TEST_F(AgentWatchTest, NewSvidsCountFromWhenTheCacheGrows) {
  Started();
  Cached(1);
  Pass(60);
  Cached(4);
  const AgentWatch::View view = watch_.Read();
  ASSERT_EQ(view.standing.groups.size(), 2u);
  EXPECT_EQ(view.standing.groups[1].count, 3u);
  EXPECT_NEAR(First(), 180, 0.2);
}

TEST_F(AgentWatchTest, LostLinesMakeItUnsureUntilAllHaveBeenRenewed) {
  Started();
  Cached(1);
  Pass(10);
  EXPECT_TRUE(watch_.Read().standing.whole);
  stream_.missing = 3;
  Pass(50);
  EXPECT_FALSE(watch_.Read().standing.whole);
  Pass(61);
  Expiring(1);
  Signed();
  for (int i = 0; i < 14; ++i) {
    Synced();
    Pass(5);
  }
  EXPECT_TRUE(watch_.Read().standing.whole);
  EXPECT_NEAR(First(), 170, 0.2);
}

TEST_F(AgentWatchTest, LinesUnderWayAreNotLost) {
  Started();
  Cached(2);
  for (const uint64_t missing : {20U, 7U, 14U, 0U, 19U, 0U}) {
    stream_.missing = missing;
    Pass(10);
  }
  EXPECT_TRUE(watch_.Read().standing.whole);
  EXPECT_NEAR(First(), 180, 0.2);
  // What stays is lost once, and more is again.
  for (const uint64_t missing : {5U, 30U, 9U, 4U, 30U, 30U}) {
    stream_.missing = missing;
    Pass(10);
  }
  EXPECT_FALSE(watch_.Read().standing.whole);
}

TEST_F(AgentWatchTest, SeveralAgentsOnOneLineAreNotTold) {
  Started();
  Cached(1);
  stream_.clients = 2;
  Pass(1);
  EXPECT_FALSE(watch_.Read().standing.whole);
}

TEST_F(AgentWatchTest, TheClockThatSaysOlderIsBelieved) {
  Started();
  Cached(1);
  Pass(40);
  const double before = UnixSeconds(clock_.System());
  clock_.StepSystem(hours(-1));
  EXPECT_NEAR(First(), 200, 0.2) << "not an hour more";
  clock_.StepSystem(hours(1) + seconds(100));
  EXPECT_NEAR(First(), 100, 0.2) << "the machine may have slept";
  EXPECT_NEAR(UnixSeconds(clock_.System()), before + 100, 0.01);
}

TEST_F(AgentWatchTest, ASyncCountsWhenNothingWasLeftUnsigned) {
  Started();
  Cached(1);
  Synced();
  Pass(2);
  const auto first = watch_.Read().last_sync;
  ASSERT_TRUE(first.has_value());
  Pass(118);
  Synced();
  Expiring(1);
  Pass(2);
  Signed("Internal");
  Pass(3);
  EXPECT_EQ(watch_.Read().last_sync, first);
  Synced();
  Expiring(1);
  Signed();
  Pass(2);
  EXPECT_GT(*watch_.Read().last_sync, *first + seconds(120));
}

// Servers that cannot sign: seen at a real agent of 1.15.3 beside a key manager that refuses.
class RefusalTest : public AgentWatchTest {
 protected:
  // Half a second of an agent that is refused something.
  void Retry() {
    clock_.Advance(std::chrono::milliseconds(500));
    Signed();
    Cached(held_);
    stream_.last = clock_.Steady();
    watch_.OnStream(stream_);
  }
  // Five seconds, with what is due at their beginning.
  void Sync(int due, bool refused) {
    Synced();
    if (due > 0) {
      Expiring(due);
      Signed();
      Cached(held_);
    }
    for (int i = 0; i < 10; ++i) {
      if (refused) {
        Retry();
      } else {
        clock_.Advance(std::chrono::milliseconds(500));
        stream_.last = clock_.Steady();
        watch_.OnStream(stream_);
      }
    }
  }
  const int held_ = 3;
};

TEST_F(RefusalTest, WhatIsRefusedIsNotTakenToBeRenewed) {
  Started();
  Cached(held_);
  for (int i = 0; i < 22; ++i) Sync(0, false);
  EXPECT_NEAR(First(), 130, 0.5);
  const auto synced = watch_.Read().last_sync;
  EXPECT_FALSE(watch_.Read().refused);
  Sync(1, true);
  EXPECT_TRUE(watch_.Read().refused);
  EXPECT_NEAR(First(), 125, 0.5);
  for (int i = 0; i < 10; ++i) Sync(3, true);
  EXPECT_NEAR(First(), 75, 0.5);
  EXPECT_TRUE(watch_.Read().standing.whole);
  EXPECT_EQ(watch_.Read().last_sync, synced) << "the bound stands on it";
}

TEST_F(RefusalTest, EndsWithTheRetries) {
  Started();
  Cached(held_);
  for (int i = 0; i < 22; ++i) Sync(0, false);
  for (int i = 0; i < 6; ++i) Sync(3, true);
  Sync(3, false);
  Sync(0, false);
  EXPECT_NEAR(First(), 230, 1);
  EXPECT_FALSE(watch_.Read().refused);
  EXPECT_TRUE(watch_.Read().standing.whole);
  EXPECT_EQ(watch_.Read().standing.groups[0].count, 3u);
}

TEST_F(RefusalTest, AnEntryThatIsNeverSignedDoesNotStopTheRest) {
  Started();
  Cached(held_);
  for (int i = 0; i < 22; ++i) Sync(0, true);
  EXPECT_NEAR(First(), 130, 0.5);
  Sync(3, true);
  for (int i = 0; i < 8; ++i) Sync(0, true);
  EXPECT_NEAR(First(), 195, 1);
  EXPECT_TRUE(watch_.Read().standing.whole);
}

TEST_F(RefusalTest, WhatWasSignedBesideARefusalIsKnownOnceItsJitterIsOver) {
  Started();
  Cached(held_);
  for (int i = 0; i < 20; ++i) Sync(0, false);
  for (int i = 0; i < 2; ++i) Sync(0, false);
  Sync(3, true);
  for (int i = 0; i < 8; ++i) Sync(1, true);
  EXPECT_TRUE(watch_.Read().standing.whole);
  EXPECT_NEAR(First(), 240 - 155, 1) << "one of the three is refused";
  for (int i = 0; i < 4; ++i) Sync(1, true);
  EXPECT_NEAR(First(), 240 - 175, 1);
  EXPECT_EQ(watch_.Read().standing.groups[0].count, 1u);
}

TEST_F(RefusalTest, BusyRenewalsBesideAnEntryThatIsNeverSignedCount) {
  Started();
  Cached(held_);
  for (int i = 0; i < 22; ++i) Sync(0, true);
  for (int i = 0; i < 3; ++i) Sync(1, true);
  Sync(0, true);
  EXPECT_TRUE(watch_.Read().standing.whole);
  EXPECT_NEAR(First(), 240 - 20, 1);
}

TEST_F(RefusalTest, MoreThanOneCallCanHaveAreRenewedInSeveral) {
  Started();
  Cached(700);
  Pass(120);
  Expiring(700);
  Signed();
  Cached(700);
  clock_.Advance(std::chrono::milliseconds(500));
  Signed();
  Cached(700);
  Pass(2);
  EXPECT_NEAR(First(), 237.5, 0.5);
  EXPECT_EQ(watch_.Read().standing.groups[0].count, 700u);
}

TEST_F(AgentWatchTest, TheAgentsOwnIsFromWhenItsRenewalBegan) {
  const auto rotated = [this](const char* status) {
    Feed(std::string("spire_agent.agent_svid.rotate.elapsed_time:2000.0|ms|#status:") + status +
         ",host:vm\n");
  };
  Started();
  rotated("Unavailable");
  Pass(1);
  EXPECT_EQ(watch_.Read().own_svid, std::nullopt);
  const SystemTime now = clock_.System();
  rotated("OK");
  Pass(20);
  ASSERT_TRUE(watch_.Read().own_svid.has_value());
  EXPECT_NEAR(UnixSeconds(*watch_.Read().own_svid), UnixSeconds(now) - 2, 0.2);
  stream_.missing = 3;
  Pass(50);
  EXPECT_EQ(watch_.Read().own_svid, std::nullopt) << "it may have been renewed since";
}

TEST_F(AgentWatchTest, AUdpPortTakesLinesFromAnybody) {
  Started();
  Cached(1);
  Pass(1);
  EXPECT_FALSE(watch_.Read().anybody_could_say);
  stream_.files_only = false;
  Pass(1);
  EXPECT_TRUE(watch_.Read().anybody_could_say);
}

TEST_F(AgentWatchTest, NonsenseIsNoNumberOfSvids) {
  Started();
  Cached(1);
  for (const char* const value : {"-5", "nan", "inf", "1e300", "9999999999"}) {
    Feed(std::string("spire_agent.lru_cache_svid_map_size:") + value + "|g|#host:vm\n");
    Feed(std::string("spire_agent.cache_manager.expiring_svids:") + value + "|ms|#host:vm\n");
  }
  EXPECT_EQ(watch_.Read().cached, 1u);
  for (int i = 0; i < 20'000; ++i) {
    Cached(i % 2 == 0 ? 1'000'000 : 1);
    Pass(1);
  }
  EXPECT_LE(watch_.Read().standing.groups.size(), RenewalLedger::kRecordsMax);
}

}  // namespace
}  // namespace spire_exporter::telemetry
