// Versions of servers, agents and schema against each other.
#ifndef COLLECTORS_SKEW_SKEW_MODULE_H_
#define COLLECTORS_SKEW_SKEW_MODULE_H_

#include "exporter/collect/module.h"

namespace spire_exporter {

// The line of the catalogue.
const CatalogEntry& SkewCatalogEntry();

}  // namespace spire_exporter

#endif  // COLLECTORS_SKEW_SKEW_MODULE_H_
