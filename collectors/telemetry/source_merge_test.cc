#include "collectors/telemetry/source_merge.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace spire_exporter::telemetry {
namespace {

// A counter as published, and the merge that adds to it.
struct Published {
  Totals totals;
  SourceMerge merge;

  double Page(double count, const PageContext& page, bool settled = true) {
    const Totals add = merge.OnPage({count, count * 0.5}, totals, page, settled);
    EXPECT_GE(add.count, 0);
    EXPECT_GE(add.sum, 0);
    totals.count += add.count;
    totals.sum += add.sum;
    return totals.count;
  }
  void Stream(double events) {
    totals.count += events;
    totals.sum += events * 0.5;
  }
};

PageContext First() {
  PageContext page;
  page.first_page = true;
  return page;
}
PageContext Covered() {
  PageContext page;
  page.stream_covers = true;
  page.stream_spoke = true;
  return page;
}
// The stream told something after the last page, but not all the time.
PageContext Spoke() {
  PageContext page;
  page.stream_spoke = true;
  return page;
}
PageContext Alone() {
  return {};
}

TEST(SourceMergeTest, WhatWasBeforeUsIsTheBaseline) {
  Published series;
  EXPECT_EQ(series.Page(1000, First()), 0);
  EXPECT_EQ(series.Page(1010, Alone()), 10);
  EXPECT_EQ(series.totals.sum, 5);
  EXPECT_EQ(series.Page(1010, Alone()), 10);
}

TEST(SourceMergeTest, ASourceThatStartedAfterUsCountsFromItsStart) {
  Published series;
  PageContext page = First();
  page.started_after_us = true;
  EXPECT_EQ(series.Page(7, page), 7);
}

TEST(SourceMergeTest, ASeriesBornLaterCountsWhole) {
  Published series;
  EXPECT_EQ(series.Page(7, Alone()), 7);
  EXPECT_EQ(series.Page(9, Alone()), 9);
}

TEST(SourceMergeTest, ADropIsARestart) {
  Published series;
  series.Page(1000, First());
  series.Page(1010, Alone());
  EXPECT_EQ(series.Page(4, Alone()), 14);
  EXPECT_EQ(series.Page(6, Alone()), 16);
}

TEST(SourceMergeTest, ARestartThatTheSeriesDoesNotShowIsToldToIt) {
  Published series;
  series.Page(10, First());
  series.merge.SourceRestarted();
  PageContext page;
  page.restarted = true;
  EXPECT_EQ(series.Page(12, page), 12) << "all twelve are of the new process";
}

TEST(SourceMergeTest, TheStreamIsFollowedWhileItCovers) {
  Published series;
  series.Page(1000, First());
  series.Stream(10);
  EXPECT_EQ(series.Page(1010, Covered()), 10);
  // Lost by the stream: the ledger says so, the counter does not make it up.
  series.Stream(5);
  EXPECT_EQ(series.Page(1018, Covered()), 15);
}

TEST(SourceMergeTest, HandingOverLosesNothingAndCountsNothingTwice) {
  Published series;
  series.Page(1000, First());
  series.Stream(10);
  series.Page(1010, Covered());
  // The stream falls silent after three more events; seven are seen by the scrape alone.
  series.Stream(3);
  EXPECT_EQ(series.Page(1020, Spoke()), 20);
  EXPECT_EQ(series.Page(1030, Alone()), 30);
  // It comes back in the middle of an interval: two events before, four after.
  series.Stream(4);
  EXPECT_EQ(series.Page(1036, Spoke()), 36);
  series.Stream(5);
  EXPECT_EQ(series.Page(1041, Covered()), 41);
  EXPECT_EQ(series.Page(1041, Alone()), 41);
}

TEST(SourceMergeTest, AMeasurementCountsWhenTheStreamSpeaksAgain) {
  Published series;
  series.Page(1000, First());
  series.Stream(10);
  series.Page(1010, Covered());
  // The stream is dead already, and nobody knows yet.
  EXPECT_EQ(series.Page(1020, Covered()), 10);
  EXPECT_EQ(series.Page(1025, Alone()), 25);
}

TEST(SourceMergeTest, ASumThatFallsByRoundingAddsNothing) {
  SourceMerge merge;
  Totals published;
  merge.OnPage({10, 5.0}, published, First(), true);
  const Totals add = merge.OnPage({11, 4.9999}, published, Alone(), true);
  EXPECT_EQ(add.count, 1);
  EXPECT_EQ(add.sum, 0);
}

// Random lives of a busy series: restarts of SPIRE, a stream that comes and goes, pages that are
// looked at a moment late. The published total never falls, never exceeds the truth by more than
// what is in that moment, and never lags it at a hand-over.
TEST(SourceMergeTest, StaysWithTheTruthThroughRandomHandOvers) {
  std::mt19937 random(11);
  const auto few = [](std::mt19937& source) { return static_cast<double>(source() % 4); };
  for (int life = 0; life < 300; ++life) {
    Published series;
    double truth = 0;
    double raw = 500;
    bool streaming = random() % 2 == 0;
    series.Page(raw, First());
    bool covered = streaming;
    double last = 0;
    int deaths = 0;
    for (int step = 0; step < 60; ++step) {
      PageContext page;
      if (random() % 20 == 0) {
        // Dies right after a page, as what it did since then nobody could know.
        page.restarted = true;
        raw = 0;
        ++deaths;
      }
      bool spoke = false;
      for (int part = 0; part < 10; ++part) {
        if (random() % 40 == 0) {
          streaming = !streaming;
          covered = false;
        }
        const double events = few(random);
        truth += events;
        raw += events;
        if (streaming) series.Stream(events);
        spoke |= streaming;
      }
      page.stream_covers = covered && streaming;
      page.stream_spoke = spoke;
      const double shown = raw;
      // The moment between the page and the look at it.
      const double late = streaming ? few(random) : 0;
      series.Stream(late);
      truth += late;
      raw += late;
      if (page.restarted) series.merge.SourceRestarted();
      const double total = series.Page(shown, page, late == 0);
      ASSERT_GE(total, last);
      last = total;
      covered = streaming;
      ASSERT_LE(total, truth + 6) << life << " " << step;
      if (!page.stream_covers) {
        // Each death may hide what happened in one such moment.
        ASSERT_GE(total, truth - 3 - 3 * deaths) << life << " " << step;
      }
    }
  }
}

}  // namespace
}  // namespace spire_exporter::telemetry
