// SPIRE's own tables.
#ifndef COLLECTORS_DATASTORE_DATASTORE_MODULE_H_
#define COLLECTORS_DATASTORE_DATASTORE_MODULE_H_

#include "exporter/collect/module.h"

namespace spire_exporter {

// The line of the catalogue.
const CatalogEntry& DatastoreCatalogEntry();

}  // namespace spire_exporter

#endif  // COLLECTORS_DATASTORE_DATASTORE_MODULE_H_
