#include "exporter/metrics/limits.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace spire_exporter {
namespace {

// `valid` is UTF-8: a continuation byte right after the cut means that the cut is in a character.
std::string_view CutUtf8(std::string_view valid, uint64_t bytes_max) {
  if (valid.size() <= bytes_max) return valid;
  size_t size = bytes_max;
  while (size > 0 && (static_cast<unsigned char>(valid[size]) & 0xc0) == 0x80) --size;
  return valid.substr(0, size);
}

// The labels as they may stay. Returns how many values were cut.
uint64_t CutLabels(std::shared_ptr<const LabelSet>& labels, uint64_t bytes_max) {
  uint64_t cut = 0;
  for (size_t i = 0; i < labels->size(); ++i) {
    if (labels->value(i).size() > bytes_max) ++cut;
  }
  if (cut == 0) return 0;
  std::vector<Label> shorter;
  for (size_t i = 0; i < labels->size(); ++i) {
    shorter.push_back({labels->name(i), CutUtf8(labels->value(i), bytes_max)});
  }
  labels = LabelSet::Make(shorter);
  return cut;
}

// Of series with equal labels the first stays. Returns how many went.
uint64_t DropRepeated(std::vector<Series>& series) {
  std::unordered_set<std::string_view> seen;
  return std::erase_if(series,
                       [&](const Series& s) { return !seen.insert(s.labels->rendered()).second; });
}

}  // namespace

LimitCounts ApplyLimits(FamilyList& families, const Limits& limits) {
  LimitCounts counts;
  uint64_t room = limits.series_max;
  for (Family& family : families) {
    uint64_t cut = 0;
    for (Series& series : family.series) cut += CutLabels(series.labels, limits.label_length_max);
    counts.labels_cut += cut;
    if (cut != 0) counts.series += DropRepeated(family.series);

    const uint64_t most = std::min<uint64_t>(room, family.description->series_max);
    if (family.series.size() > most) {
      counts.series += family.series.size() - most;
      family.series.resize(most);
    }
    room -= family.series.size();
  }
  return counts;
}

}  // namespace spire_exporter
