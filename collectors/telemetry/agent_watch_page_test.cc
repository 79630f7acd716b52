// What AgentWatch takes from SPIRE's page while the stream is silent, and what it must not.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>

#include "collectors/telemetry/agent_watch.h"
#include "collectors/telemetry/store.h"

namespace spire_exporter::telemetry {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kInterval = 5;  // seconds between pages

class AgentWatchPageTest : public testing::Test {
 protected:
  AgentWatchPageTest() {
    watch_.SetTtl(seconds(240));
    store_.SetTap(&watch_);
  }

  void Add(ScrapedPage* page, std::string key, WireKind kind, double value, double count,
           std::vector<std::pair<std::string, std::string>> tags = {}) const {
    tags.emplace_back("host", "vm");
    page->series.push_back(
        {"spire_agent_" + std::move(key), kind, std::move(tags), value, count, kNoQuantiles});
  }
  // A page takes 100 ms to come.
  void Scrape() {
    ScrapedPage page;
    page.asked = clock_.Steady();
    Add(&page, "uptime_in_ms", WireKind::kGauge, Seconds(clock_.Steady() - started_) * 1000, 0);
    Add(&page, "lru_cache_svid_map_size", WireKind::kGauge, cached_, 0);
    if (expiring_ > 0) {
      Add(&page, "cache_manager_expiring_svids", WireKind::kTimer, expiring_, batches_);
    }
    if (signed_ > 0) {
      Add(&page, "manager_sync_fetch_svids_updates_elapsed_time", WireKind::kTimer, 3.0 * signed_,
          signed_, {{"status", "OK"}});
    }
    if (failed_ > 0) {
      Add(&page, "manager_sync_fetch_svids_updates_elapsed_time", WireKind::kTimer, 3.0 * failed_,
          failed_, {{"status", "Unavailable"}});
    }
    if (synced_ > 0) {
      Add(&page, "manager_sync_fetch_entries_updates_elapsed_time", WireKind::kTimer, 5.0 * synced_,
          synced_, {{"status", "OK"}});
    }
    clock_.Advance(milliseconds(100));
    page.received = clock_.Steady();
    watch_.OnPage(PreparePage(page, "", "agent", 128));
  }
  // The agent synchronises, unless it does not, and is looked at, each five seconds.
  void Pass(int time, bool syncs = true) {
    for (int i = 0; i < time / kInterval; ++i) {
      clock_.Advance(seconds(kInterval) - milliseconds(100));
      if (syncs) ++synced_;
      if (stream_.last && !silent_) stream_.last = clock_.Steady();
      watch_.OnStream(stream_);
      Scrape();
    }
  }
  void Renew(int svids) {
    expiring_ += svids;
    ++batches_;
    ++signed_;
  }
  void Restart() {
    expiring_ = batches_ = signed_ = failed_ = synced_ = 0;
    started_ = clock_.Steady();
  }
  // One SVID is renewed half a life after the first page, and a minute passes: all is then known.
  void SeeOneRenewed() {
    Scrape();
    Pass(110);
    EXPECT_FALSE(watch_.Read().standing.whole);
    Renew(1);
    Pass(60);
    ASSERT_TRUE(watch_.Read().standing.whole);
  }
  // Seconds until the first end; -1 when nothing is known.
  double First() {
    const AgentWatch::View view = watch_.Read();
    if (view.standing.groups.empty()) return -1;
    return UnixSeconds(view.standing.groups[0].expiry) - UnixSeconds(clock_.System());
  }

