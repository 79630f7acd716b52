// The part of the store that makes series and sets their states.
#include <memory>
#include <utility>

#include "collectors/telemetry/store.h"

namespace spire_exporter::telemetry {

Store::FamilyGroup& Store::GroupOf(const FamilyDescription& family) {
  for (const std::unique_ptr<FamilyGroup>& group : groups_) {
    if (group->family == &family) return *group;
  }
  auto group = std::make_unique<FamilyGroup>();
  group->family = &family;
  if (family.type == MetricType::kHistogram) {
    const std::span<const double> bounds = ClassicBounds(family);
    Result<std::shared_ptr<const HistogramLayout>> layout =
        HistogramLayout::Make(options_.schema, {bounds.begin(), bounds.end()});
    // The table's bounds are constants under test.
    if (layout) group->layout = std::move(layout).value();
  }
  groups_.push_back(std::move(group));
  return *groups_.back();
}

StreamSeries* Store::SeriesFor(const FamilyDescription& family,
                               std::shared_ptr<const LabelSet> labels, bool cumulative,
                               bool known) {
  const auto found = index_.find(SeriesKey{&family, labels->rendered()});
  if (found != index_.end()) {
    // A family holds totals or states, and its table says which; a value that would mix them up is
    // refused, as is a state for a histogram.
    return found->second->cumulative == cumulative ? found->second : nullptr;
  }
  FamilyGroup& group = GroupOf(family);
  const bool histogram = family.type == MetricType::kHistogram;
  if (histogram && (!cumulative || group.layout == nullptr)) return nullptr;
  if (series_ >= options_.series_max || group.series.size() >= family.series_max ||
      (!known && unknown_series_ >= options_.series_max / 4) ||
      series_bytes_ + memo_.bytes() >= options_.bytes_max) {
    return nullptr;
  }
  auto series = std::make_unique<StreamSeries>();
  series->number = static_cast<uint32_t>(series_);
  series->family = &family;
  series->cumulative = cumulative;
  if (histogram) series->histogram = std::make_unique<NativeHistogram>(group.layout);
  series->created_seconds = UnixSeconds(clock_.System());
  series->labels = std::move(labels);
  CountBytes(*series);
  StreamSeries* const added = series.get();
  index_.emplace(SeriesKey{&family, added->labels->rendered()}, added);
  group.series.push_back(std::move(series));
  ++series_;
  unknown_series_ += !known;
  return added;
}

// A histogram is held three times: as it counts, frozen, and as its value.
void Store::CountBytes(StreamSeries& series) {
  const size_t bytes = kSeriesOverhead + 3 * series.labels->rendered().size() +
                       (series.histogram != nullptr ? 3 * series.histogram->MemoryBytes() : 0);
  series_bytes_ += bytes - series.bytes;
  series.bytes = bytes;
}

void Store::SetState(StreamSeries& series, double value) {
  if (series.family->type == MetricType::kInfo && !series.present) {
    // What it is now, it was not before: the others that differ in the last label alone are gone.
    const std::string_view last = series.family->labels.back().name;
    for (const std::unique_ptr<StreamSeries>& other : GroupOf(*series.family).series) {
      bool same = other.get() != &series;
      for (const LabelDescription& label : series.family->labels) {
        same &=
            label.name == last || other->labels->Get(label.name) == series.labels->Get(label.name);
      }
      if (same) other->present = false;
    }
  }
  // A running total that starts again.
  if (series.family->type == MetricType::kCounter && value < series.value) {
    series.created_seconds = UnixSeconds(clock_.System());
  }
  series.value = value;
}

}  // namespace spire_exporter::telemetry
