#include "collectors/telemetry/stream_series.h"

#include <cmath>
#include <map>
#include <utility>

#include "exporter/base/utf8.h"

namespace spire_exporter::telemetry {

std::shared_ptr<const LabelSet> MakeSeriesLabels(const Mapped& mapped, size_t length_max) {
  std::vector<Label> labels;
  labels.reserve(mapped.labels.size());
  for (const auto& [name, value] : mapped.labels) {
    std::string_view kept = value;
    if (kept.size() > length_max) {
      kept = kept.substr(0, length_max);
      // A character cut in two would become U+FFFD; it goes as a whole.
      const size_t torn = FindInvalidUtf8(kept);
      if (torn != std::string_view::npos && torn + 4 > kept.size()) kept = kept.substr(0, torn);
    }
    labels.push_back({name, kept});
  }
  return LabelSet::Make(labels);
}

PreparedPage PreparePage(const ScrapedPage& page, std::string_view prefix,
                         std::string_view component_hint, size_t length_max) {
  PreparedPage prepared;
  prepared.asked = page.asked;
  prepared.received = page.received;
  prepared.series.reserve(page.series.size());
  std::vector<Label> tags;
  // Mapping may bring several of SPIRE's series together (rare statuses, another host label): their
  // totals add up before anybody compares them with the page before.
  std::map<std::pair<const FamilyDescription*, std::string_view>, size_t> places;
  for (const ScrapedSeries& series : page.series) {
    if (!std::isfinite(series.value) || !std::isfinite(series.count)) continue;
    tags.clear();
    for (const auto& [name, value] : series.tags) tags.push_back({name, value});
    const Mapped mapped = MapSeries(series.key, series.kind, tags, prefix, component_hint);
    if (mapped.family == nullptr) continue;
    PreparedSeries out;
    out.family = mapped.family;
    out.effect = mapped.effect;
    out.known = mapped.known;
    switch (mapped.effect) {
      case Effect::kObserve:
        out.totals = {series.count, series.value * mapped.scale};
        out.scale = mapped.scale;
        out.quantiles = series.quantiles;
        break;
      case Effect::kAdd:
      case Effect::kSum:
        out.totals = {series.value * mapped.scale, 0};
        break;
      case Effect::kSet:
      case Effect::kHeartbeat:
        if (series.value >= mapped.absent_below) out.value = series.value * mapped.scale;
        break;
      case Effect::kCrossCheck:
      case Effect::kSelf:
      case Effect::kIgnore:
        continue;
    }
    out.labels = MakeSeriesLabels(mapped, length_max);
    const auto [place, added] =
        places.try_emplace({out.family, out.labels->rendered()}, prepared.series.size());
    if (added) {
      prepared.series.push_back(std::move(out));
      continue;
    }
    PreparedSeries& there = prepared.series[place->second];
    there.totals.count += out.totals.count;
    there.totals.sum += out.totals.sum;
    ++there.members;
    if (!std::isnan(out.quantiles[0])) {
      there.quantiles = std::isnan(there.quantiles[0]) ? out.quantiles : kNoQuantiles;
    }
    if (out.value) there.value = out.value;
  }
  return prepared;
}

}  // namespace spire_exporter::telemetry
