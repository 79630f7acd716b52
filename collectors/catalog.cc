#include "collectors/catalog.h"

#include <array>

#include "collectors/telemetry/telemetry_module.h"

namespace spire_exporter {

std::span<const CatalogEntry> Catalog() {
  static const std::array<CatalogEntry, 1> kCatalog = {TelemetryCatalogEntry()};
  return kCatalog;
}

}  // namespace spire_exporter
