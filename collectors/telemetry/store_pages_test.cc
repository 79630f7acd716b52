#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "collectors/telemetry/store.h"
#include "exporter/metrics/histogram_value.h"

namespace spire_exporter::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kFamily = "spire_rpc_duration_seconds";

// One SPIRE with one call, told by both sources.
class StorePagesTest : public testing::Test {
 protected:
  void Call(int times, bool heard) {
    for (int i = 0; i < times; ++i) {
      ++calls_;
      if (!heard) continue;
      Feed(
          "spire_server.rpc.agent.v1.agent.attest_agent.elapsed_time:2.000000|ms|#status:OK,host:"
          "a\n");
      Feed("spire_server.rpc.agent.v1.agent.attest_agent:1|c|#status:OK,host:a\n");
    }
  }
  void Feed(std::string_view line) {
    store_.Feed(line, false, {clock_.Steady(), clock_.Steady()}, &counts_);
  }
  void Restart() {
    calls_ = 0;
    started_ = clock_.Steady();
  }
  ScrapedPage Page() const {
    ScrapedPage page;
    page.asked = clock_.Steady();
    page.received = clock_.Steady();
    if (calls_ > 0) {
      page.series.push_back({"spire_server_rpc_agent_v1_agent_attest_agent_elapsed_time",
                             WireKind::kTimer,
                             {{"host", "a"}, {"status", "OK"}},
                             2.0 * calls_,
                             static_cast<double>(calls_),
                             quantiles_});
      page.series.push_back({"spire_server_rpc_agent_v1_agent_attest_agent",
                             WireKind::kCounter,
                             {{"host", "a"}, {"status", "OK"}},
                             static_cast<double>(calls_),
                             0});
    }
    page.series.push_back({"spire_server_uptime_in_ms",
                           WireKind::kGauge,
                           {{"host", "a"}},
                           Seconds(clock_.Steady() - started_) * 1000,
                           0});
    if (state_ != 0) page.series.push_back({"my_state", WireKind::kGauge, {}, state_, 0});
    return page;
  }
  void Scrape() {
    const PreparedPage page = PreparePage(Page(), "", "server", 128);
    clock_.Advance(kPageDelay);
    store_.ApplyPage(page);
  }
  std::vector<Series> SeriesOf(std::string_view name) {
    FamilyList families;
    store_.AppendFamilies(clock_.Steady(), &families);
    for (Family& family : families) {
      if (family.description->name == name) return family.series;
    }
    return {};
  }
  uint64_t Count() { return SeriesOf(kFamily).at(0).histogram->count; }

  ManualClock clock_;
  SteadyTime started_ = clock_.Steady() - std::chrono::hours(1);
  Store store_{StoreOptions{}, clock_};
  ListenerCounts counts_;
  int calls_ = 1000;
  double state_ = 0;
  SummaryQuantiles quantiles_ = kNoQuantiles;
};

TEST_F(StorePagesTest, TheScrapeAloneGivesCountAndSumFromOurStart) {
  Scrape();
  EXPECT_EQ(Count(), 0u) << "what was before us is not ours, and the source is alive";
  Call(10, false);
  clock_.Advance(seconds(15));
  Scrape();
  const auto histogram = SeriesOf(kFamily).at(0).histogram;
  EXPECT_EQ(histogram->count, 10u);
  EXPECT_EQ(histogram->unplaced, 10u);
  EXPECT_NEAR(histogram->sum, 0.02, 1e-12);
}

TEST_F(StorePagesTest, AStepOfOneIsPlacedAndSaidToBeExact) {
  Scrape();
  for (int i = 0; i < 10; ++i) {
    Call(1, false);
    clock_.Advance(seconds(1));
    Scrape();
  }
  const auto histogram = SeriesOf(kFamily).at(0).histogram;
  EXPECT_EQ(histogram->count, 10u);
  EXPECT_EQ(histogram->unplaced, 0u);
  EXPECT_NEAR(*Quantile(*histogram, 0.5), 0.002, 0.0001);
  EXPECT_EQ(store_.State().scraped, (std::array<uint64_t, 3>{10, 0, 0}));
}

