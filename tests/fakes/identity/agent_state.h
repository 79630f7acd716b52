// What an agent keeps over a restart: its own SVID and its bundle, not the SVIDs of workloads.
#ifndef TESTS_FAKES_IDENTITY_AGENT_STATE_H_
#define TESTS_FAKES_IDENTITY_AGENT_STATE_H_

#include <optional>
#include <string>
#include <vector>

#include "exporter/base/result.h"
#include "tests/fakes/identity/authority.h"

namespace spire_exporter::fakes {

struct AgentState {
  std::optional<Svid> own;
  std::vector<std::string> roots;  // DER
  std::string jwks;
  bool token_used = false;
};

Status SaveAgentState(const std::string& path, const AgentState& state);
Result<AgentState> LoadAgentState(const std::string& path);

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_AGENT_STATE_H_
