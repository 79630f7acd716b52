// When agents' own SVIDs end, from both tiers: facts for the outage runway.
#ifndef COLLECTORS_DATASTORE_AGENTS_HORIZON_H_
#define COLLECTORS_DATASTORE_AGENTS_HORIZON_H_

#include <optional>
#include <string_view>

#include "collectors/clients/spire/runway_facts.h"
#include "collectors/datastore/summary_read.h"

namespace spire_exporter::datastore {

// The subject of the fact that tier 2 publishes, for tier 1 alone: all agents, as of the survey.
inline constexpr std::string_view kSurveyedAgents = "agent/datastore/survey";

// The first agents as of now, with those of the last survey behind them. While agents renew, these
// are what they were then: too early, never too late. Whole when it holds all agents. Where bans
// may not be read there is `expiries` alone, which may be of a banned agent. Nothing without
// agents.
std::optional<spire::Horizon> AgentsHorizon(const std::optional<FirstAgents>& first,
                                            const std::optional<AgentExpiries>& expiries,
                                            const spire::Horizon* surveyed);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_AGENTS_HORIZON_H_
