// The histogram core: one increment per observation gives the native (sparse, exponential) buckets
// and the classic ones, both exact and consistent with each other.
#ifndef EXPORTER_METRICS_HISTOGRAM_H_
#define EXPORTER_METRICS_HISTOGRAM_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "exporter/base/result.h"
#include "exporter/metrics/bucket_layout.h"
#include "exporter/metrics/family.h"

namespace spire_exporter {

// Prometheus refuses or coarsens a histogram with more native buckets; so no snapshot has them.
inline constexpr size_t kNativeBucketsMax = 160;

// What a family of histograms shares: schema, classic bounds, and the tables made from them.
// Immutable, shared. Takes up to 64 KiB when there are classic bounds, typically 8.
//
// Each native bucket that holds a classic bound is split there, and observations are counted in
// those finer cells: native buckets and classic ones are then both sums of cells. If two classic
// bounds are in one native bucket, cells belong to a finer schema, and snapshots go back to the one
// asked for; if they are so near that schema 8 does not part them (0.3 %), all is counted on the
// slow path, no less exactly.
class HistogramLayout {
 public:
  // schema -4..8; bounds strictly rising and finite (`+Inf` is implied; none is fine), at most
  // 1000. kInvalidArgument otherwise.
  static Result<std::shared_ptr<const HistogramLayout>> Make(int schema,
                                                             std::vector<double> bounds);

  int schema() const { return schema_; }
  // Never null.
  const std::shared_ptr<const std::vector<double>>& bounds() const { return bounds_; }

 private:
  friend class FrozenHistograms;
  friend class NativeHistogram;

  // Of one key: the number of its first cell, and the last value (as bits) that counts there. The
  // next cell takes the bucket's other values.
  struct Split {
    uint64_t last_bits;  // kNoSplit when no bound is here
    uint64_t cell;
  };
  static constexpr uint64_t kNoSplit = ~uint64_t{0};

  HistogramLayout(int schema, std::vector<double> bounds);
  void MakeSplits();
  // Classic bounds below a value: its place among the classic buckets.
  uint32_t Rank(double value) const;
  // The first cell of a key that dense counting covers.
  uint64_t FirstCell(uint64_t key) const;
  uint64_t CellsOf(uint64_t key) const;

  int schema_;
  int fine_schema_;  // of the cells: at least schema_, 0..8
  KeyFinder finder_;
  std::shared_ptr<const std::vector<double>> bounds_;
  // Dense counting covers keys [first_key_, end_key_); other values are outliers.
  uint64_t first_key_ = 0;
  uint64_t end_key_ = 0;
  uint32_t first_rank_ = 0;           // of the first cell of first_key_
  std::vector<Split> splits_;         // one per key; empty when no classic bound is among them
  std::vector<uint64_t> last_cells_;  // of each classic bound among them: the cell that ends there
};

// Not safe from several threads: its one writer also takes its snapshots.
//
// Exact and never wrapping: cells have 32 bits, and what overflows them is carried over. Memory: a
// window of cells that grows with the range of values, at most 4096 keys wide (16 KiB; all of
// 2^-64..2^64 at schema 3, typically 50 keys), 16 bytes for each cell that has passed 2^32 (32 at
// most times, as the list doubles), and a sorted list of at most 256 outliers plus one for each
// classic bound: everything that is not in the window, be it far away, zero, negative, above 2^960
// or infinite. Should more of those be distinct, their resolution is halved until they fit; a
// snapshot would have to do so anyway, for its 160 buckets.
//
// Values up to 2^-128 in magnitude are in the zero bucket, infinite ones in the bucket after that
// of DBL_MAX. NaN is counted as unplaced: in count and `+Inf` alone. Neither goes into the sum,
// which a single one would make useless for good (the Go client lets it), nor does a finite value
// that would take the sum out of the range of double; whoever wants to refuse them does so before.
//
// Moved-from: only to be assigned or destroyed.
class NativeHistogram {
 public:
  explicit NativeHistogram(std::shared_ptr<const HistogramLayout> layout);
  NativeHistogram(NativeHistogram&&) = default;
  NativeHistogram& operator=(NativeHistogram&&) = default;

  // 27 instructions, 33 with classic bounds, whatever the schema; inlined so that they stay in the
  // caller's loop. The few values outside of the window cost some 50 ns, and at times a
  // reallocation.
  void Observe(double value) {
    const auto bits = std::bit_cast<uint64_t>(value);
    const uint64_t offset = finder_.Key(bits) - first_key_;
    if (offset >= keys_) [[unlikely]] {
      ObserveSlowly(value, 1);
      return;
    }
    uint64_t cell = offset;
    if (splits_ != nullptr) {
      const HistogramLayout::Split& split = splits_[offset];
      cell = split.cell + static_cast<uint64_t>(bits > split.last_bits) - first_cell_;
    }
    if (++cells_[cell] == 0) [[unlikely]] {
      Carry(cell, 1);
    }
    sum_ += value;
  }
  // The same as observing it that many times, but for rounding of the sum.
  void Observe(double value, uint64_t times);
  // Observations known by number and sum only (see HistogramValue::unplaced). A sum that is not
  // finite, or would make the whole infinite, is left out.
  void AddUnplaced(uint64_t count, double sum);

