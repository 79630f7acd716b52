// Publishes what the stream has told of the agent's SVIDs: the target `renewals`.
#ifndef COLLECTORS_TELEMETRY_WATCH_COLLECTOR_H_
#define COLLECTORS_TELEMETRY_WATCH_COLLECTOR_H_

#include <memory>

#include "collectors/telemetry/agent_watch.h"
#include "exporter/collect/collector.h"

namespace spire_exporter::telemetry {

// Publishes spire::Horizon `workload/ledger` and spire::SyncFact `sync/stream`, each as observed
// when the source last spoke, and neither before it has told anything of the kind. The lifetime of
// SVIDs is the shorter of spire::SpireConfigFact `runway`, else `server`, and what the canary was
// issued. Publishes `agent/ledger` where the agent's renewal of its own was seen, and its lifetime
// is said by the same. Shows no family. `watch` outlives it.
std::unique_ptr<Collector> MakeWatchCollector(AgentWatch& watch);

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_WATCH_COLLECTOR_H_
