// Asks the agent's health endpoint.
#ifndef COLLECTORS_AGENT_HEALTH_COLLECTOR_H_
#define COLLECTORS_AGENT_HEALTH_COLLECTOR_H_

#include <memory>
#include <span>
#include <vector>

#include "collectors/agent/agent_options.h"
#include "exporter/base/clock.h"
#include "exporter/collect/collector.h"
#include "exporter/collect/module.h"

namespace spire_exporter::agent {

std::span<const FamilyDescription* const> HealthFamilies();

// The target `health`: two requests a round, of at most 64 KiB each. An answer of any kind is a
// state and no failure; the reading's problem is that of an endpoint that cannot be asked.
// `options.health_url` is not empty.
std::unique_ptr<Collector> MakeHealthCollector(const AgentOptions& options);

// One try, for `spire-exporter check`.
CheckLine CheckHealth(const AgentOptions& options, const Clock& clock, const Deadline& deadline);

}  // namespace spire_exporter::agent

#endif  // COLLECTORS_AGENT_HEALTH_COLLECTOR_H_
