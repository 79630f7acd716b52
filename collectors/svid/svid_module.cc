#include "collectors/svid/svid_module.h"

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/clients/spire/channel.h"
#include "collectors/svid/canary_collector.h"
#include "collectors/svid/canary_families.h"
#include "collectors/svid/reach_check.h"
#include "collectors/svid/reach_collector.h"
#include "collectors/svid/reach_families.h"
#include "collectors/svid/svid_options.h"
#include "collectors/svid/upstream_chain.h"

namespace spire_exporter {
namespace {

using svid::SvidOptions;

class SvidModule final : public Module {
 public:
  explicit SvidModule(const ModuleDeps& deps) : deps_(deps), seed_(std::random_device{}()) {}

  Status Apply(const ConfigNode& config) override {
    SvidOptions options;
    if (Status read = svid::ReadSvidOptions(config, deps_.role, &options); !read.ok()) return read;
    if (options.canary.socket != options_.canary.socket) agent_.reset();
    if (!options.canary.socket.empty() && !agent_) {
      auto channel = spire::Channel::ToSocket(options.canary.socket);
      if (!channel.ok()) return std::move(channel).error();
      agent_ = *std::move(channel);
    }
    options_ = std::move(options);
    return {};
  }

  std::vector<std::unique_ptr<Collector>> Targets() override {
    std::vector<std::unique_ptr<Collector>> targets;
    if (!options_.reach.address.empty()) {
      targets.push_back(svid::MakeReachCollector(options_.reach, agent_, seed_));
    }
    if (agent_) {
      targets.push_back(svid::MakeCanaryCollector(options_.canary, agent_, deps_.clock));
    }
    if (!options_.upstream_chain_file.empty()) {
      targets.push_back(svid::MakeUpstreamChainCollector(options_.upstream_chain_file));
    }
    return targets;
  }

  std::vector<CheckLine> Check(const ConfigNode& config, const Deadline& deadline) override {
    SvidOptions options;
    if (const Status read = svid::ReadSvidOptions(config, deps_.role, &options); !read.ok()) {
      return {{"svid", false, read.error().ToString(), "correct the configuration"}};
    }
    std::vector<CheckLine> lines;
    if (!options.reach.address.empty()) {
      lines.push_back(svid::CheckServers(
          options.reach, svid::MakeResolveServers(options.reach.address), deps_.clock, deadline));
    }
    if (!options.canary.socket.empty()) {
      const auto channel = spire::Channel::ToSocket(options.canary.socket);
      if (channel.ok()) {
        lines.push_back(svid::CheckCanary(options.canary, *channel, deps_.clock, deadline));
      }
    }
    if (!options.upstream_chain_file.empty()) {
      lines.push_back(svid::CheckUpstreamChain(options.upstream_chain_file, deps_.clock.System()));
    }
    return lines;
  }

 private:
  const ModuleDeps deps_;
  const uint64_t seed_;  // so that the sidecars of a fleet do not look at the servers together
  SvidOptions options_;
  std::shared_ptr<spire::Channel> agent_;  // the Workload API; null without a canary
};

std::vector<const FamilyDescription*> AllFamilies() {
  std::vector<const FamilyDescription*> all;
  for (const auto families :
       {svid::ReachFamilies(), svid::CanaryFamilies(), svid::UpstreamChainFamilies()}) {
    all.insert(all.end(), families.begin(), families.end());
  }
  return all;
}

Status Validate(const ConfigNode& config, Role role) {
  SvidOptions options;
  return svid::ReadSvidOptions(config, role, &options);
}

}  // namespace

const CatalogEntry& SvidCatalogEntry() {
  static constexpr std::string_view kScalarKeys[] = {
      "svid.server.address",   "svid.server.bootstrap_bundle_file",
      "svid.server.interval",  "svid.server.timeout",
      "svid.canary.socket",    "svid.canary.jwt_audience",
      "svid.canary.spiffe_id", "svid.canary.interval",
      "svid.canary.timeout",   "svid.upstream_chain_file"};
  static const std::vector<const FamilyDescription*> families = AllFamilies();
  static const CatalogEntry entry = {
      "svid",
      "SVIDs and trust: the servers' port, a canary of the Workload API, the chain above SPIRE",
      [](Role) { return true; },
      families,
      &Validate,
      [](const ModuleDeps& deps) -> std::unique_ptr<Module> {
        return std::make_unique<SvidModule>(deps);
      },
      &svid::WithSvidDefaults,
      kScalarKeys,
      {},
      {},
  };
  return entry;
}

}  // namespace spire_exporter
