#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <utility>

#include "exporter/metrics/histogram.h"

namespace spire_exporter {
namespace {

constexpr uint64_t kSplitsMax = 4096;
constexpr size_t kBoundsMax = 1000;
// How far the table of splits reaches past the classic bounds: a factor of a million. Values beyond
// are counted all the same, as outliers.
constexpr uint64_t kMarginOctaves = 20;
// Sums of dense values are not checked: below half a unit in the last place of DBL_MAX (2^970) none
// can make a finite sum infinite.
constexpr double kDenseMax = 0x1p960;

uint64_t KeyOf(const KeyFinder& finder, double value) {
  return finder.Key(std::bit_cast<uint64_t>(value));
}

// The bounds that a dense cell could be split by, as their keys, which rise.
std::vector<uint64_t> BoundKeys(const KeyFinder& finder, const std::vector<double>& bounds) {
  std::vector<uint64_t> keys;
  for (const double bound : bounds) {
    if (bound > kZeroThreshold && bound <= kDenseMax) keys.push_back(KeyOf(finder, bound));
  }
  return keys;
}

bool AllDifferent(const std::vector<uint64_t>& rising) {
  return std::adjacent_find(rising.begin(), rising.end()) == rising.end();
}

}  // namespace

Result<std::shared_ptr<const HistogramLayout>> HistogramLayout::Make(int schema,
                                                                     std::vector<double> bounds) {
  if (schema < kSchemaMin || schema > kSchemaMax) {
    return Error{Code::kInvalidArgument,
                 "histogram schema " + std::to_string(schema) + ": expected -4 to 8", "", false};
  }
  if (bounds.size() > kBoundsMax) {
    return Error{Code::kInvalidArgument,
                 std::to_string(bounds.size()) + " histogram bounds: expected at most 1000", "",
                 false};
  }
  for (size_t i = 0; i < bounds.size(); ++i) {
    if (!std::isfinite(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1])) {
      return Error{Code::kInvalidArgument,
                   "histogram bound " + std::to_string(bounds[i]) + " at place " +
                       std::to_string(i + 1) + ": expected finite bounds that rise strictly",
                   "", false};
    }
  }
  return std::shared_ptr<const HistogramLayout>(new HistogramLayout(schema, std::move(bounds)));
}

HistogramLayout::HistogramLayout(int schema, std::vector<double> bounds)
    : schema_(schema),
      fine_schema_(std::max(schema, 0)),
      finder_(fine_schema_),
      bounds_(std::make_shared<const std::vector<double>>(std::move(bounds))) {
  std::vector<uint64_t> keys = BoundKeys(finder_, *bounds_);
  while (!AllDifferent(keys) && fine_schema_ < kSchemaMax) {
    finder_ = KeyFinder(++fine_schema_);
    keys = BoundKeys(finder_, *bounds_);
  }
  // The zero threshold is a bound itself, so values above it have keys above its key.
  first_key_ = KeyOf(finder_, kZeroThreshold) + 1;
  end_key_ = KeyOf(finder_, kDenseMax) + 1;
  first_rank_ = Rank(std::nextafter(kZeroThreshold, 1.0));
  if (!AllDifferent(keys)) {
    end_key_ = first_key_;  // nothing is dense
  } else if (!keys.empty()) {
    MakeSplits();
  }
}

void HistogramLayout::MakeSplits() {
  const std::vector<uint64_t> keys = BoundKeys(finder_, *bounds_);
  const uint64_t span = keys.back() - keys.front() + 1;
  uint64_t first = keys.front();
  uint64_t end = keys.back() + 1;
  if (span > kSplitsMax) {
    first += (span - kSplitsMax) / 2;
    end = first + kSplitsMax;
  } else {
    const uint64_t margin = std::min(kMarginOctaves << fine_schema_, (kSplitsMax - span) / 2);
    first = std::max(first - std::min(first, margin), first_key_);
    end = std::min(end + margin, end_key_);
  }
  first_key_ = first;
  end_key_ = end;

  const auto in_zero_bucket = static_cast<size_t>(
      std::upper_bound(bounds_->begin(), bounds_->end(), kZeroThreshold) - bounds_->begin());
  size_t bound =
      static_cast<size_t>(std::lower_bound(keys.begin(), keys.end(), first) - keys.begin());
  first_rank_ = static_cast<uint32_t>(in_zero_bucket + bound);
  splits_.reserve(end - first);
  for (uint64_t key = first, cell = 0; key < end; ++key, ++cell) {
    Split split{kNoSplit, cell};
    if (bound < keys.size() && keys[bound] == key) {
      split.last_bits = std::bit_cast<uint64_t>((*bounds_)[in_zero_bucket + bound]);
      last_cells_.push_back(cell);
      ++bound;
      ++cell;
    }
    splits_.push_back(split);
  }
}

uint32_t HistogramLayout::Rank(double value) const {
  return static_cast<uint32_t>(std::lower_bound(bounds_->begin(), bounds_->end(), value) -
                               bounds_->begin());
}

uint64_t HistogramLayout::FirstCell(uint64_t key) const {
  return splits_.empty() ? key : splits_[key - first_key_].cell;
}

uint64_t HistogramLayout::CellsOf(uint64_t key) const {
  return splits_.empty() || splits_[key - first_key_].last_bits == kNoSplit ? 1 : 2;
}

}  // namespace spire_exporter
