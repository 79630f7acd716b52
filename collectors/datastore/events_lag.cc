#include "collectors/datastore/events_lag.h"

#include <algorithm>
#include <utility>

namespace spire_exporter::datastore {

void EventsLag::NotePrimary(int64_t newest, SteadyTime now) {
  if (!samples_.empty() && newest <= samples_.back().newest) return;
  samples_.push_back({now, newest});
  if (samples_.size() > kSamplesMax) samples_.pop_front();
}

StandbyLag EventsLag::Judge(std::string_view node, int64_t newest, SteadyTime now) {
  const auto [before, fresh] = before_.emplace(std::string(node), newest);
  // What it had at the look before, the primary must have by now.
  const int64_t had = before->second;
  before->second = newest;
  if (samples_.empty()) return {"unknown", {}, {}};
  if (!fresh && had > samples_.back().newest) return {"ahead", {}, {}};
  if (newest >= samples_.back().newest) return {"current", 0, 0.0};
  StandbyLag lag{"behind", samples_.back().newest - newest, {}};
  const auto missed = std::find_if(samples_.begin(), samples_.end(),
                                   [&](const Sample& sample) { return sample.newest > newest; });
  // Before the first sample there is no telling since when.
  if (missed != samples_.begin()) lag.seconds = Seconds(now - missed->at);
  return lag;
}

void EventsLag::Restart() {
  samples_.clear();
  before_.clear();
}

Propagation::Propagation()
    : layout_(*HistogramLayout::Make(3, {1, 5, 15, 30, 60, 120, 300, 600, 1800})) {}

void Propagation::NotePrimary(int64_t newest, SteadyTime now) {
  if (!first_) {
    first_ = newest;
    return;
  }
  if (newest <= (events_.empty() ? *first_ : events_.back().id)) return;
  events_.push_back({newest, now});
  if (events_.size() > kEventsMax) events_.pop_front();
}

void Propagation::NoteStandby(const std::string& node, int64_t newest, SteadyTime now) {
  auto found = standbys_.find(node);
  if (found == standbys_.end()) {
    if (standbys_.size() >= kNodesMax) return;
    found = standbys_.emplace(node, layout_).first;
    // What it had when it was first seen says nothing about its speed.
    found->second.reached = newest;
  }
  Standby& standby = found->second;
  for (const Event& event : events_) {
    if (event.id <= standby.reached || event.id > newest) continue;
    standby.histogram.Observe(Seconds(now - event.seen));
    standby.reached = event.id;
  }
}

void Propagation::Restart() {
  events_.clear();
  first_.reset();
  for (auto& [node, standby] : standbys_) standby.reached = 0;
}

std::map<std::string, std::shared_ptr<const HistogramValue>> Propagation::Snapshot() const {
  std::map<std::string, std::shared_ptr<const HistogramValue>> values;
  for (const auto& [node, standby] : standbys_) values[node] = standby.histogram.Snapshot();
  return values;
}

}  // namespace spire_exporter::datastore
