// Reads how the agent beside this process stands.
#ifndef COLLECTORS_AGENT_STATE_COLLECTOR_H_
#define COLLECTORS_AGENT_STATE_COLLECTOR_H_

#include <memory>

#include "collectors/agent/agent_options.h"
#include "exporter/base/clock.h"
#include "exporter/collect/collector.h"
#include "exporter/collect/module.h"

namespace spire_exporter::agent {

// The target `state`. Asks the admin socket where there is one, 0.3 ms of the agent's time; takes
// AgentTelemetryFact `agent` and SpireConfigFact `agent` from the board. Publishes SyncFact `sync`
// while one of the two sources speaks, and Horizon `agent/cache` while the socket does. A socket
// that does not answer is the reading's problem and hides nothing else.
std::unique_ptr<Collector> MakeStateCollector(const AgentOptions& options);

// One call, for `spire-exporter check`. `options.admin_socket` is not empty.
CheckLine CheckAdmin(const AgentOptions& options, const Clock& clock, const Deadline& deadline);

}  // namespace spire_exporter::agent

#endif  // COLLECTORS_AGENT_STATE_COLLECTOR_H_
