// What an agent says of itself on its admin socket.
#ifndef COLLECTORS_CLIENTS_SPIRE_AGENT_ADMIN_H_
#define COLLECTORS_CLIENTS_SPIRE_AGENT_ADMIN_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "collectors/clients/spire/authority.h"
#include "collectors/clients/spire/call.h"
#include "collectors/clients/spire/channel.h"
#include "exporter/base/result.h"

namespace spire_exporter::spire {

struct AgentInfo {
  std::vector<UnixTime> svid_chain_expiry;  // of the agent's own SVID, the leaf first
  std::chrono::seconds uptime{0};
  // Of the last synchronisation in which entries, taints and signatures all succeeded; absent
  // before the first, and from agents that do not tell.
  std::optional<UnixTime> last_sync_success;
  uint64_t cached_x509_svids = 0;
  // Absent from agents that do not tell them apart (before 1.13).
  std::optional<uint64_t> cached_jwt_svids;
  std::optional<uint64_t> cached_svidstore_svids;
};

// spire.agent.debug.v1.Debug/GetInfo. The agent keeps its answer for 5 s. kInternal when its own
// SVID no longer verifies against its bundle: then nothing is told. Safe from any thread.
class AgentAdmin {
 public:
  explicit AgentAdmin(std::shared_ptr<Channel> channel);
  Result<AgentInfo> GetInfo(const Call& call) const;

 private:
  std::shared_ptr<Channel> channel_;
};

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_AGENT_ADMIN_H_
