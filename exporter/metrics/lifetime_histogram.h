// How long many certificates or entries still live, from their expiries as a database streams them:
// one pass in batches of any size, and nothing kept of a batch.
#ifndef EXPORTER_METRICS_LIFETIME_HISTOGRAM_H_
#define EXPORTER_METRICS_LIFETIME_HISTOGRAM_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "exporter/metrics/gauge_histogram.h"
#include "exporter/metrics/lifetime_slots.h"

namespace spire_exporter {

struct Lifetimes {
  GaugeHistogram living;  // seconds that remain: 0 or more
  uint64_t expired = 0;   // not in `living`
};

// What has expired is counted beside the histogram, not in it: negative values would need a
// negative classic bound, without which an OpenMetrics page cannot carry their sum. An expiry at
// `now` itself is living, as a certificate is valid through its notAfter (RFC 5280, 4.1.2.5).
//
// Remaining lifetimes are whole seconds, so those below 2^16 (18 hours) are counted by the second,
// which costs half a nanosecond, and sorted into buckets by the snapshot. A second belongs to one
// bucket as a whole, so that nothing is lost by it. Once there are others, a processor with AVX2
// sorts what comes after them into cells up to 194 days, for a nanosecond each (LifetimeSlots);
// without it, or where the layout has bounds too near each other, those others cost three.
//
// Not safe from several threads. Memory as NativeHistogram has it and 512 KiB, up to 700 with the
// cells, however many values are added.
class LifetimeHistogram {
 public:
  // `now` in seconds since the epoch, as the expiries; within 2^62 of it.
  // The result is the same whatever `sorter`; null is to do without the cells.
  LifetimeHistogram(std::shared_ptr<const HistogramLayout> layout, int64_t now,
                    LifetimeSorter sorter = BestLifetimeSorter());

  // A lifetime beyond the range of int64 counts as its end. Whole seconds; those above 2^53 are
  // rounded to a double.
  void Add(std::span<const int64_t> expiries);

  // Of all that was added so far; adding may go on. The sum is exact below 2^53 seconds. Costs some
  // 50 us.
  Lifetimes Snapshot() const;

 private:
  static constexpr uint64_t kSeconds = uint64_t{1} << 16;
  enum class Way : uint8_t {
    kTable,       // all have been in the table of seconds so far
    kSlots,       // not all, and slots_ are made
    kOutOfTable,  // not all, and they cannot be made: one by one beside the table
  };

  void AddRare(std::span<const int64_t> expiries);
  // Into slots_ instead of seconds_.
  void AddSorted(std::span<const int64_t> expiries);
  bool MakeSlots();
  // Puts what `seconds_` holds into a histogram, whose sum is not to be used, and its sum and
  // extremes into `lifetimes`.
  void Sort(NativeHistogram& histogram, Lifetimes& lifetimes, double& sum) const;

  const std::shared_ptr<const HistogramLayout> layout_;
  const int64_t now_;
  const LifetimeSorter sorter_;
  // By remaining seconds; the last one counts what is not in the table, until AddRare() has seen to
  // it.
  std::vector<uint64_t> seconds_;
  // What is not in the table.
  NativeHistogram far_;
  int64_t far_min_ = std::numeric_limits<int64_t>::max();
  int64_t far_max_ = -1;  // below any living
  uint64_t expired_ = 0;
  Way way_ = Way::kTable;
  LifetimeSlots slots_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_METRICS_LIFETIME_HISTOGRAM_H_
