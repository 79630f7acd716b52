// What lifetimes cost beyond reading: a million expiries as a database sends them, in text and row
// by row, into a histogram with extremes, sum and percentiles. The least of some rounds.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "exporter/metrics/histogram_value.h"
#include "exporter/metrics/lifetime_histogram.h"
#include "tests/bench/operations.h"
#include "tests/bench/samples.h"

namespace spire_exporter::bench {
namespace {

constexpr size_t kRows = 1'000'000;
constexpr size_t kBatch = 1024;
constexpr int kRounds = 25;
constexpr int64_t kNow = 1'800'000'000;

using Steady = std::chrono::steady_clock;

struct Cost {
  double read_ms = std::numeric_limits<double>::infinity();
  double beyond_ms = std::numeric_limits<double>::infinity();
};

double MsSince(Steady::time_point start) {
  return std::chrono::duration<double, std::milli>(Steady::now() - start).count();
}

// Reads the rows in batches, as the collectors do, with a clock around what becomes of each batch.
Cost ReadOnce(const std::string& rows, const std::shared_ptr<const HistogramLayout>& layout) {
  Cost cost{0, 0};
  LifetimeHistogram histogram(layout, kNow);
  std::vector<int64_t> batch;
  batch.reserve(kBatch);
  const auto start = Steady::now();
  const auto flush = [&] {
    const auto begun = Steady::now();
    histogram.Add(std::span<const int64_t>(batch));
    cost.beyond_ms += MsSince(begun);
    batch.clear();
  };
  const char* const end = rows.data() + rows.size();
  for (const char* at = rows.data(); at < end; ++at) {
    int64_t expiry = 0;
    at = std::from_chars(at, end, expiry).ptr;
    batch.push_back(expiry);
    if (batch.size() == kBatch) flush();
  }
  flush();
  const auto begun = Steady::now();
  const Lifetimes all = histogram.Snapshot();
  for (const double q : {0.01, 0.5, 0.99}) Keep(*Quantile(*all.living.histogram, q));
  cost.beyond_ms += MsSince(begun);
  cost.read_ms = MsSince(start) - cost.beyond_ms;
  return cost;
}

void Measure(const std::string& title, double longest, unsigned expired_of_four) {
  std::mt19937_64 random(1);
  std::string rows;
  for (size_t i = 0; i < kRows; ++i) {
    const double share = static_cast<double>(random() % 1'000'000) / 1e6;
    const auto seconds = static_cast<int64_t>(std::exp(share * std::log(longest)));
    const bool expired = random() % 4 < expired_of_four;
    rows += std::to_string(expired ? kNow - seconds : kNow + seconds) + "\n";
  }
  const auto layout = Layout(3, {60, 300, 900, 1800, 3600, 21'600, 86'400});
  Cost least;
  for (int round = 0; round < kRounds; ++round) {
    const Cost cost = ReadOnce(rows, layout);
    least.read_ms = std::min(least.read_ms, cost.read_ms);
    least.beyond_ms = std::min(least.beyond_ms, cost.beyond_ms);
  }
  std::printf("1,000,000 rows, %s\n  reading %.2f ms; lifetimes beyond it %.2f ms, goal <= 5\n",
              title.c_str(), least.read_ms, least.beyond_ms);
}

}  // namespace
}  // namespace spire_exporter::bench

int main() {
  using namespace spire_exporter::bench;
  Measure("all within an hour", 3600, 0);
  Measure("from a second to 280 days, a quarter expired", 86'400.0 * 280, 1);
  return 0;
}
