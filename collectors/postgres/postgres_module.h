// PostgreSQL itself: replication, locks, capacity.
#ifndef COLLECTORS_POSTGRES_POSTGRES_MODULE_H_
#define COLLECTORS_POSTGRES_POSTGRES_MODULE_H_

#include "exporter/collect/module.h"

namespace spire_exporter {

// The line of the catalogue.
const CatalogEntry& PostgresCatalogEntry();

}  // namespace spire_exporter

#endif  // COLLECTORS_POSTGRES_POSTGRES_MODULE_H_
