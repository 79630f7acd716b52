#include "collectors/telemetry/scrape_placement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deque>
#include <random>
#include <vector>

#include "exporter/metrics/histogram_value.h"

namespace spire_exporter::telemetry {
namespace {

constexpr double kMs = 0.001;

std::shared_ptr<const HistogramLayout> Layout() {
  return HistogramLayout::Make(3, {0.001, 0.01, 0.1, 1}).value();
}

// The bucket that holds the one placed observation.
bool SameBuckets(const NativeHistogram& a, double value) {
  NativeHistogram b(Layout());
  b.Observe(value);
  for (const double q : {0.0, 0.5, 1.0}) {
    if (Quantile(*a.Snapshot(), q) != Quantile(*b.Snapshot(), q)) return false;
  }
  return true;
}

TEST(ScrapePlacementTest, AStepOfOneIsTheVeryObservation) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> duration(1, 2);
  double sum = 0;
  uint64_t exact = 0;
  constexpr int kSteps = 20000;
  for (int i = 0; i < kSteps; ++i) {
    const auto observed = static_cast<double>(static_cast<float>(duration(random)));
    const double before = sum;
    sum += observed;
    NativeHistogram histogram(Layout());
    const SummaryStep step{1, sum * kMs - before * kMs, StepError(sum * kMs, 1, 1), kMs};
    const Placement placement = PlaceStep(step, kNoQuantiles, &histogram);
    ASSERT_EQ(histogram.count(), 1u);
    if (placement != Placement::kExact) continue;
    ++exact;
    ASSERT_EQ(histogram.sum(), observed * kMs) << "what the stream would have told";
    ASSERT_TRUE(SameBuckets(histogram, observed * kMs));
  }
  EXPECT_GT(exact, kSteps * 99 / 100);
}

TEST(ScrapePlacementTest, WhereTheSumHasNoRoomForAnObservationNothingIsClaimed) {
  NativeHistogram histogram(Layout());
  // A month of calls, and one of 50 us: the float32 cannot be told any more, the bucket can.
  SummaryStep step{1, 0.00005, StepError(2.6e6, 1, 1), kMs};
  EXPECT_EQ(PlaceStep(step, kNoQuantiles, &histogram), Placement::kEstimated);
  // A thousand years: not even the bucket.
  step.error = StepError(3e10, 1, 1);
  EXPECT_EQ(PlaceStep(step, kNoQuantiles, &histogram), Placement::kUnplaced);
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.Snapshot()->unplaced, 1u);
}

TEST(ScrapePlacementTest, ASumThatDoesNotRiseIsNoObservation) {
  for (const double sum : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    NativeHistogram histogram(Layout());
    EXPECT_EQ(PlaceStep({1, sum, 0, kMs}, kNoQuantiles, &histogram), Placement::kUnplaced);
    EXPECT_EQ(PlaceStep({3, sum, 0, kMs}, {1, 2, 3}, &histogram), Placement::kUnplaced);
    EXPECT_EQ(histogram.count(), 4u);
    EXPECT_EQ(histogram.Snapshot()->unplaced, 4u);
    EXPECT_EQ(histogram.sum(), 0);
  }
}

TEST(ScrapePlacementTest, NoFloatIsAsLargeAsThat) {
  NativeHistogram histogram(Layout());
  EXPECT_EQ(PlaceStep({1, 1e300, 0, kMs}, kNoQuantiles, &histogram), Placement::kEstimated);
}

TEST(ScrapePlacementTest, ALargerStepNeedsQuantilesThatExplainIt) {
  const double nan = std::nan("");
  const SummaryQuantiles useless[] = {kNoQuantiles, {nan, 2, 3},       {3, 2, 1},
                                      {0, 1, 2},    {-1, 1, 2},        {1, 2, HUGE_VAL},
                                      {1, 2, nan},  {1e-6, 1e-6, 1e-6}};
  for (const SummaryQuantiles& quantiles : useless) {
    NativeHistogram histogram(Layout());
    EXPECT_EQ(PlaceStep({4, 0.008, 1e-12, kMs}, quantiles, &histogram), Placement::kUnplaced);
    EXPECT_EQ(histogram.count(), 4u);
    EXPECT_EQ(histogram.sum(), 0.008);
  }
}

