#include "exporter/expose/page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace spire_exporter {
namespace {

bool IsHistogram(MetricType type) {
  return type == MetricType::kHistogram || type == MetricType::kGaugeHistogram;
}

bool HasShape(const HistogramValue& histogram) {
  const size_t bounds = histogram.bounds == nullptr ? 0 : histogram.bounds->size();
  return histogram.cumulative.empty() || histogram.cumulative.size() == bounds;
}

bool WellFormed(MetricType type, const Series& series) {
  if (series.labels == nullptr) return false;
  if (!IsHistogram(type)) return true;
  return series.histogram != nullptr && HasShape(*series.histogram) &&
         series.labels->Get("le").empty();
}

bool LabelsLess(const Series* a, const Series* b) {
  return a->labels->rendered() < b->labels->rendered();
}
bool LabelsEqual(const Series* a, const Series* b) {
  return a->labels->rendered() == b->labels->rendered();
}

// What may follow the base name in the sample names of a type, in any format.
std::span<const std::string_view> SuffixesOf(MetricType type) {
  static constexpr std::array<std::string_view, 2> kCounter = {"_total", "_created"};
  static constexpr std::array<std::string_view, 4> kHistogram = {"_bucket", "_count", "_sum",
                                                                 "_created"};
  static constexpr std::array<std::string_view, 3> kGaugeHistogram = {"_bucket", "_gcount",
                                                                      "_gsum"};
  static constexpr std::array<std::string_view, 1> kInfo = {"_info"};
  switch (type) {
    case MetricType::kCounter:
      return kCounter;
    case MetricType::kHistogram:
      return kHistogram;
    case MetricType::kGaugeHistogram:
      return kGaugeHistogram;
    case MetricType::kInfo:
      return kInfo;
    case MetricType::kGauge:
    case MetricType::kStateSet:
    case MetricType::kUnknown:
      break;
  }
  return {};
}

bool Claims(const FamilyDescription& owner, std::string_view name) {
  const std::string_view base = BaseName(owner);
  if (name.substr(0, base.size()) != base) return false;
  const std::string_view rest = name.substr(base.size());
  const auto suffixes = SuffixesOf(owner.type);
  return rest.empty() || std::find(suffixes.begin(), suffixes.end(), rest) != suffixes.end();
}

// Whether the two could not stand on one page: one family, or one sample of it, would have the
// other's name.
bool Clash(const FamilyDescription& a, const FamilyDescription& b) {
  return Claims(a, b.name) || Claims(a, BaseName(b)) || Claims(b, a.name) || Claims(b, BaseName(a));
}

}  // namespace

std::string_view BaseName(const FamilyDescription& description) {
  const auto without = [&](std::string_view suffix) {
    std::string_view name = description.name;
    if (name.size() > suffix.size() && name.substr(name.size() - suffix.size()) == suffix) {
      name.remove_suffix(suffix.size());
    }
    return name;
  };
  if (description.type == MetricType::kCounter) return without("_total");
  if (description.type == MetricType::kInfo) return without("_info");
  return description.name;
}

Page Page::Merge(std::vector<std::shared_ptr<const Snapshot>> snapshots, Detail most) {
  Page page;
  page.snapshots_ = std::move(snapshots);
  std::vector<const Family*> parts;
  size_t series = 0;
  for (const auto& snapshot : page.snapshots_) {
    if (snapshot == nullptr) continue;
    for (const Family& family : snapshot->families) {
      if (family.description == nullptr || family.series.empty()) continue;
      if (family.description->detail > most) continue;
      parts.push_back(&family);
      series += family.series.size();
    }
  }
  // Stable, so that of several parts with one name the first snapshot's comes first.
  std::stable_sort(parts.begin(), parts.end(), [](const Family* a, const Family* b) {
    return a->description->name < b->description->name;
  });
  page.series_.reserve(series);
  for (size_t i = 0; i < parts.size();) {
    size_t end = i + 1;
    while (end < parts.size() && parts[end]->description->name == parts[i]->description->name) {
      ++end;
    }
    page.Append(*parts[i]->description, std::span(parts).subspan(i, end - i));
    i = end;
  }
  page.DropNameClashes();
  return page;
}

size_t Page::series_count() const {
  size_t count = 0;
  for (const PageFamily& family : families_) count += family.series.size();
  return count;
}

void Page::Append(const FamilyDescription& description, std::span<const Family* const> parts) {
  const size_t begin = series_.size();
  for (const Family* part : parts) {
    if (part->description->type != description.type) {
      ++report_.type_conflicts;
      continue;
    }
    for (const Series& series : part->series) {
      if (WellFormed(description.type, series)) {
        series_.push_back(&series);
      } else {
        ++report_.malformed_series;
      }
    }
  }
  const auto first = series_.begin() + static_cast<std::ptrdiff_t>(begin);
  // Most snapshots come sorted and without repetition; that costs one comparison a series to see.
  const auto in_order = [](const Series* a, const Series* b) { return !LabelsLess(a, b); };
  if (std::adjacent_find(first, series_.end(), in_order) == series_.end()) {
    AddFamily(description, begin);
    return;
  }
  std::stable_sort(first, series_.end(), LabelsLess);
  const auto last = std::unique(first, series_.end(), LabelsEqual);
  report_.duplicate_series += static_cast<size_t>(series_.end() - last);
  series_.erase(last, series_.end());
  AddFamily(description, begin);
}

void Page::AddFamily(const FamilyDescription& description, size_t begin) {
  if (series_.size() == begin) return;
  families_.push_back({&description, std::span(series_).subspan(begin)});
}

// A page on which two families share a sample name is no valid page in any format, so that one of
// the two must go rather than all.
void Page::DropNameClashes() {
  const auto less = [](const PageFamily& family, std::string_view name) {
    return family.description->name < name;
  };
  std::vector<bool> dropped(families_.size(), false);
  size_t clashes = 0;
  for (size_t i = 0; i < families_.size(); ++i) {
    if (dropped[i]) continue;
    const std::string_view base = BaseName(*families_[i].description);
    const auto begin = std::lower_bound(families_.begin(), families_.end(), base, less);
    // Whatever clashes has this base as the beginning of its name, and such names stand together.
    for (auto it = begin; it != families_.end(); ++it) {
      const std::string_view name = it->description->name;
      if (name.substr(0, base.size()) != base) break;
      const auto j = static_cast<size_t>(it - families_.begin());
      if (j == i || dropped[j] || !Clash(*families_[i].description, *it->description)) continue;
      dropped[std::max(i, j)] = true;
      ++clashes;
      if (dropped[i]) break;
    }
  }
  if (clashes == 0) return;
  report_.name_clashes = clashes;
  size_t kept = 0;
  for (size_t i = 0; i < families_.size(); ++i) {
    if (!dropped[i]) families_[kept++] = families_[i];
  }
  families_.resize(kept);
}

}  // namespace spire_exporter
