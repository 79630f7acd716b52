// What an answer of the agent's health endpoint means.
#ifndef COLLECTORS_AGENT_HEALTH_JUDGE_H_
#define COLLECTORS_AGENT_HEALTH_JUDGE_H_

#include <array>
#include <string_view>

#include "collectors/clients/http/response_reader.h"
#include "exporter/base/result.h"

namespace spire_exporter::agent {

// Closed; the values of the label `state`.
//   ok            200 and details of an agent
//   not_attested  its Workload API is not there: it has no SVID of its own yet, or is starting
//   failing       it says that it is not well, for another reason
//   foreign       something answers that is not an agent's health endpoint
//   timeout       no whole answer within the deadline
//   unreachable   refused, reset, or a name that stands for nothing
inline constexpr std::array<std::string_view, 6> kHealthStates = {
    "failing", "foreign", "not_attested", "ok", "timeout", "unreachable"};

// Pure. SPIRE answers `/live` and `/ready` with 200 or 500 and with JSON, `{"agent":{}}` when all
// is well and else `{"agent":{"make_new_x509_err":"workload api is unavailable"}}`
// (pkg/agent/agent.go, agentHealthDetails).
std::string_view JudgeHealth(const Result<HttpReply>& reply);

}  // namespace spire_exporter::agent

#endif  // COLLECTORS_AGENT_HEALTH_JUDGE_H_
