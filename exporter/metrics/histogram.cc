#include "exporter/metrics/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "exporter/metrics/bucket_counts.h"
#include "exporter/metrics/histogram_value.h"

namespace spire_exporter {
namespace {

constexpr uint64_t kWindowKeysMax = 4096;
constexpr uint64_t kWindowKeysFirst = 16;
constexpr size_t kOutliersMax = 256;  // and one more for each classic bound
// So many values in vain, and the window is moved to where they are.
constexpr uint32_t kMissesMax = 4096;
// More than any index, of any schema, is away from zero.
constexpr int32_t kPositionOfIndex0 = 1 << 20;
// Windows are sparse: so many cells without a count are passed over in one step, a cache line.
constexpr uint64_t kCellsAtOnce = 16;

bool AllZero(const uint32_t* cells) {
  uint32_t any = 0;
  for (uint64_t i = 0; i < kCellsAtOnce; ++i) any |= cells[i];
  return any == 0;
}

int32_t CoarserPosition(int32_t position) {
  if (position == 0) return 0;
  const int32_t index = CoarserIndex(std::abs(position) - kPositionOfIndex0, 1);
  return position > 0 ? index + kPositionOfIndex0 : -(index + kPositionOfIndex0);
}

}  // namespace

NativeHistogram::NativeHistogram(std::shared_ptr<const HistogramLayout> layout)
    : finder_(layout->finder_),
      layout_(std::move(layout)),
      outlier_schema_(layout_->fine_schema_) {}

void NativeHistogram::Observe(double value, uint64_t times) {
  if (times != 0) ObserveSlowly(value, times);
}

void NativeHistogram::AddUnplaced(uint64_t count, double sum) {
  unplaced_ += count;
  AddToSum(sum);
}

void NativeHistogram::AddToSum(double amount) {
  const double sum = sum_ + amount;
  if (std::isfinite(sum)) sum_ = sum;
}

void NativeHistogram::ObserveSlowly(double value, uint64_t times) {
  if (std::isnan(value)) {
    unplaced_ += times;
    return;
  }
  AddToSum(value * static_cast<double>(times));
  const HistogramLayout& layout = *layout_;
  const double magnitude = std::abs(value);
  if (magnitude <= kZeroThreshold) {
    AddOutlier(0, layout.Rank(value), times);
    return;
  }
  if (value > 0) {
    const auto bits = std::bit_cast<uint64_t>(value);
    const uint64_t key = finder_.Key(bits);
    if (key >= layout.first_key_ && key < layout.end_key_ && ReachWindowTo(key)) {
      const bool past = !layout.splits_.empty() && bits > splits_[key - first_key_].last_bits;
      AddToCell(layout.FirstCell(key) + (past ? 1 : 0) - first_cell_, times);
      return;
    }
  }
  const int32_t index = CoarserIndex(BucketIndex(magnitude, layout.fine_schema_),
                                     layout.fine_schema_ - outlier_schema_);
  const int32_t position = index + kPositionOfIndex0;
  AddOutlier(value > 0 ? position : -position, layout.Rank(value), times);
}

void NativeHistogram::AddToCell(uint64_t cell, uint64_t times) {
  const uint64_t total = cells_[cell] + (times & 0xffffffff);
  cells_[cell] = static_cast<uint32_t>(total);
  const uint64_t carried = (times >> 32) + (total >> 32);
  if (carried != 0) Carry(cell, carried);
}

void NativeHistogram::Carry(uint64_t cell, uint64_t times) {
  const uint64_t number = first_cell_ + cell;
  const auto at = std::lower_bound(
      overflows_.begin(), overflows_.end(), number,
      [](const Overflow& overflow, uint64_t wanted) { return overflow.cell < wanted; });
  if (at != overflows_.end() && at->cell == number) {
    at->times += times;
    return;
  }
  overflows_.insert(at, {number, times});
}

void NativeHistogram::AddOutlier(int32_t position, uint32_t rank, uint64_t times) {
  const auto at =
      std::lower_bound(outliers_.begin(), outliers_.end(), std::pair(position, rank),
                       [](const Outlier& outlier, const std::pair<int32_t, uint32_t>& place) {
                         return std::pair(outlier.position, outlier.rank) < place;
                       });
  if (at != outliers_.end() && at->position == position && at->rank == rank) {
    at->count += times;
    return;
  }
  outliers_.insert(at, Outlier{position, rank, times});
  while (outliers_.size() > kOutliersMax + layout_->bounds_->size() &&
         outlier_schema_ > kSchemaMin) {
    CoarsenOutliers();
  }
}

// Schema -4 has 2 * 74 + 1 buckets, and each classic bound splits at most one of them, so that in
// the end they fit.
void NativeHistogram::CoarsenOutliers() {
  --outlier_schema_;
  std::vector<Outlier> coarse;
  coarse.reserve(outliers_.size());
  for (Outlier outlier : outliers_) {
    outlier.position = CoarserPosition(outlier.position);
    if (!coarse.empty() && coarse.back().position == outlier.position &&
        coarse.back().rank == outlier.rank) {
      coarse.back().count += outlier.count;
    } else {
      coarse.push_back(outlier);
    }
  }
  outliers_ = std::move(coarse);
}

bool NativeHistogram::ReachWindowTo(uint64_t key) {
  const uint64_t end_key = first_key_ + keys_;
  if (keys_ == 0) {
    MoveWindowTo(key);
    return true;
  }
  if (key >= first_key_ && key < end_key) return true;
  const uint64_t needed = key < first_key_ ? end_key - key : key + 1 - first_key_;
  if (needed > kWindowKeysMax) {
    if (++misses_ < kMissesMax) return false;
    MoveWindowTo(key);
    return true;
  }
  // Half as much again on the side where values come from, so that growing is rare.
  const uint64_t ahead = std::min(kWindowKeysMax - needed, keys_ / 2 + kWindowKeysFirst);
  if (key < first_key_) {
    SetWindow(std::max(key - std::min(key, ahead), layout_->first_key_), end_key);
  } else {
    SetWindow(first_key_, std::min(key + 1 + ahead, layout_->end_key_));
  }
  return true;
}

// What the window held becomes outliers.
void NativeHistogram::MoveWindowTo(uint64_t key) {
  std::vector<Outlier> moved;
  ForEachCell(content(), [&](int32_t index, uint32_t rank, uint64_t count) {
    moved.push_back({index, rank, count});
  });
  cells_.clear();
  overflows_.clear();
  misses_ = 0;
  keys_ = 0;
  SetWindow(std::max(key - kWindowKeysFirst / 2, layout_->first_key_),
            std::min(key + kWindowKeysFirst / 2, layout_->end_key_));
  for (const Outlier& outlier : moved) {
    // Each may have made the outliers coarser.
    const int32_t index = CoarserIndex(outlier.position, layout_->fine_schema_ - outlier_schema_);
    AddOutlier(index + kPositionOfIndex0, outlier.rank, outlier.count);
  }
}

// The new window holds the old one.
void NativeHistogram::SetWindow(uint64_t first_key, uint64_t end_key) {
  const HistogramLayout& layout = *layout_;
  const uint64_t first_cell = layout.FirstCell(first_key);
  const uint64_t end_cell = layout.FirstCell(end_key - 1) + layout.CellsOf(end_key - 1);
  std::vector<uint32_t> cells(end_cell - first_cell, 0);
  if (keys_ != 0) {
    std::copy(cells_.begin(), cells_.end(),
              cells.begin() + static_cast<std::ptrdiff_t>(first_cell_ - first_cell));
  }
  cells_ = std::move(cells);
  first_key_ = first_key;
  keys_ = end_key - first_key;
  first_cell_ = first_cell;
  splits_ = layout.splits_.empty() ? nullptr : &layout.splits_[first_key - layout.first_key_];
}

NativeHistogram::Content NativeHistogram::content() const {
  return {layout_.get(), first_key_,      keys_,  first_cell_, sum_,
          unplaced_,     outlier_schema_, cells_, overflows_,  outliers_};
}

template <typename Visit>
void NativeHistogram::ForEachCell(const Content& content, Visit visit) {
  const HistogramLayout& layout = *content.layout;
  const std::vector<uint64_t>& last_cells = layout.last_cells_;
  const uint64_t first = content.first_cell;
  // The next classic bound at or after a cell; each that is passed has taken one cell more than
  // keys.
  auto bound = std::lower_bound(last_cells.begin(), last_cells.end(), first);
  auto rank = layout.first_rank_ + static_cast<uint32_t>(bound - last_cells.begin());
  int64_t index = static_cast<int64_t>(content.first_key) - layout.finder_.Bias();
  auto overflow = content.overflows.begin();
  const auto visit_cell = [&](uint64_t cell) {
    uint64_t count = content.cells[cell];
    if (overflow != content.overflows.end() && overflow->cell == first + cell) {
      count += (overflow++)->times << 32;
    }
    if (count == 0) return;
    for (; bound != last_cells.end() && *bound < first + cell; ++bound, ++rank) --index;
    visit(static_cast<int32_t>(index + static_cast<int64_t>(cell)), rank, count);
  };
  const uint64_t cells = content.cells.size();
  for (uint64_t cell = 0; cell < cells;) {
    const uint64_t end = std::min(cell + kCellsAtOnce, cells);
    const bool overflowed = overflow != content.overflows.end() && overflow->cell < first + end;
    if (end - cell == kCellsAtOnce && !overflowed && AllZero(&content.cells[cell])) {
      cell = end;
      continue;
    }
    for (; cell < end; ++cell) visit_cell(cell);
  }
}

uint64_t NativeHistogram::count() const {
  uint64_t total = unplaced_;
  for (const uint32_t cell : cells_) total += cell;
  for (const Overflow& overflow : overflows_) total += overflow.times << 32;
  for (const Outlier& outlier : outliers_) total += outlier.count;
  return total;
}

std::shared_ptr<const HistogramValue> NativeHistogram::Snapshot() const {
  return MakeValue(content());
}

std::shared_ptr<const HistogramValue> NativeHistogram::MakeValue(const Content& content) {
  const HistogramLayout& layout = *content.layout;
  const size_t bounds = layout.bounds_->size();
  std::vector<uint64_t> classic(bounds + 1, 0);  // by rank, not yet cumulative
  BucketCounts positive;
  BucketCounts far_positive;
  BucketCounts negative;
  auto value = std::make_shared<HistogramValue>();

  const auto add = [](BucketCounts& counts, int32_t index, uint64_t count) {
    if (!counts.empty() && counts.back().index == index) {
      counts.back().count += count;
    } else {
      counts.push_back({index, count});
    }
  };
  const int schema = std::min(layout.schema_, content.outlier_schema);
  positive.reserve(std::min<size_t>(content.keys, kNativeBucketsMax));
  ForEachCell(content, [&](int32_t index, uint32_t rank, uint64_t count) {
    add(positive, CoarserIndex(index, layout.fine_schema_ - schema), count);
    classic[rank] += count;
  });
  for (const Outlier& outlier : content.outliers) {
    classic[outlier.rank] += outlier.count;
    if (outlier.position == 0) {
      value->zero_count += outlier.count;
      continue;
    }
    const int32_t index = CoarserIndex(std::abs(outlier.position) - kPositionOfIndex0,
                                       content.outlier_schema - schema);
    add(outlier.position > 0 ? far_positive : negative, index, outlier.count);
  }
  std::reverse(negative.begin(), negative.end());  // they came by value, so falling by magnitude

  if (!far_positive.empty()) positive = MergeCounts(positive, far_positive);
  value->schema = schema;
  FitBuckets(positive, negative, kNativeBucketsMax, value->schema);
  value->positive = MakeRuns(positive);
  value->negative = MakeRuns(negative);
  value->zero_threshold = kZeroThreshold;
  value->sum = content.sum;
  value->unplaced = content.unplaced;
  value->bounds = layout.bounds_;

  uint64_t placed = 0;
  std::vector<uint64_t> cumulative(bounds);
  for (size_t i = 0; i < bounds; ++i) cumulative[i] = placed += classic[i];
  placed += classic[bounds];
  value->count = placed + content.unplaced;
  // A histogram that is still empty shows all its buckets, so that rates see them rise from zero.
  if (placed != 0 || content.unplaced == 0) value->cumulative = std::move(cumulative);
  return value;
}

size_t NativeHistogram::MemoryBytes() const {
  return sizeof(*this) + cells_.capacity() * sizeof(cells_[0]) +
         overflows_.capacity() * sizeof(Overflow) + outliers_.capacity() * sizeof(Outlier);
}

void FrozenHistograms::Clear() {
  items_.clear();
  cells_.clear();
  overflows_.clear();
  outliers_.clear();
}

void FrozenHistograms::Add(const NativeHistogram& histogram) {
  const NativeHistogram::Content content = histogram.content();
  cells_.insert(cells_.end(), content.cells.begin(), content.cells.end());
  if (!content.overflows.empty()) {
    overflows_.insert(overflows_.end(), content.overflows.begin(), content.overflows.end());
  }
  if (!content.outliers.empty()) {
    outliers_.insert(outliers_.end(), content.outliers.begin(), content.outliers.end());
  }
  items_.push_back({content.layout, content.first_key, content.keys, content.first_cell,
                    content.sum, content.unplaced, content.outlier_schema, cells_.size(),
                    overflows_.size(), outliers_.size()});
}

std::shared_ptr<const HistogramValue> FrozenHistograms::Value(size_t i) const {
  const Item& item = items_[i];
  const Item none{};
  const Item& before = i == 0 ? none : items_[i - 1];
  const auto part = [](const auto& all, size_t begin, size_t end) {
    return std::span(all).subspan(begin, end - begin);
  };
  return NativeHistogram::MakeValue({item.layout, item.first_key, item.keys, item.first_cell,
                                     item.sum, item.unplaced, item.outlier_schema,
                                     part(cells_, before.cells, item.cells),
                                     part(overflows_, before.overflows, item.overflows),
                                     part(outliers_, before.outliers, item.outliers)});
}

}  // namespace spire_exporter
