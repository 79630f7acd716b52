// A million expiries to buckets, extremes, sum and percentiles, beside a plain scan of them and
// what else could be used.
#include <prometheus/histogram.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "exporter/metrics/histogram_value.h"
#include "exporter/metrics/lifetime_histogram.h"
#include "tests/bench/operations.h"
#include "tests/bench/rounds.h"
#include "tests/bench/samples.h"

namespace spire_exporter::bench {
namespace {

constexpr size_t kExpiries = 1'000'000;
constexpr int64_t kNow = 1'800'000'000;

std::vector<double> ThirtyBounds() {
  std::vector<double> bounds;
  for (int i = 0; i < 30; ++i) bounds.push_back(std::exp2(i * 0.8));
  return bounds;
}

void Compare(const std::string& title, const std::vector<int64_t>& expiries) {
  const auto layout = Layout(3, {60, 300, 900, 1800, 3600, 21'600, 86'400});
  const auto items = static_cast<double>(expiries.size());
  const auto scan = [&] {
    int64_t sum = 0;
    int64_t least = expiries.front();
    for (const int64_t one : expiries) {
      sum += one;
      least = std::min(least, one);
    }
    Keep(static_cast<double>(sum + least));
  };
  const auto ours = [&](LifetimeSorter sorter) {
    LifetimeHistogram histogram(layout, kNow, sorter);
    // In batches, as rows come from a database.
    for (size_t at = 0; at < expiries.size(); at += 4096) {
      const size_t size = std::min<size_t>(4096, expiries.size() - at);
      histogram.Add(std::span<const int64_t>(expiries).subspan(at, size));
    }
    const Lifetimes lifetimes = histogram.Snapshot();
    for (const double q : {0.01, 0.5, 0.99}) Keep(*Quantile(*lifetimes.living.histogram, q));
  };
  CompareInRounds(title,
                  {{"a plain scan", scan, items},
                   {"ours", [&] { ours(BestLifetimeSorter()); }, items},
                   {"ours without AVX2", [&] { ours(SortLifetimesPlain); }, items},
                   {"ours without cells", [&] { ours(nullptr); }, items},
                   {"each observed by itself",
                    [&] {
                      NativeHistogram histogram(layout);
                      for (const int64_t expiry : expiries) {
                        if (expiry >= kNow) histogram.Observe(static_cast<double>(expiry - kNow));
                      }
                      Keep(histogram.Snapshot().get());
                    },
                    items},
                   {"prometheus-cpp histogram, 30 bounds",
                    [&] {
                      prometheus::Histogram histogram(ThirtyBounds());
                      for (const int64_t expiry : expiries) {
                        if (expiry >= kNow) histogram.Observe(static_cast<double>(expiry - kNow));
                      }
                      Keep(&histogram);
                    },
                    items}},
                  0);
}

}  // namespace
}  // namespace spire_exporter::bench

int main() {
  using namespace spire_exporter::bench;
  std::mt19937_64 random(1);
  std::vector<int64_t> hour(kExpiries);
  for (int64_t& one : hour) one = kNow + 1800 + static_cast<int64_t>(random() % 1800);
  Compare("1,000,000 expiries within 30 to 60 minutes", hour);
  std::vector<int64_t> wide(kExpiries);
  for (int64_t& one : wide) {
    const double share = static_cast<double>(random() % 1'000'000) / 1e6;
    const auto seconds = static_cast<int64_t>(std::exp(share * std::log(86'400.0 * 280)));
    one = random() % 4 == 0 ? kNow - seconds : kNow + seconds;
  }
  Compare("1,000,000 expiries from a second to 280 days, a quarter expired", wide);
  return 0;
}
