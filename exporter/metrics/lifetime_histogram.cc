#include "exporter/metrics/lifetime_histogram.h"

#include <algorithm>
#include <utility>

namespace spire_exporter {
namespace {

int64_t Remaining(int64_t expiry, int64_t now) {
  int64_t remaining = 0;
  if (!__builtin_sub_overflow(expiry, now, &remaining)) return remaining;
  return now < 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

}  // namespace

LifetimeHistogram::LifetimeHistogram(std::shared_ptr<const HistogramLayout> layout, int64_t now)
    : histogram_(std::move(layout)), now_(now) {}

template <typename Expiry>
void LifetimeHistogram::AddAll(std::span<const Expiry> expiries) {
  for (const Expiry expiry : expiries) {
    const int64_t remaining = Remaining(expiry, now_);
    if (remaining < 0) {
      ++expired_;
      continue;
    }
    min_ = std::min(min_, remaining);
    max_ = std::max(max_, remaining);
    histogram_.Observe(static_cast<double>(remaining));
  }
}

void LifetimeHistogram::Add(std::span<const uint32_t> expiries) {
  AddAll(expiries);
}

void LifetimeHistogram::Add(std::span<const int64_t> expiries) {
  AddAll(expiries);
}

Lifetimes LifetimeHistogram::Snapshot() const {
  Lifetimes lifetimes;
  lifetimes.living.histogram = histogram_.Snapshot();
  lifetimes.expired = expired_;
  if (max_ >= 0) {
    lifetimes.living.min = static_cast<double>(min_);
    lifetimes.living.max = static_cast<double>(max_);
  }
  return lifetimes;
}

}  // namespace spire_exporter
