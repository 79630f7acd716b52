// SPIRE's own files where they are mounted read-only: its configuration and its audit log.
#ifndef COLLECTORS_SPIRE_CONFIG_SPIRE_CONFIG_MODULE_H_
#define COLLECTORS_SPIRE_CONFIG_SPIRE_CONFIG_MODULE_H_

#include "exporter/collect/module.h"

namespace spire_exporter {

// The line of the catalogue.
const CatalogEntry& SpireConfigCatalogEntry();

}  // namespace spire_exporter

#endif  // COLLECTORS_SPIRE_CONFIG_SPIRE_CONFIG_MODULE_H_
