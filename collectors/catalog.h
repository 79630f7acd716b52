// Every collector there is, as one explicit table: to add a collector, add a line to catalog.cc.
#ifndef COLLECTORS_CATALOG_H_
#define COLLECTORS_CATALOG_H_

#include <span>

#include "exporter/collect/module.h"

namespace spire_exporter {

// Static storage, sorted by name.
std::span<const CatalogEntry> Catalog();

}  // namespace spire_exporter

#endif  // COLLECTORS_CATALOG_H_
