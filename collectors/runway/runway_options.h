// The options under `runway`.
#ifndef COLLECTORS_RUNWAY_RUNWAY_OPTIONS_H_
#define COLLECTORS_RUNWAY_RUNWAY_OPTIONS_H_

#include <optional>
#include <string>

#include "exporter/base/clock.h"
#include "exporter/base/config_node.h"
#include "exporter/base/result.h"
#include "exporter/collect/module.h"

namespace spire_exporter::runway {

struct RunwayOptions {
  Role role = Role::kStandalone;
  // x509_svid_ttl: the lifetime that workloads' SVIDs are issued with, where neither SPIRE's
  // configuration nor the canary tells it, or tells another one.
  std::optional<Duration> x509_svid_ttl;
  // agent_ttl: the lifetime of agents' own, where the server's configuration is not read.
  std::optional<Duration> agent_ttl;
  // sync_interval: of the agent, where its configuration is not read.
  std::optional<Duration> sync_interval;

  std::string Fingerprint() const;
};

// `config` is the whole tree. Strict; touches `options` only on success.
Status ReadRunwayOptions(const ConfigNode& config, Role role, RunwayOptions* options);

}  // namespace spire_exporter::runway

#endif  // COLLECTORS_RUNWAY_RUNWAY_OPTIONS_H_
