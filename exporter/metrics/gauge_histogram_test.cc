#include "exporter/metrics/gauge_histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "exporter/metrics/histogram_value.h"

namespace spire_exporter {
namespace {

using ::testing::ElementsAre;

TEST(GaugeHistogramTest, CountsAndKnowsItsExtremes) {
  const auto layout = *HistogramLayout::Make(3, {0, 60, 3600});
  const std::vector<double> values = {30, -5, 1800, 60, std::nan(""), 7200};
  const GaugeHistogram made = MakeGaugeHistogram(layout, values);
  EXPECT_EQ(made.histogram->count, 5u);
  EXPECT_EQ(made.histogram->sum, 9085);
  EXPECT_THAT(made.histogram->cumulative, ElementsAre(1, 3, 4));
  EXPECT_EQ(made.min, -5);
  EXPECT_EQ(made.max, 7200);
  EXPECT_NEAR(*Quantile(*made.histogram, 0.5), 60, 6);
}

TEST(GaugeHistogramTest, NoValuesHaveNoExtremes) {
  const GaugeHistogram made = MakeGaugeHistogram(*HistogramLayout::Make(3, {1}), {});
  EXPECT_EQ(made.histogram->count, 0u);
  EXPECT_FALSE(made.min.has_value());
  EXPECT_FALSE(made.max.has_value());
  EXPECT_FALSE(Quantile(*made.histogram, 0.5).has_value());
}

}  // namespace
}  // namespace spire_exporter
