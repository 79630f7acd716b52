#include "collectors/telemetry/frozen_store.h"

#include <utility>

namespace spire_exporter::telemetry {

void SnapshotMaker::Append(const FrozenStore& frozen, FamilyList* families) {
  size_t at = 0;
  for (const FrozenStore::Group& group : frozen.groups) {
    Family family;
    family.description = group.family;
    family.series.reserve(group.end - at);
    for (; at < group.end; ++at) {
      const FrozenStore::One& one = frozen.series[at];
      std::shared_ptr<const HistogramValue> value;
      if (group.family->type == MetricType::kHistogram) {
        const size_t number = one.series->number;
        if (number >= values_.size()) values_.resize(number + 1);
        if (one.histogram != FrozenStore::kUnchanged) {
          values_[number] = frozen.histograms.Value(one.histogram);
        }
        value = values_[number];
      }
      family.series.push_back(
          Series{one.series->labels, one.value, std::move(value), one.created_seconds});
    }
    families->push_back(std::move(family));
  }
}

}  // namespace spire_exporter::telemetry
