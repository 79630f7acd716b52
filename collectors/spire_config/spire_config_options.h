// The options under `spire_config`: where SPIRE's own files are.
#ifndef COLLECTORS_SPIRE_CONFIG_SPIRE_CONFIG_OPTIONS_H_
#define COLLECTORS_SPIRE_CONFIG_SPIRE_CONFIG_OPTIONS_H_

#include <chrono>
#include <string>

#include "collectors/spire_config/config_judge.h"
#include "exporter/base/clock.h"
#include "exporter/base/config_node.h"
#include "exporter/base/result.h"

namespace spire_exporter::spire_config {

struct SpireConfigOptions {
  std::string server, agent;                     // server.conf, agent.conf; empty turns one off
  std::string audit_log;                         // SPIRE's log file; empty turns it off
  Duration interval = std::chrono::seconds(30);  // of the two configuration files
  Duration audit_interval = std::chrono::seconds(5);  // of the log
  OwnTelemetry telemetry;  // what the collector `telemetry` is set to, for the findings

  std::string Fingerprint() const;
};

// `config` is the whole tree. Strict on its own key, touches `options` only on success.
Status ReadSpireConfigOptions(const ConfigNode& config, SpireConfigOptions* options);

// The whole tree with the defaults filled in. `config` has been read well.
ConfigNode WithSpireConfigDefaults(const ConfigNode& config, SpireConfigOptions options);

}  // namespace spire_exporter::spire_config

#endif  // COLLECTORS_SPIRE_CONFIG_SPIRE_CONFIG_OPTIONS_H_