TEST(ScrapePlacementTest, CountAndSumOfALargerStepAreThePages) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 5000; ++i) {
    const uint64_t count = 2 + random() % (i % 2 == 0 ? 100 : 1000000);
    const double median = std::exp2(static_cast<double>(random() % 20) - 10);
    const double sum = static_cast<double>(count) * median * kMs *
                       (0.5 + static_cast<double>(random() % 1000) / 500);
    NativeHistogram histogram(Layout());
    const SummaryQuantiles quantiles{median, median * 2, median * 5};
    ASSERT_EQ(PlaceStep({count, sum, 0, kMs}, quantiles, &histogram), Placement::kEstimated);
    ASSERT_EQ(histogram.count(), count);
    ASSERT_EQ(histogram.Snapshot()->unplaced, 0u);
    ASSERT_NEAR(histogram.sum(), sum, sum * 1e-12);
  }
}

// Poisson calls of log-normal durations, polled each second as SPIRE would show them, against the
// same calls told one by one.
struct Simulated {
  std::shared_ptr<const HistogramValue> truth;
  std::shared_ptr<const HistogramValue> polled;
  std::shared_ptr<const HistogramValue> mean;  // each step at its mean
  std::array<double, kPlacementCount> share{};
};

template <typename Draw>
Simulated Simulate(double calls_per_second, Draw draw) {
  std::mt19937_64 random(3);
  std::poisson_distribution<int> calls(calls_per_second);
  NativeHistogram truth(Layout());
  NativeHistogram polled(Layout());
  NativeHistogram mean(Layout());
  std::deque<std::vector<double>> window;
  Simulated out;
  double sum = 0;
  double total = 0;
  for (int second = 0; second < 3600; ++second) {
    const double before = sum;
    window.emplace_back();
    if (window.size() > 10) window.pop_front();
    const int count = calls(random);
    for (int i = 0; i < count; ++i) {
      const auto ms = static_cast<double>(static_cast<float>(draw(random)));
      sum += ms;
      truth.Observe(ms * kMs);
      window.back().push_back(ms);
    }
    if (count == 0) continue;
    std::vector<double> seen;
    for (const auto& each : window) seen.insert(seen.end(), each.begin(), each.end());
    std::sort(seen.begin(), seen.end());
    const auto at = [&](double q) {
      const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(seen.size())));
      return seen[std::min(seen.size(), std::max<size_t>(rank, 1)) - 1];
    };
    const auto rise = static_cast<uint64_t>(count);
    const Placement placement =
        PlaceStep({rise, sum * kMs - before * kMs, StepError(sum * kMs, count, 1), kMs},
                  {at(0.5), at(0.9), at(0.99)}, &polled);
    out.share[static_cast<size_t>(placement)] += count;
    total += count;
    mean.Observe((sum - before) * kMs / count, rise);
  }
  for (double& each : out.share) each /= total;
  out.truth = truth.Snapshot();
  out.polled = polled.Snapshot();
  out.mean = mean.Snapshot();
  return out;
}

// Polled against true, for the quantiles 0.5, 0.9 and 0.99.
std::array<double, 3> Ratios(const HistogramValue& polled, const HistogramValue& truth) {
  std::array<double, 3> out{};
  const double at[] = {0.5, 0.9, 0.99};
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = *Quantile(polled, at[i]) / *Quantile(truth, at[i]);
  return out;
}
double Off(double ratio) {
  return std::max(ratio, 1 / ratio);
}

