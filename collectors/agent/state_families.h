// What is shown of the agent beside this process.
#ifndef COLLECTORS_AGENT_STATE_FAMILIES_H_
#define COLLECTORS_AGENT_STATE_FAMILIES_H_

#include <cstdint>
#include <span>

#include "collectors/agent/state_judge.h"
#include "exporter/metrics/description.h"
#include "exporter/metrics/family.h"

namespace spire_exporter::agent {

std::span<const FamilyDescription* const> StateFamilies();

// How many SVIDs the agent's caches are meant to hold.
struct CacheLimits {
  int64_t x509 = 1000;
  int64_t jwt = 1000;
};

void AddState(const StateView& view, const CacheLimits& limits, FamilyBuilder& families);

}  // namespace spire_exporter::agent

#endif  // COLLECTORS_AGENT_STATE_FAMILIES_H_