  ManualClock clock_;
  SteadyTime started_ = clock_.Steady() - hours(1);
  AgentWatch watch_{clock_};
  Store store_{StoreOptions{}, clock_};
  ListenerCounts counts_;
  AgentWatch::StreamState stream_;
  bool silent_ = false;
  double cached_ = 1, expiring_ = 0, batches_ = 0, signed_ = 0, failed_ = 0, synced_ = 0;
};

TEST_F(AgentWatchPageTest, WhatWasCountedBeforeTheFirstPageIsNoRenewal) {
  expiring_ = 500, batches_ = 100, signed_ = 100, synced_ = 1000;
  Scrape();
  const AgentWatch::View view = watch_.Read();
  EXPECT_FALSE(view.standing.whole);
  EXPECT_EQ(view.last_sync, std::nullopt);
  EXPECT_EQ(view.cached, 1U);
}

TEST_F(AgentWatchPageTest, ARenewalIsKnownToWithinTwoPages) {
  SeeOneRenewed();
  // Never later than the truth.
  EXPECT_LE(First(), 240 - 60);
  EXPECT_GE(First(), 240 - 60 - 2 * kInterval - 0.3);
}

TEST_F(AgentWatchPageTest, ABatchThatWasNotSignedRenewsNothing) {
  SeeOneRenewed();
  const double before = First();
  expiring_ += 1, ++batches_, ++failed_;
  Pass(10);
  EXPECT_NEAR(First(), before - 10, 0.2);
  Renew(1);
  Pass(5);
  EXPECT_GT(First(), before) << "and this one was";
}

TEST_F(AgentWatchPageTest, TriesThatCannotBeToldApartAreDoubt) {
  SeeOneRenewed();
  expiring_ += 2, batches_ += 2, ++failed_, ++signed_;
  Pass(5);
  EXPECT_FALSE(watch_.Read().standing.whole) << "one SVID twice, or two";
}

TEST_F(AgentWatchPageTest, WhileTheStreamSpeaksAPageTellsNoEvents) {
  stream_.listening = stream_.files_only = true;
  stream_.last = clock_.Steady();
  stream_.clients = 1;
  Scrape();
  store_.Feed("spire_agent.started:1|g|#host:vm\nspire_agent.lru_cache_svid_map_size:1|g|#host:vm",
              false, {clock_.Steady(), clock_.Steady()}, &counts_);
  Pass(60);
  const double before = First();
  EXPECT_GT(before, 0);
  Renew(1);
  Pass(10);
  EXPECT_NEAR(First(), before - 10, 0.2) << "the stream said nothing of it";
}

TEST_F(AgentWatchPageTest, APageTellsOnceTheStreamIsSilent) {
  stream_.listening = stream_.files_only = true;
  stream_.last = clock_.Steady();
  stream_.clients = 1;
  Scrape();
  Pass(60);
  silent_ = true;
  Pass(50);
  Renew(1);
  Pass(60);
  EXPECT_TRUE(watch_.Read().standing.whole);
  EXPECT_LE(First(), 240 - 60);
  EXPECT_GE(First(), 240 - 60 - 2 * kInterval - 0.3);
}

TEST_F(AgentWatchPageTest, AnUptimeThatFellIsANewProcess) {
  Scrape();
  Pass(30);
  EXPECT_FALSE(watch_.Read().standing.whole);
  Restart();
  ++signed_;  // its cache is empty: what it signs is new, and nothing is due
  Pass(20);
  EXPECT_TRUE(watch_.Read().standing.whole) << "all that it holds was seen";
  EXPECT_LE(First(), 240 - 15);
  EXPECT_GE(First(), 240 - 15 - 2 * kInterval - 0.3);
}

TEST_F(AgentWatchPageTest, CountersThatFellWithoutARestartAreNoEvents) {
  Renew(3);
  SeeOneRenewed();
  const double before = First();
  expiring_ = batches_ = signed_ = 1;
  Pass(10);
  EXPECT_NEAR(First(), before - 10, 0.2);
}

TEST_F(AgentWatchPageTest, ASyncIsNoLaterThanTheTruth) {
  Scrape();
  EXPECT_EQ(watch_.Read().last_sync, std::nullopt);
  const SystemTime began = clock_.System();
  Pass(30);
  const SystemTime ended = clock_.System();
  Pass(20, false);
  const auto last = watch_.Read().last_sync;
  ASSERT_TRUE(last.has_value());
  EXPECT_GE(*last, began);
  EXPECT_LE(*last, ended - seconds(kInterval));
  EXPECT_GE(*last, ended - seconds(2 * kInterval + 6));
  Pass(60, false);
  EXPECT_EQ(watch_.Read().last_sync, last) << "none since";
}

TEST_F(AgentWatchPageTest, NonsenseOnAPageIsNoNumberOfSvids) {
  Scrape();
  for (const double value : {-5.0, std::nan(""), HUGE_VAL, 1e300, 9999999999.0}) {
    cached_ = value;
    expiring_ = value;
    ++batches_, ++signed_;
    Pass(5);
  }
  EXPECT_EQ(watch_.Read().cached, 1U);
  EXPECT_LE(watch_.Read().standing.groups.size(), RenewalLedger::kRecordsMax);
}

}  // namespace
}  // namespace spire_exporter::telemetry
