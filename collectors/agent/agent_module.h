// The agent beside this process: its health, its synchronisation, its caches, its own SVID.
#ifndef COLLECTORS_AGENT_AGENT_MODULE_H_
#define COLLECTORS_AGENT_AGENT_MODULE_H_

#include "exporter/collect/module.h"

namespace spire_exporter {

// The line of the catalogue.
const CatalogEntry& AgentCatalogEntry();

}  // namespace spire_exporter

#endif  // COLLECTORS_AGENT_AGENT_MODULE_H_