std::array<double, 3> ExpectCloserThanTheMean(double rate, const Simulated& simulated) {
  EXPECT_EQ(simulated.polled->count, simulated.truth->count);
  EXPECT_NEAR(simulated.polled->sum, simulated.truth->sum, simulated.truth->sum * 1e-9);
  const auto polled = Ratios(*simulated.polled, *simulated.truth);
  const auto mean = Ratios(*simulated.mean, *simulated.truth);
  std::printf(
      "%6g calls/s: exact %.2f, estimated %.2f, unplaced %.2f; polled/true %.2f %.2f %.2f"
      ", by mean alone %.2f %.2f %.2f\n",
      rate, simulated.share[0], simulated.share[1], simulated.share[2], polled[0], polled[1],
      polled[2], mean[0], mean[1], mean[2]);
  if (rate >= 10) {
    EXPECT_LT(Off(polled[0]), Off(mean[0])) << rate;
    EXPECT_LT(Off(polled[2]), Off(mean[2])) << rate;
  }
  return polled;
}

TEST(ScrapePlacementTest, QuantilesOfLogNormalCallsAreWithinAQuarter) {
  for (const double rate : {0.1, 0.5, 2.0, 10.0, 100.0}) {
    const Simulated simulated = Simulate(rate, [](std::mt19937_64& random) {
      return std::lognormal_distribution<double>(1, 1)(random);
    });
    for (const double ratio : ExpectCloserThanTheMean(rate, simulated)) {
      EXPECT_LT(Off(ratio), 1.25) << rate;
    }
  }
}

// The bound that docs/decisions/0007 states, for whatever was called.
TEST(ScrapePlacementTest, TheShareAboveABoundIsOffByAtMostWhatIsStated) {
  const auto expect_within = [](const Simulated& simulated) {
    const auto placed = static_cast<double>(simulated.polled->count - simulated.polled->unplaced);
    const auto all = static_cast<double>(simulated.truth->count);
    const double guessed = 1 - simulated.share[static_cast<size_t>(Placement::kExact)];
    const double mean = simulated.polled->sum / placed;
    const auto& bounds = *simulated.polled->bounds;
    ASSERT_EQ(bounds.size(), 4u);
    for (size_t i = 0; i < bounds.size(); ++i) {
      const double polled = static_cast<double>(simulated.polled->cumulative[i]) / placed;
      const double truth = static_cast<double>(simulated.truth->cumulative[i]) / all;
      EXPECT_LE(std::abs(polled - truth), std::min(guessed, mean / bounds[i]) + 1e-9)
          << "up to " << bounds[i];
    }
  };
  for (const double rate : {0.1, 0.5, 2.0, 10.0}) {
    for (const double sigma : {0.1, 2.5}) {
      expect_within(Simulate(rate, [sigma](std::mt19937_64& random) {
        return std::lognormal_distribution<double>(0, sigma)(random);
      }));
    }
    expect_within(
        Simulate(rate, [](std::mt19937_64& random) { return random() % 100 == 0 ? 900.0 : 0.2; }));
  }
}

// One call of twenty takes fifty times as long. The quantile beside the gap may come to lie in it.
TEST(ScrapePlacementTest, OfCallsOfTwoKindsTheQuantileBesideTheGapIsWithinAFactorOfThree) {
  for (const double rate : {0.1, 0.5, 2.0, 10.0, 100.0}) {
    const Simulated simulated = Simulate(rate, [](std::mt19937_64& random) {
      return std::lognormal_distribution<double>(random() % 20 == 0 ? 4 : 0, 0.3)(random);
    });
    const auto ratios = ExpectCloserThanTheMean(rate, simulated);
    EXPECT_LT(Off(ratios[0]), 1.25) << rate;
    EXPECT_LT(Off(ratios[1]), 3) << rate;
    EXPECT_LT(Off(ratios[2]), 1.25) << rate;
  }
}

}  // namespace
}  // namespace spire_exporter::telemetry