TEST_F(StorePagesTest, ALargerStepIsEstimatedWhileTheSummaryRemembersIt) {
  quantiles_ = {1.5, 2.5, 3};
  Scrape();
  Call(10, false);
  clock_.Advance(seconds(2));
  Scrape();
  EXPECT_EQ(store_.State().scraped, (std::array<uint64_t, 3>{0, 10, 0}));
  Call(7, false);
  clock_.Advance(seconds(15));
  Scrape();
  EXPECT_EQ(store_.State().scraped, (std::array<uint64_t, 3>{0, 10, 7}));
  const auto histogram = SeriesOf(kFamily).at(0).histogram;
  EXPECT_EQ(histogram->count, 17u);
  EXPECT_EQ(histogram->unplaced, 7u);
  EXPECT_NEAR(histogram->sum, 0.034, 1e-12);
}

TEST_F(StorePagesTest, PollingThroughARestartPlacesWhatTheNewSpireTold) {
  Scrape();
  Call(1, false);
  clock_.Advance(seconds(1));
  Scrape();
  Restart();
  clock_.Advance(seconds(1));
  Call(1, false);
  Scrape();
  EXPECT_EQ(Count(), 2u);
  EXPECT_EQ(store_.State().scraped, (std::array<uint64_t, 3>{2, 0, 0}));
}

TEST_F(StorePagesTest, WhatAHandOverMakesUpForIsNotPlaced) {
  Feed("spire_server.uptime_in_ms:1000|g|#host:a\n");
  Scrape();
  for (int i = 0; i < 3; ++i) {
    Call(1, true);
    clock_.Advance(seconds(5));
    Feed("spire_server.uptime_in_ms:1000|g|#host:a\n");
    Scrape();
  }
  EXPECT_EQ(store_.State().scraped, (std::array<uint64_t, 3>{}));
  // Dead, which nobody can know yet.
  Call(1, false);
  clock_.Advance(seconds(15));
  Scrape();
  EXPECT_EQ(Count(), 3u);
  clock_.Advance(seconds(20));
  Scrape();
  EXPECT_EQ(Count(), 4u);
  EXPECT_EQ(store_.State().scraped, (std::array<uint64_t, 3>{0, 0, 1}));
  for (int i = 0; i < 5; ++i) {
    Call(1, false);
    clock_.Advance(seconds(1));
    Scrape();
  }
  EXPECT_EQ(Count(), 9u);
  EXPECT_EQ(store_.State().scraped, (std::array<uint64_t, 3>{5, 0, 1}));
  // Back again: what it tells is placed by it, and by nobody else.
  for (int i = 0; i < 5; ++i) {
    Call(1, true);
    clock_.Advance(seconds(1));
    Scrape();
  }
  EXPECT_EQ(Count(), 14u);
  EXPECT_EQ(store_.State().scraped, (std::array<uint64_t, 3>{5, 0, 1}));
  EXPECT_EQ(SeriesOf(kFamily).at(0).histogram->unplaced, 1u);
  EXPECT_NEAR(SeriesOf(kFamily).at(0).histogram->sum, 0.028, 1e-12);
}

TEST_F(StorePagesTest, ASpireThatStartedAfterUsCountsFromItsStart) {
  clock_.Advance(seconds(30));
  Restart();
  Call(5, false);
  clock_.Advance(seconds(15));
  Scrape();
  EXPECT_EQ(Count(), 5u);
}

TEST_F(StorePagesTest, HandingOverBothWaysKeepsOneCounter) {
  uint64_t expected = 0;
  const auto interval = [&](int calls, bool heard) {
    for (int i = 0; i < calls; ++i) {
      Call(1, heard);
      clock_.Advance(milliseconds(500));
    }
    expected += static_cast<uint64_t>(calls);
    clock_.Advance(seconds(5));
    if (heard) Feed("spire_server.uptime_in_ms:1000|g|#host:a\n");
    Scrape();
    EXPECT_EQ(Count(), expected);
  };
  Feed("spire_server.uptime_in_ms:1000|g|#host:a\n");
  Scrape();
  for (int i = 0; i < 4; ++i) interval(20, true);
  const uint64_t placed = Count();
  EXPECT_EQ(SeriesOf(kFamily).at(0).histogram->unplaced, 0u);

  // The stream falls silent. Until that is certain the scrape adds nothing, then it makes up for
  // all.
  Call(20, false);
  expected += 20;
  clock_.Advance(seconds(15));
  Scrape();
  EXPECT_EQ(Count(), placed);
  clock_.Advance(seconds(20));
  Scrape();
  EXPECT_EQ(Count(), expected);
  for (int i = 0; i < 3; ++i) interval(20, false);

  // It comes back in the middle of an interval.
  Call(7, false);
  clock_.Advance(seconds(5));
  Call(6, true);
  clock_.Advance(seconds(10));
  Scrape();
  expected += 13;
  EXPECT_EQ(Count(), expected);
  for (int i = 0; i < 4; ++i) interval(20, true);
  EXPECT_EQ(SeriesOf(kFamily).at(0).histogram->unplaced, 87u);
}

