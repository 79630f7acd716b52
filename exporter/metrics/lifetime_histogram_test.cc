#include "exporter/metrics/lifetime_histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace spire_exporter {
namespace {

using ::testing::ElementsAre;

TEST(LifetimeHistogramTest, BatchesAddUpAndTheExpiredAreCountedBeside) {
  LifetimeHistogram histogram(*HistogramLayout::Make(3, {0, 60, 3600}), 1000);
  const std::vector<uint32_t> first = {1000, 999, 1060, 1061};
  const std::vector<int64_t> second = {0, 1030, 8200};
  histogram.Add(first);
  histogram.Add(second);
  const Lifetimes lifetimes = histogram.Snapshot();
  EXPECT_EQ(lifetimes.expired, 2u);
  EXPECT_EQ(lifetimes.living.histogram->count, 5u);
  EXPECT_EQ(lifetimes.living.histogram->sum, 7351);
  EXPECT_THAT(lifetimes.living.histogram->cumulative, ElementsAre(1, 3, 4));
  EXPECT_EQ(lifetimes.living.min, 0);
  EXPECT_EQ(lifetimes.living.max, 7200);
}

TEST(LifetimeHistogramTest, WhenNoneLivesThereAreNoExtremes) {
  LifetimeHistogram histogram(*HistogramLayout::Make(3, {60}), 1000);
  histogram.Add(std::vector<uint32_t>{0, 999});
  const Lifetimes lifetimes = histogram.Snapshot();
  EXPECT_EQ(lifetimes.expired, 2u);
  EXPECT_EQ(lifetimes.living.histogram->count, 0u);
  EXPECT_FALSE(lifetimes.living.min.has_value());
  EXPECT_FALSE(lifetimes.living.max.has_value());
}

TEST(LifetimeHistogramTest, ExtremeExpiriesNeverChangeSides) {
  using Limits = std::numeric_limits<int64_t>;
  const auto layout = *HistogramLayout::Make(3, {60});
  LifetimeHistogram late(layout, 1000);
  late.Add(std::vector<int64_t>{Limits::min(), Limits::max()});
  EXPECT_EQ(late.Snapshot().expired, 1u);
  EXPECT_EQ(late.Snapshot().living.histogram->count, 1u);
  LifetimeHistogram early(layout, -1000);
  early.Add(std::vector<int64_t>{Limits::min(), Limits::max()});
  EXPECT_EQ(early.Snapshot().expired, 1u);
  EXPECT_EQ(early.Snapshot().living.max, static_cast<double>(Limits::max()));
}

}  // namespace
}  // namespace spire_exporter
