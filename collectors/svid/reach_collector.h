// The target `servers`: the SPIRE servers as they are reached from where this process runs, without
// any right, and whether one and the same trust is seen.
#ifndef COLLECTORS_SVID_REACH_COLLECTOR_H_
#define COLLECTORS_SVID_REACH_COLLECTOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collectors/clients/net/dial.h"
#include "collectors/clients/net/waiter.h"
#include "collectors/clients/spire/channel.h"
#include "collectors/svid/reach_options.h"
#include "exporter/base/result.h"
#include "exporter/collect/collector.h"

namespace spire_exporter::svid {

struct HostPort {
  std::string host;
  uint16_t port = 0;
};
// `host:port`, `[v6]:port`; kInvalidArgument says what is wrong.
Result<HostPort> ParseServerAddress(const std::string& address);
// One or several, separated by commas: the servers are what they all stand for, and names that are
// not known now hide nothing of the others.
Result<std::vector<HostPort>> ParseServerAddresses(const std::string& addresses);

// What the servers' name stands for just now, within the waiter's deadline.
using ResolveServers = std::function<Result<std::vector<SocketAddress>>(const Waiter& waiter)>;
// By the system's resolver, for addresses that ParseServerAddresses() has found good.
ResolveServers MakeResolveServers(const std::string& addresses);

// `agent`: the Workload API of this place, for the bundle that it serves; null without one. `seed`
// differs from process to process, so that they do not look at the servers together. Publishes
// spire::ServersFact. The address must have been found good by ParseServerAddresses().
std::unique_ptr<Collector> MakeReachCollector(const ReachOptions& options,
                                              std::shared_ptr<spire::Channel> agent, uint64_t seed);
// The same with another way to look up names.
std::unique_ptr<Collector> MakeReachCollector(const ReachOptions& options,
                                              std::shared_ptr<spire::Channel> agent, uint64_t seed,
                                              ResolveServers resolve);

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_REACH_COLLECTOR_H_
