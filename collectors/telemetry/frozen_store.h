// What a store shows, in the two steps that a snapshot takes.
#ifndef COLLECTORS_TELEMETRY_FROZEN_STORE_H_
#define COLLECTORS_TELEMETRY_FROZEN_STORE_H_

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "collectors/telemetry/stream_series.h"
#include "exporter/metrics/description.h"
#include "exporter/metrics/family.h"
#include "exporter/metrics/histogram.h"

namespace spire_exporter::telemetry {

// What the store tells of itself.
struct StoreState {
  size_t series = 0;
  size_t bytes = 0;
  uint64_t page_restarts = 0;             // restarts of SPIRE that pages showed
  std::optional<SteadyTime> stream_last;  // the last accepted line
  std::optional<SteadyTime> page_last;
  // Events of calls that both a timer and a counter tell, as each told them.
  uint64_t timer_events = 0;
  double counter_events = 0;
  // Events of the times between pages that the stream covered, as each source told them.
  double stream_events = 0;
  double page_events = 0;
  // Observations that pages told and the stream did not, by Placement.
  std::array<uint64_t, kPlacementCount> scraped{};
};

// The first step, by the store's thread (Store::Freeze): what is visible at one instant, and copies
// of the histograms that have changed. Used again, it needs no memory of its own.
//
// The store outlives it. Safe to read beside the store's thread: of a series it reads what never
// changes.
struct FrozenStore {
  static constexpr uint32_t kUnchanged = std::numeric_limits<uint32_t>::max();
  struct One {
    const StreamSeries* series;
    double value;
    double created_seconds;
    uint32_t histogram;  // in `histograms`; kUnchanged when it is as it was, or none
  };
  struct Group {
    const FamilyDescription* family;
    size_t end;  // of its series; they begin where those of the group before end
  };
  std::vector<Group> groups;
  std::vector<One> series;
  FrozenHistograms histograms;
  StoreState state;
};

// The second step, by any one thread at a time: the families. Remembers the values of histograms
// that do not change, so it has to see all frozen states of its store that are not discarded, in
// their order.
class SnapshotMaker {
 public:
  void Append(const FrozenStore& frozen, FamilyList* families);

 private:
  std::vector<std::shared_ptr<const HistogramValue>> values_;  // by StreamSeries::number
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_FROZEN_STORE_H_
