#include "collectors/postgres/replication_history.h"

#include <algorithm>
#include <limits>

namespace spire_exporter::postgres {

void PositionHistory::Anchor() {
  slope_low_ = -std::numeric_limits<double>::infinity();
  slope_high_ = std::numeric_limits<double>::infinity();
}

// Whether the last point can be left out when the line goes on to the given sample.
bool PositionHistory::Extends(SteadyTime at, uint64_t position) {
  if (points_.size() < 2) return false;
  const Point& from = points_[points_.size() - 2];
  const Point& last = points_.back();
  if (last.after_gap) return false;
  // A standstill is told by its two ends.
  if (from.position == last.position) return last.position == position;
  if (last.position == position) return false;
  const auto slope = [&](SteadyTime time, uint64_t there) {
    return Seconds(time - from.at) / static_cast<double>(there - from.position);
  };
  const double width = Seconds(kTolerance) / static_cast<double>(last.position - from.position);
  slope_low_ = std::max(slope_low_, slope(last.at, last.position) - width);
  slope_high_ = std::min(slope_high_, slope(last.at, last.position) + width);
  const double now = slope(at, position);
  return slope_low_ <= now && now <= slope_high_;
}

void PositionHistory::Add(SteadyTime at, uint64_t position) {
  if (!points_.empty()) {
    if (position < points_.back().position) {
      points_.clear();
    } else if (at <= points_.back().at) {
      return;
    }
  }
  if (points_.empty()) {
    Anchor();
    points_.push_back({at, position, false});
    return;
  }
  // A position that is the same at both ends of a gap was the same in it.
  if (at - points_.back().at > gap_max_ && position != points_.back().position) {
    Anchor();
    points_.push_back({at, position, true});
  } else if (Extends(at, position)) {
    points_.back() = {at, position, false};
  } else {
    Anchor();
    points_.push_back({at, position, false});
  }
  if (points_.size() > kPointsMax) points_.pop_front();
}

std::optional<PositionHistory::Passed> PositionHistory::WhenPassed(uint64_t position) const {
  const auto beyond =
      std::upper_bound(points_.begin(), points_.end(), position,
                       [](uint64_t value, const Point& point) { return value < point.position; });
  if (beyond == points_.end()) return std::nullopt;
  if (beyond == points_.begin()) return Passed{std::nullopt, beyond->at};
  const Point& before = *(beyond - 1);
  if (beyond->after_gap) return Passed{std::nullopt, beyond->at};
  const double part = static_cast<double>(position - before.position) /
                      static_cast<double>(beyond->position - before.position);
  const auto along = std::chrono::duration_cast<SteadyTime::duration>(
      std::chrono::duration<double>(Seconds(beyond->at - before.at) * part));
  return Passed{before.at + along, beyond->at};
}

}  // namespace spire_exporter::postgres
