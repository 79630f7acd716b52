#include "collectors/clients/spire/agent_admin.h"

#include <algorithm>
#include <utility>

#include "collectors/clients/spire/agent_info.pb.h"
#include "collectors/clients/spire/read_message.h"
#include "collectors/clients/spire/socket_channel.h"
#include "collectors/clients/spire/unix_time.h"

namespace spire_exporter::spire {
namespace {

constexpr size_t kChainMax = 100;

uint64_t Count(int32_t count) {
  return static_cast<uint64_t>(std::max(0, count));
}

}  // namespace

AgentAdmin::AgentAdmin(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

Result<AgentInfo> AgentAdmin::GetInfo(const Call& call) const {
  const auto bytes = AsSocket(channel_).Ask(Method::kAgentInfo, "", call);
  if (!bytes.ok()) return bytes.error();
  const auto message = ReadMessage<wire::AgentInfoResponse>(Method::kAgentInfo, *bytes, kChainMax);
  if (!message.ok()) return message.error();
  AgentInfo info;
  for (const auto& certificate : message->svid_chain()) {
    info.svid_chain_expiry.push_back(ToUnixTime(certificate.expires_at()));
  }
  info.uptime = std::chrono::seconds(std::max(0, message->uptime()));
  // Go's zero time, of an agent that never synchronised, lies before 1970.
  if (message->last_sync_success() > 0) {
    info.last_sync_success = ToUnixTime(message->last_sync_success());
  }
  // A count of zero is not sent: the newer fields are told from missing ones by the older one,
  // which is the sum in old agents and the first of the three in new ones.
  const bool told = message->cached_x509_svids_count() != 0 ||
                    message->cached_jwt_svids_count() != 0 ||
                    message->cached_svidstore_x509_svids_count() != 0;
  info.cached_x509_svids =
      Count(told ? message->cached_x509_svids_count() : message->svids_count());
  if (told) {
    info.cached_jwt_svids = Count(message->cached_jwt_svids_count());
    info.cached_svidstore_svids = Count(message->cached_svidstore_x509_svids_count());
  }
  return info;
}

}  // namespace spire_exporter::spire
