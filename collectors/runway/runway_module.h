// How long identities last if nothing is issued any more.
#ifndef COLLECTORS_RUNWAY_RUNWAY_MODULE_H_
#define COLLECTORS_RUNWAY_RUNWAY_MODULE_H_

#include "exporter/collect/module.h"

namespace spire_exporter {

// The line of the catalogue.
const CatalogEntry& RunwayCatalogEntry();

}  // namespace spire_exporter

#endif  // COLLECTORS_RUNWAY_RUNWAY_MODULE_H_
