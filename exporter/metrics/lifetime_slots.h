// Sorts many remaining lifetimes into cells, with AVX2 where the processor has it.
#ifndef EXPORTER_METRICS_LIFETIME_SLOTS_H_
#define EXPORTER_METRICS_LIFETIME_SLOTS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace spire_exporter {

// Lifetimes from 0 to kEnd - 1 seconds (194 days). Plus 2 they are whole numbers below 2^24, so
// float32 holds each exactly. The bits of a float above `shift` are a slot, which holds at most one
// last second of a cell. An entry is `cell << shift` plus what the lower bits lack to exceed that
// last second, so that adding the lower bits carries into the cell. Cell 0 takes what is not in
// that range.
struct LifetimeSlots {
  static constexpr uint32_t kEnd = (uint32_t{1} << 24) - 2;
  static constexpr size_t kTables = 4;  // in turn, so that equal cells do not wait for each other

  uint32_t shift = 0;
  uint32_t base = 0;  // the slot of 1
  std::vector<uint32_t> entries;
  std::vector<uint32_t> first;  // second of each cell from 1

  // Of the lifetimes sorted so far.
  std::vector<uint64_t> counts;  // kTables for each cell
  uint64_t sum = 0;
  uint64_t expired = 0;
  uint32_t min = std::numeric_limits<uint32_t>::max();
  int32_t max = -1;

  // `lasts`: the last second of each cell, rising, the final one kEnd - 1. False when they are too
  // many or too near each other.
  bool Make(const std::vector<uint32_t>& lasts);

  friend bool operator==(const LifetimeSlots&, const LifetimeSlots&) = default;
};

inline constexpr size_t kLifetimePiece = 1024;

// Sorts at most kLifetimePiece expiries; `now` from 0 to 2^62. Those that are neither expired nor
// below kEnd, or that `now` cannot be taken from, are written to `far` (room for as many, and one
// more), and their number is returned.
using LifetimeSorter = size_t (*)(LifetimeSlots& slots, std::span<const int64_t> expiries,
                                  int64_t now, int64_t* far);

// Twins, which do the same to the last bit. The second only where HasAvx2(): it is in this program,
// and the processor knows it.
size_t SortLifetimesPlain(LifetimeSlots& slots, std::span<const int64_t> expiries, int64_t now,
                          int64_t* far);
size_t SortLifetimesAvx2(LifetimeSlots& slots, std::span<const int64_t> expiries, int64_t now,
                         int64_t* far);
bool HasAvx2();
// The second where it runs, else none: the plain one is no faster than the table of seconds and one
// by one what is beyond it (4.2 to 4.5 plain scans of a million expiries; this one 4.8 to 7.7).
LifetimeSorter BestLifetimeSorter();

}  // namespace spire_exporter

#endif  // EXPORTER_METRICS_LIFETIME_SLOTS_H_
