#include "collectors/catalog.h"

#include <array>

#include "collectors/datastore/datastore_module.h"
#include "collectors/postgres/postgres_module.h"
#include "collectors/telemetry/telemetry_module.h"

namespace spire_exporter {

std::span<const CatalogEntry> Catalog() {
  static const std::array<CatalogEntry, 3> kCatalog = {
      DatastoreCatalogEntry(), PostgresCatalogEntry(), TelemetryCatalogEntry()};
  return kCatalog;
}

}  // namespace spire_exporter
