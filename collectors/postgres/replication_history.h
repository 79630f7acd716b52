// Where a primary's log was at which time, as far as we have seen it: what a standby's position is
// held against to tell how old its view is.
#ifndef COLLECTORS_POSTGRES_REPLICATION_HISTORY_H_
#define COLLECTORS_POSTGRES_REPLICATION_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "exporter/base/clock.h"

namespace spire_exporter::postgres {

// The positions of one primary on one timeline, as a line through samples. Samples that the line
// tells within `kTolerance` without them are left out, so that an idle or a steadily busy primary
// costs a few points an hour and none costs more than `kPointsMax` (4.5 hours of a sample a second
// at the worst, 384 KiB); then the oldest go. Not safe from several threads.
class PositionHistory {
 public:
  static constexpr Duration kTolerance = std::chrono::milliseconds(250);
  static constexpr size_t kPointsMax = 16'384;

  // `gap_max`: the longest time between two samples of which the line between them is believed.
  explicit PositionHistory(Duration gap_max) : gap_max_(gap_max) {}

  // Samples come in the order of time; one that is not later than the last is ignored. A position
  // that is less than the last cannot be the same primary's: what was known is thrown away.
  void Add(SteadyTime at, uint64_t position);

  struct Passed {
    // The last time at which the primary was not beyond the position. Absent when that was before
    // the first sample, or in a gap.
    std::optional<SteadyTime> at;
    // A time at which it was beyond, for when `at` is absent.
    SteadyTime at_the_latest;
  };
  // Nothing when no sample is beyond `position`: it is current, as far as is known.
  std::optional<Passed> WhenPassed(uint64_t position) const;

  bool empty() const { return points_.empty(); }
  // Of the oldest and the newest sample; there must be one.
  uint64_t first_position() const { return points_.front().position; }
  uint64_t last_position() const { return points_.back().position; }
  SteadyTime last_time() const { return points_.back().at; }
  size_t points() const { return points_.size(); }

 private:
  struct Point {
    SteadyTime at;
    uint64_t position;
    bool after_gap;  // nothing is known between the point before and this one
  };

  void Anchor();
  bool Extends(SteadyTime at, uint64_t position);

  const Duration gap_max_;
  std::deque<Point> points_;
  // Seconds a byte that a line from the last point but one may have and still tell all samples that
  // were left out since (the method is known as the swinging door).
  double slope_low_ = 0;
  double slope_high_ = 0;
};

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_REPLICATION_HISTORY_H_