  // Costs a pass over the cells.
  uint64_t count() const;
  double sum() const { return sum_; }

  // Costs about 1 us for 50 populated buckets, and four allocations or more. Empty cells are read
  // as well: 28,000 instructions for 16 buckets in a window of 4096 keys.
  std::shared_ptr<const HistogramValue> Snapshot() const;
  // A copy, for a snapshot that another thread shall make: allocates and copies the cells, in some
  // 30 ns.
  NativeHistogram Clone() const { return *this; }

  // Bytes that belong to this histogram alone, on the heap and in place.
  size_t MemoryBytes() const;

 private:
  friend class FrozenHistograms;

  // Observations of one native bucket and one classic bucket that are not in the window.
  struct Outlier {
    // Rises with the value: 0 is the zero bucket, bucket i is at i + kPositionOfIndex0, and bucket
    // i of the negative values at the same with a minus.
    int32_t position;
    uint32_t rank;
    uint64_t count;
  };
  // How often a cell has overflowed; cells are numbered as in the layout.
  struct Overflow {
    uint64_t cell;
    uint64_t times;
  };
  // What a value is made of, wherever the cells lie.
  struct Content {
    const HistogramLayout* layout;
    uint64_t first_key;
    uint64_t keys;
    uint64_t first_cell;
    double sum;
    uint64_t unplaced;
    int outlier_schema;
    std::span<const uint32_t> cells;
    std::span<const Overflow> overflows;
    std::span<const Outlier> outliers;
  };

  NativeHistogram(const NativeHistogram&) = default;
  NativeHistogram& operator=(const NativeHistogram&) = default;

  void ObserveSlowly(double value, uint64_t times);
  void AddToSum(double amount);
  void Carry(uint64_t cell, uint64_t times);
  void AddToCell(uint64_t cell, uint64_t times);
  void AddOutlier(int32_t position, uint32_t rank, uint64_t times);
  void CoarsenOutliers();
  bool ReachWindowTo(uint64_t key);
  void MoveWindowTo(uint64_t key);
  void SetWindow(uint64_t first_key, uint64_t end_key);
  Content content() const;
  // Calls visit(native index of the fine schema, rank, count) for the window's cells that counted,
  // rising.
  template <typename Visit>
  static void ForEachCell(const Content& content, Visit visit);
  static std::shared_ptr<const HistogramValue> MakeValue(const Content& content);

  // In the order of Observe, to share its cache lines.
  KeyFinder finder_;
  const HistogramLayout::Split* splits_ = nullptr;  // of first_key_; null without classic bounds
  uint64_t first_key_ = 0;
  uint64_t keys_ = 0;
  uint64_t first_cell_ = 0;
  double sum_ = 0;
  std::vector<uint32_t> cells_;

  std::shared_ptr<const HistogramLayout> layout_;
  std::vector<Overflow> overflows_;  // by cell
  std::vector<Outlier> outliers_;    // by position, then rank
  int outlier_schema_;
  uint32_t misses_ = 0;  // values that the window could not be grown for
  uint64_t unplaced_ = 0;
};

// Histograms as they were at one instant, for another thread to make their values from: taking one
// down costs its writer a copy of its cells, some 50 ns, a hundredth of making the value.
//
// Layouts outlive it. Not safe from several threads; handing it from one to another is up to them.
class FrozenHistograms {
 public:
  // Forgets all, but keeps the memory for what comes next.
  void Clear();
  void Add(const NativeHistogram& histogram);

  size_t size() const { return items_.size(); }
  // What Snapshot() of histogram i, in the order of Add(), would have been then.
  std::shared_ptr<const HistogramValue> Value(size_t i) const;

 private:
  struct Item {
    const HistogramLayout* layout;
    uint64_t first_key;
    uint64_t keys;
    uint64_t first_cell;
    double sum;
    uint64_t unplaced;
    int outlier_schema;
    // Where its parts end in what follows; they begin where those of the one before end.
    size_t cells;
    size_t overflows;
    size_t outliers;
  };
  std::vector<Item> items_;
  std::vector<uint32_t> cells_;
  std::vector<NativeHistogram::Overflow> overflows_;
  std::vector<NativeHistogram::Outlier> outliers_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_METRICS_HISTOGRAM_H_
