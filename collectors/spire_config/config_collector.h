// One of SPIRE's configuration files as a collector: the targets `server` and `agent`.
#ifndef COLLECTORS_SPIRE_CONFIG_CONFIG_COLLECTOR_H_
#define COLLECTORS_SPIRE_CONFIG_CONFIG_COLLECTOR_H_

#include <memory>
#include <optional>
#include <string>

#include "collectors/spire_config/spire_config_options.h"
#include "exporter/base/config_node.h"
#include "exporter/collect/collector.h"
#include "exporter/collect/module.h"

namespace spire_exporter::spire_config {

enum class Component { kServer, kAgent };

// Reads the file anew each time, as Kubernetes changes it in place; publishes
// spire::SpireConfigFact under `server` or `agent`. A file that cannot be read is a problem of the
// reading, and its state family says why.
std::unique_ptr<Collector> MakeConfigCollector(Component component,
                                               const SpireConfigOptions& options);

// One try, for `spire-exporter check`.
CheckLine CheckConfig(Component component, const SpireConfigOptions& options);
// What nobody looks at beside an agent, as its key is not set: the keys have no default there, for
// each needs a way or a right that not everybody gives. Nothing when all are set.
std::optional<CheckLine> CheckKeysBesideAgent(const ConfigNode& config,
                                              const SpireConfigOptions& options);

}  // namespace spire_exporter::spire_config

#endif  // COLLECTORS_SPIRE_CONFIG_CONFIG_COLLECTOR_H_
