// Fuzzes the reader of SPIRE's Prometheus page, and the mapping of whatever it lets through:
// neither may crash, and what comes out keeps the promises that the store builds on.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "collectors/telemetry/text_page.h"

using spire_exporter::Label;
using spire_exporter::telemetry::Mapped;
using spire_exporter::telemetry::MapSeries;
using spire_exporter::telemetry::ParseTextPage;
using spire_exporter::telemetry::ScrapedSeries;
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
    std::vector<Label> tags;
    for (const auto& [name, value] : series.tags) tags.push_back({name, value});
    CheckMapped(MapSeries(series.key, series.kind, tags, ""));
    CheckMapped(MapSeries(series.key, series.kind, tags, "acme", "agent"));
  }
  return 0;
}
