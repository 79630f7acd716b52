// Fuzzes the reader of SPIRE's Prometheus page, and the mapping of whatever it lets through:
// neither may crash, and what comes out keeps the promises that the store builds on.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "collectors/telemetry/text_page.h"

using spire_exporter::HistogramLayout;
using spire_exporter::Label;
using spire_exporter::NativeHistogram;
using spire_exporter::telemetry::Mapped;
using spire_exporter::telemetry::MapSeries;
using spire_exporter::telemetry::ParseTextPage;
using spire_exporter::telemetry::PlaceStep;
using spire_exporter::telemetry::ScrapedSeries;
using spire_exporter::telemetry::StepError;
using spire_exporter::telemetry::WireKind;

namespace {

void Require(bool promise) {
  if (!promise) std::abort();
}

void CheckMapped(const Mapped& mapped) {
  if (mapped.family == nullptr) return;
  for (const auto& [name, value] : mapped.labels) {
    Require(!value.empty() && value.size() <= 128);
    for (const char c : value) Require(c > ' ' && c < '\x7f' && c != '"' && c != '\\');
  }
}

// As the step from an empty page: whatever the page says, nothing is lost and no sum is spoilt.
void CheckPlaced(const ScrapedSeries& series) {
  if (series.kind != WireKind::kTimer || series.count == 0) return;
  NativeHistogram histogram(HistogramLayout::Make(3, {0.01, 1}).value());
  const auto count = static_cast<uint64_t>(series.count);
  PlaceStep({count, series.value * 0.001, StepError(series.value * 0.001, series.count, 1), 0.001},
            series.quantiles, &histogram);
  Require(histogram.count() == count);
  Require(std::isfinite(histogram.sum()));
  const double sum = std::max(0.0, series.value * 0.001);
  Require(std::abs(histogram.sum() - sum) <= sum * 1e-6 + 1e-300);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view page(reinterpret_cast<const char*>(data), size);
  const auto parsed = ParseTextPage(page);
  if (!parsed.ok()) {
    Require(parsed.error().what.starts_with("line "));
    return 0;
  }
  for (const ScrapedSeries& series : *parsed) {
    Require(!series.key.empty() && std::isfinite(series.value));
    if (series.kind == WireKind::kCounter) Require(series.value >= 0);
    Require(series.count >= 0 && series.count == std::floor(series.count));
    CheckPlaced(series);
    std::vector<Label> tags;
    for (const auto& [name, value] : series.tags) tags.push_back({name, value});
    CheckMapped(MapSeries(series.key, series.kind, tags, ""));
    CheckMapped(MapSeries(series.key, series.kind, tags, "acme", "agent"));
  }
  return 0;
}