TEST_F(StorePagesTest, AGapThatIsKnownIsMadeUpForAtOnce) {
  Call(1, true);
  Scrape();
  clock_.Advance(seconds(15));
  Call(1, true);
  clock_.Advance(seconds(1));
  Scrape();
  const uint64_t before = Count();
  Call(9, false);  // the socket file was gone for a moment
  store_.NoteGap();
  clock_.Advance(seconds(5));
  Call(1, true);
  clock_.Advance(seconds(5));
  Scrape();
  EXPECT_EQ(Count(), before + 10);
}

TEST_F(StorePagesTest, ARestartOfSpireIsCountedAndTakesNothingBack) {
  Scrape();
  Call(10, false);
  clock_.Advance(seconds(15));
  Scrape();
  Restart();
  clock_.Advance(seconds(5));
  Call(3, false);
  clock_.Advance(seconds(5));
  Scrape();
  EXPECT_EQ(Count(), 13u);
  EXPECT_EQ(store_.State().page_restarts, 1u);
  // One that the count alone would hide: more calls than before.
  Restart();
  clock_.Advance(seconds(2));
  Call(50, false);
  Scrape();
  EXPECT_EQ(Count(), 63u);
  EXPECT_EQ(store_.State().page_restarts, 2u);
}

TEST_F(StorePagesTest, StatesComeFromWhoeverToldLast) {
  state_ = 1;
  Scrape();
  EXPECT_EQ(SeriesOf("spire_unmapped_value").at(0).value, 1);
  const ScrapedPage old = Page();
  clock_.Advance(milliseconds(10));
  Feed("my.state:2|g\n");
  store_.ApplyPage(PreparePage(old, "", "server", 128));
  EXPECT_EQ(SeriesOf("spire_unmapped_value").at(0).value, 2) << "the page was older";
  state_ = 3;
  clock_.Advance(seconds(1));
  Scrape();
  EXPECT_EQ(SeriesOf("spire_unmapped_value").at(0).value, 3);
}

TEST_F(StorePagesTest, AStateThatLeftThePageIsGone) {
  state_ = 1;
  Scrape();
  Restart();
  state_ = 0;
  clock_.Advance(seconds(15));
  Scrape();
  EXPECT_TRUE(SeriesOf("spire_unmapped_value").empty());
}

TEST_F(StorePagesTest, StatesGoWhenThePageIsTooOld) {
  state_ = 1;
  Scrape();
  clock_.Advance(std::chrono::minutes(6));
  EXPECT_TRUE(SeriesOf("spire_unmapped_value").empty());
  EXPECT_EQ(SeriesOf(kFamily).size(), 1u) << "totals stay";
}

TEST_F(StorePagesTest, TheSourcesAreCrossChecked) {
  Feed("spire_server.uptime_in_ms:1000|g|#host:a\n");
  Scrape();
  for (int i = 0; i < 5; ++i) {
    clock_.Advance(seconds(5));
    Call(10, true);
    Call(i == 2 ? 4 : 0, false);
    clock_.Advance(seconds(10));
    Scrape();
  }
  const StoreState state = store_.State();
  EXPECT_EQ(state.page_events - state.stream_events, 4);
  EXPECT_EQ(state.timer_events, 50u);
  EXPECT_EQ(state.counter_events, 50);
}

TEST_F(StorePagesTest, SeriesThatMapToOneAddUp) {
  ScrapedPage page = Page();
  page.series.push_back({"some_counter", WireKind::kCounter, {{"x", "1"}}, 5, 0});
  page.series.push_back({"some_counter", WireKind::kCounter, {{"x", "2"}}, 6, 0});
  const PreparedPage prepared = PreparePage(page, "", "server", 128);
  size_t found = 0;
  for (const PreparedSeries& series : prepared.series) {
    if (series.family->name != std::string_view("spire_unmapped_events_total")) continue;
    ++found;
    EXPECT_EQ(series.totals.count, 11);
  }
  EXPECT_EQ(found, 1u);
}

}  // namespace
}  // namespace spire_exporter::telemetry
