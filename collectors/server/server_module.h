// The server beside this process: its health, and what its API socket says where that is opted in.
#ifndef COLLECTORS_SERVER_SERVER_MODULE_H_
#define COLLECTORS_SERVER_SERVER_MODULE_H_

#include "exporter/collect/module.h"

namespace spire_exporter {

// The line of the catalogue.
const CatalogEntry& ServerCatalogEntry();

}  // namespace spire_exporter

#endif  // COLLECTORS_SERVER_SERVER_MODULE_H_
