// Overrides of the configuration by environment: SPIRE_EXPORTER_TELEMETRY__SCRAPE__URL sets
// telemetry.scrape.url. Two underscores stand for the dot, so that keys may have one.
#ifndef EXPORTER_CONFIG_ENVIRONMENT_H_
#define EXPORTER_CONFIG_ENVIRONMENT_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/config_node.h"
#include "exporter/base/result.h"

namespace spire_exporter {

// The dotted paths that the program knows.
struct KnownKeys {
  std::vector<std::string> scalars;
  std::vector<std::string> lists;  // cannot be set by environment; named here for a better message
};

// The name of the variable that overrides a dotted path.
std::string EnvironmentName(std::string_view dotted_path);

// `config` with every variable of `environment` (entries `NAME=VALUE`, as in environ(7)) that
// starts with SPIRE_EXPORTER_ applied; `where` of what is set is `environment NAME`. A name that
// stands for no known scalar is an error that names the nearest; of several errors the one of the
// first name in byte order. The variables that Kubernetes makes for a Service called spire-exporter
// or spire-exporter-* (SPIRE_EXPORTER_PORT=tcp://..., SPIRE_EXPORTER_SERVICE_HOST, ...) are passed
// over.
Result<ConfigNode> ApplyEnvironment(ConfigNode config, std::span<const std::string> environment,
                                    const KnownKeys& known);

}  // namespace spire_exporter

#endif  // EXPORTER_CONFIG_ENVIRONMENT_H_
