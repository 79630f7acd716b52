// Prometheus text format 0.0.4 (prometheus.io, "Exposition formats", "Text-based format").
#include "exporter/expose/format_writers.h"
#include "exporter/expose/sample_lines.h"

namespace spire_exporter {
namespace {

std::string_view TextType(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kHistogram:
      return "histogram";
    case MetricType::kGauge:
    case MetricType::kGaugeHistogram:
    case MetricType::kInfo:
    case MetricType::kStateSet:
      return "gauge";
    case MetricType::kUnknown:
      break;
  }
  return "untyped";
}

void WriteHead(Output& out, const FamilyDescription& description, std::string_view suffix) {
  if (!description.help.empty()) {
    WriteMetadata(out, "HELP", description.name, suffix, description.help, false);
  }
  WriteMetadata(out, "TYPE", description.name, suffix, TextType(description.type), false);
}

void WriteHistograms(Output& out, const PageFamily& family) {
  const std::string_view name = family.description->name;
  BucketLines buckets(name);
  const SampleLines sums(name, "_sum");
  const SampleLines counts(name, "_count");
  WriteHead(out, *family.description, "");
  for (const Series* series : family.series) {
    const HistogramValue& histogram = *series->histogram;
    buckets.Write(out, *series->labels, histogram);
    sums.Write(out, *series->labels, histogram.sum);
    counts.WriteCount(out, *series->labels, histogram.count);
  }
}

// Each of the three sample names is a family, so that each comes with all its series before the
// next.
void WriteGaugeHistograms(Output& out, const PageFamily& family) {
  const FamilyDescription& description = *family.description;
  BucketLines buckets(description.name);
  WriteHead(out, description, "_bucket");
  for (const Series* series : family.series) {
    buckets.Write(out, *series->labels, *series->histogram);
  }
  const SampleLines counts(description.name, "_gcount");
  WriteHead(out, description, "_gcount");
  for (const Series* series : family.series) {
    counts.WriteCount(out, *series->labels, series->histogram->count);
  }
  const SampleLines sums(description.name, "_gsum");
  WriteHead(out, description, "_gsum");
  for (const Series* series : family.series) {
    sums.Write(out, *series->labels, series->histogram->sum);
  }
}

void WriteScalars(Output& out, const PageFamily& family) {
  const SampleLines samples(family.description->name, "");
  WriteHead(out, *family.description, "");
  for (const Series* series : family.series) samples.Write(out, *series->labels, series->value);
}

}  // namespace

void WriteText(const Page& page, std::string& text) {
  Output out(text, ExpectedTextSize(page));
  for (const PageFamily& family : page.families()) {
    switch (family.description->type) {
      case MetricType::kHistogram:
        WriteHistograms(out, family);
        continue;
      case MetricType::kGaugeHistogram:
        WriteGaugeHistograms(out, family);
        continue;
      case MetricType::kCounter:
      case MetricType::kGauge:
      case MetricType::kInfo:
      case MetricType::kStateSet:
      case MetricType::kUnknown:
        break;
    }
    WriteScalars(out, family);
  }
}

}  // namespace spire_exporter
