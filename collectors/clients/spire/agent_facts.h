// What an agent's telemetry tells of its state, for whoever has no better source. All of it is
// public knowledge of times and counts; no name is in here.
#ifndef COLLECTORS_CLIENTS_SPIRE_AGENT_FACTS_H_
#define COLLECTORS_CLIENTS_SPIRE_AGENT_FACTS_H_

#include <cstdint>
#include <optional>

#include "collectors/clients/spire/authority.h"

namespace spire_exporter::spire {

// Of the agent beside this process, published while it speaks. Subject: `agent`.
struct AgentTelemetryFact {
  // A synchronisation that was seen to succeed ended then, or a little later: never earlier. Absent
  // until one was seen.
  std::optional<UnixTime> last_sync;
  // Tries that were seen to fail since a synchronisation last succeeded.
  uint64_t failed_syncs = 0;
  std::optional<uint64_t> cached_x509_svids;
  std::optional<uint64_t> cached_jwt_svids;
  std::optional<UnixTime> started;  // the agent's process, good to a few seconds
  // Whether it has a trust bundle and is not starting anew; absent from agents that do not tell
  // (before 1.9).
  std::optional<bool> bootstrapped;
  bool rebootstrapping = false;  // when not bootstrapped: it had a bundle before

  bool operator==(const AgentTelemetryFact&) const = default;
};

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_AGENT_FACTS_H_
