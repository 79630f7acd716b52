#include "exporter/metrics/lifetime_histogram.h"

#include <algorithm>
#include <array>
#include <utility>

#include "exporter/metrics/bucket_layout.h"

namespace spire_exporter {
namespace {

constexpr size_t kTablePiece = 4096;

int64_t Remaining(int64_t expiry, int64_t now) {
  int64_t remaining = 0;
  if (!__builtin_sub_overflow(expiry, now, &remaining)) return remaining;
  return now < 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

// The last whole second of the bucket, native or classic, that a second belongs to.
uint64_t LastOfBucket(const HistogramLayout& layout, uint64_t second) {
  const auto value = static_cast<double>(second);
  const std::vector<double>& bounds = *layout.bounds();
  double upper =
      second == 0 ? 0 : BucketUpperBound(BucketIndex(value, layout.schema()), layout.schema());
  const auto bound = std::lower_bound(bounds.begin(), bounds.end(), value);
  if (bound != bounds.end()) upper = std::min(upper, *bound);
  return upper >= 1e18 ? uint64_t{1} << 62 : static_cast<uint64_t>(upper);
}

// Any of the places where lifetimes are counted may hold the extremes of all.
void Widen(GaugeHistogram& living, double min, double max) {
  living.min = std::min(living.min.value_or(min), min);
  living.max = std::max(living.max.value_or(max), max);
}

}  // namespace

LifetimeHistogram::LifetimeHistogram(std::shared_ptr<const HistogramLayout> layout, int64_t now,
                                     LifetimeSorter sorter)
    : layout_(std::move(layout)),
      now_(now),
      sorter_(sorter),
      seconds_(kSeconds + 1),
      far_(layout_) {}

void LifetimeHistogram::Add(std::span<const int64_t> expiries) {
  while (!expiries.empty() && way_ != Way::kSlots) {
    const auto piece = expiries.first(std::min(kTablePiece, expiries.size()));
    expiries = expiries.subspan(piece.size());
    uint64_t* const seconds = seconds_.data();
    for (const int64_t expiry : piece) {
      // What has expired, or lives for longer than the table, wraps or is far above it.
      const uint64_t remaining = static_cast<uint64_t>(expiry) - static_cast<uint64_t>(now_);
      ++seconds[std::min(remaining, kSeconds)];
    }
    if (std::exchange(seconds[kSeconds], 0) == 0) continue;
    AddRare(piece);
    if (way_ == Way::kTable) way_ = MakeSlots() ? Way::kSlots : Way::kOutOfTable;
  }
  AddSorted(expiries);
}

bool LifetimeHistogram::MakeSlots() {
  if (now_ < 0 || sorter_ == nullptr) return false;
  std::vector<uint32_t> lasts;
  for (uint64_t first = 0; first < LifetimeSlots::kEnd; first = uint64_t{lasts.back()} + 1) {
    lasts.push_back(static_cast<uint32_t>(
        std::min(LastOfBucket(*layout_, first), uint64_t{LifetimeSlots::kEnd} - 1)));
  }
  return slots_.Make(lasts);
}

void LifetimeHistogram::AddSorted(std::span<const int64_t> expiries) {
  std::array<int64_t, kLifetimePiece + 1> far;
  while (!expiries.empty()) {
    const auto piece = expiries.first(std::min(kLifetimePiece, expiries.size()));
    expiries = expiries.subspan(piece.size());
    const size_t found = sorter_(slots_, piece, now_, far.data());
    // What the table would also have left out.
    AddRare(std::span<const int64_t>(far.data(), found));
  }
}

void LifetimeHistogram::AddRare(std::span<const int64_t> expiries) {
  // Which ones are rare cannot be foreseen, so they are picked out without a branch.
  constexpr size_t kPiece = 1024;
  std::array<int64_t, kPiece> far;
  for (size_t begin = 0; begin < expiries.size(); begin += kPiece) {
    size_t found = 0;
    for (const int64_t expiry :
         expiries.subspan(begin, std::min(kPiece, expiries.size() - begin))) {
      const int64_t remaining = Remaining(expiry, now_);
      expired_ += static_cast<uint64_t>(remaining < 0);
      far[found] = remaining;
      found += static_cast<size_t>(remaining >= static_cast<int64_t>(kSeconds));
    }
    for (size_t i = 0; i < found; ++i) {
      far_min_ = std::min(far_min_, far[i]);
      far_max_ = std::max(far_max_, far[i]);
      far_.Observe(static_cast<double>(far[i]));
    }
  }
}

void LifetimeHistogram::Sort(NativeHistogram& histogram, Lifetimes& lifetimes, double& sum) const {
  uint64_t exact = 0;  // below 2^64 seconds for 2^48 lifetimes
  uint64_t last = 0;
  for (uint64_t first = 0; first < kSeconds; first = last + 1) {
    last = std::min(LastOfBucket(*layout_, first), kSeconds - 1);
    uint64_t count = 0;
    for (uint64_t second = first; second <= last; ++second) {
      count += seconds_[second];
      exact += seconds_[second] * second;
    }
    if (count == 0) continue;
    if (!lifetimes.living.min) {
      const auto least = std::find_if(seconds_.begin() + static_cast<std::ptrdiff_t>(first),
                                      seconds_.end(), [](uint64_t n) { return n != 0; });
      lifetimes.living.min = static_cast<double>(least - seconds_.begin());
    }
    uint64_t most = last;
    while (seconds_[most] == 0) --most;
    lifetimes.living.max = static_cast<double>(most);
    histogram.Observe(static_cast<double>(first), count);
  }
  sum += static_cast<double>(exact);
}

Lifetimes LifetimeHistogram::Snapshot() const {
  Lifetimes lifetimes;
  lifetimes.expired = expired_;
  NativeHistogram all = far_.Clone();
  double sum = far_.sum();
  Sort(all, lifetimes, sum);
  lifetimes.expired += slots_.expired;
  for (size_t cell = 1; cell < slots_.first.size(); ++cell) {
    uint64_t count = 0;
    for (size_t table = 0; table < LifetimeSlots::kTables; ++table) {
      count += slots_.counts[cell * LifetimeSlots::kTables + table];
    }
    if (count != 0) all.Observe(static_cast<double>(slots_.first[cell]), count);
  }
  sum += static_cast<double>(slots_.sum);
  if (slots_.max >= 0) Widen(lifetimes.living, slots_.min, slots_.max);
  if (far_max_ >= 0) {
    Widen(lifetimes.living, static_cast<double>(far_min_), static_cast<double>(far_max_));
  }
  auto value = std::make_shared<HistogramValue>(*all.Snapshot());
  value->sum = sum;
  lifetimes.living.histogram = std::move(value);
  return lifetimes;
}

}  // namespace spire_exporter
