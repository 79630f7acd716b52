// OpenMetrics text 1.0.0 (prometheus.io, "OpenMetrics 1.0", "Text format").
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "exporter/expose/format_writers.h"
#include "exporter/expose/sample_lines.h"

namespace spire_exporter {
namespace {

// The type that the family can honestly claim here: see writer.h for why it may differ from the
// description's.
MetricType OpenMetricsType(const FamilyDescription& description) {
  const bool bare = BaseName(description).size() == description.name.size();
  switch (description.type) {
    case MetricType::kCounter:
    case MetricType::kInfo:
      return bare ? MetricType::kUnknown : description.type;
    case MetricType::kStateSet: {
      const bool named =
          !description.labels.empty() && description.labels.back().name == description.name;
      return named ? MetricType::kStateSet : MetricType::kGauge;
    }
    case MetricType::kGauge:
    case MetricType::kHistogram:
    case MetricType::kGaugeHistogram:
    case MetricType::kUnknown:
      break;
  }
  return description.type;
}

bool EndsInUnit(std::string_view name, std::string_view unit) {
  return name.size() > unit.size() && name.substr(name.size() - unit.size()) == unit &&
         name[name.size() - unit.size() - 1] == '_';
}

void WriteHead(Output& out, const FamilyDescription& description, std::string_view name,
               MetricType type) {
  WriteMetadata(out, "TYPE", name, "", MetricTypeName(type), true);
  const bool may_have_unit = type != MetricType::kInfo && type != MetricType::kStateSet;
  if (may_have_unit && !description.unit.empty() && EndsInUnit(name, description.unit)) {
    WriteMetadata(out, "UNIT", name, "", description.unit, true);
  }
  if (!description.help.empty()) {
    WriteMetadata(out, "HELP", name, "", description.help, true);
  }
}

// Whether OpenMetrics allows `_sum` (`_gsum`), and `_count` (`_gcount`), which goes with it.
bool MayHaveSum(MetricType type, const HistogramValue& histogram) {
  const bool negative_bound = !histogram.cumulative.empty() && histogram.bounds->front() < 0;
  if (std::isnan(histogram.sum)) return false;
  if (type == MetricType::kGaugeHistogram) return negative_bound || histogram.sum >= 0;
  return !negative_bound && histogram.sum >= 0;
}

void WriteHistograms(Output& out, const PageFamily& family, bool created) {
  const std::string_view name = family.description->name;
  const MetricType type = family.description->type;
  const bool gauge = type == MetricType::kGaugeHistogram;
  BucketLines buckets(name);
  const SampleLines sums(name, gauge ? "_gsum" : "_sum");
  const SampleLines counts(name, gauge ? "_gcount" : "_count");
  const SampleLines creations(name, "_created");
  for (const Series* series : family.series) {
    const HistogramValue& histogram = *series->histogram;
    buckets.Write(out, *series->labels, histogram);
    if (MayHaveSum(type, histogram)) {
      sums.Write(out, *series->labels, histogram.sum);
      counts.WriteCount(out, *series->labels, histogram.count);
    }
    if (created && !gauge && series->created_seconds > 0) {
      creations.Write(out, *series->labels, series->created_seconds);
    }
  }
}

// The states of one server, say, stand together here, which in the page's order they do only when
// the state's label sorts last: OpenMetrics forbids to interleave what differs in other labels.
void WriteStateSets(Output& out, const PageFamily& family) {
  const std::string_view state_label = family.description->name;
  std::vector<std::pair<std::string, const Series*>> grouped;
  grouped.reserve(family.series.size());
  for (const Series* series : family.series) {
    std::string others;
    for (size_t i = 0; i < series->labels->size(); ++i) {
      if (series->labels->name(i) == state_label) continue;
      others.append(series->labels->name(i)).append(1, '\0');
      others.append(series->labels->value(i)).append(1, '\0');
    }
    grouped.emplace_back(std::move(others), series);
  }
  std::stable_sort(grouped.begin(), grouped.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const SampleLines samples(state_label, "");
  for (const auto& entry : grouped) {
    samples.Write(out, *entry.second->labels, entry.second->value);
  }
}

void WriteFamily(Output& out, const PageFamily& family, bool created) {
  const FamilyDescription& description = *family.description;
  const MetricType type = OpenMetricsType(description);
  const std::string_view base = BaseName(description);
  WriteHead(out, description, base, type);
  if (type == MetricType::kHistogram || type == MetricType::kGaugeHistogram) {
    WriteHistograms(out, family, created);
    return;
  }
  if (type == MetricType::kStateSet) {
    WriteStateSets(out, family);
    return;
  }
  const bool with_creations = created && type == MetricType::kCounter;
  const SampleLines samples(description.name, "");
  const SampleLines creations(base, "_created");
  for (const Series* series : family.series) {
    samples.Write(out, *series->labels, series->value);
    if (with_creations && series->created_seconds > 0) {
      creations.Write(out, *series->labels, series->created_seconds);
    }
  }
}

}  // namespace

void WriteOpenMetrics(const Page& page, const WriteOptions& options, std::string& text) {
  Output out(text, ExpectedTextSize(page));
  for (const PageFamily& family : page.families()) {
    WriteFamily(out, family, options.created_samples);
  }
  out.Append("# EOF\n");
}

}  // namespace spire_exporter
