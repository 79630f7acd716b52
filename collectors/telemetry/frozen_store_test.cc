#include "collectors/telemetry/frozen_store.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "collectors/telemetry/store.h"

namespace spire_exporter::telemetry {
namespace {

constexpr std::string_view kFirst = "spire_server.rpc.agent.v1.agent.attest_agent.elapsed_time";
constexpr std::string_view kSecond = "spire_server.rpc.agent.v1.agent.renew_agent.elapsed_time";

class FrozenStoreTest : public testing::Test {
 protected:
  void Observe(std::string_view name) {
    store_.Feed(std::string(name) + ":250.000000|ms|#status:OK\n", false,
                {clock_.Steady(), clock_.Steady()}, &counts_);
  }
  void Freeze() { store_.Freeze(clock_.Steady(), &frozen_); }
  // How many each histogram has counted.
  std::vector<uint64_t> Make() {
    FamilyList families;
    maker_.Append(frozen_, &families);
    std::vector<uint64_t> counts;
    for (const Family& family : families) {
      for (const Series& series : family.series) counts.push_back(series.histogram->count);
    }
    return counts;
  }

  ManualClock clock_;
  Store store_{StoreOptions{}, clock_};
  ListenerCounts counts_;
  FrozenStore frozen_;
  SnapshotMaker maker_;
};

using Counts = std::vector<uint64_t>;

TEST_F(FrozenStoreTest, StaysAsItWas) {
  Observe(kFirst);
  Freeze();
  Observe(kFirst);
  Observe(kSecond);
  EXPECT_EQ(Make(), Counts({1}));
  Freeze();
  EXPECT_EQ(Make(), Counts({2, 1}));
}

TEST_F(FrozenStoreTest, HoldsOnlyHistogramsThatChanged) {
  Observe(kFirst);
  Observe(kSecond);
  Freeze();
  EXPECT_EQ(Make(), Counts({1, 1}));
  Observe(kSecond);
  Freeze();
  EXPECT_EQ(frozen_.histograms.size(), 1u);
  EXPECT_EQ(Make(), Counts({1, 2}));
  Freeze();
  EXPECT_EQ(frozen_.histograms.size(), 0u);
  EXPECT_EQ(Make(), Counts({1, 2}));
}

TEST_F(FrozenStoreTest, WhatWasNeverMadeIsToldByTheNext) {
  Observe(kFirst);
  Freeze();
  EXPECT_EQ(Make(), Counts({1}));
  Observe(kFirst);
  Observe(kSecond);
  Freeze();
  store_.ForgetFrozen();
  Freeze();
  EXPECT_EQ(Make(), Counts({2, 1}));
}

TEST_F(FrozenStoreTest, TellsTheStateOfThatInstant) {
  Observe(kFirst);
  store_.Feed("spire_server.rpc.agent.v1.agent.attest_agent:3|c|#status:OK\n", false,
              {clock_.Steady(), clock_.Steady()}, &counts_);
  Freeze();
  const StoreState now = store_.State();
  EXPECT_EQ(frozen_.state.timer_events, 1u);
  EXPECT_EQ(frozen_.state.counter_events, 3);
  EXPECT_EQ(frozen_.state.timer_events, now.timer_events);
  EXPECT_EQ(frozen_.state.counter_events, now.counter_events);
  EXPECT_EQ(frozen_.state.series, now.series);
}

}  // namespace
}  // namespace spire_exporter::telemetry
