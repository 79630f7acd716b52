// The options under `agent`.
#ifndef COLLECTORS_AGENT_AGENT_OPTIONS_H_
#define COLLECTORS_AGENT_AGENT_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "exporter/base/clock.h"
#include "exporter/base/config_node.h"
#include "exporter/base/result.h"
#include "exporter/collect/module.h"

namespace spire_exporter::agent {

struct AgentOptions {
  // Of the agent's health_checks, without a path; empty turns the look off. Beside an agent it is
  // http://127.0.0.1:9982, the charts' place; the others ask for nothing unless told to.
  std::string health_url;
  std::string live_path = "/live", ready_path = "/ready";  // as the agent's configuration has them
  Duration health_interval = std::chrono::seconds(15);
  std::string admin_socket;                     // the agent's admin_socket_path; empty: not mounted
  Duration interval = std::chrono::seconds(5);  // of everything but health
  Duration timeout = std::chrono::seconds(3);
  // What the agent's configuration says. Where it is not set here, SPIRE's own file tells the
  // first.
  std::optional<Duration> sync_interval;
  int64_t x509_cache_limit = 1000;  // x509_svid_cache_max_size
  int64_t jwt_cache_limit = 1000;   // jwt_svid_cache_max_size
  // Whether there is an agent beside this process at all.
  bool enabled = false;

  std::string Fingerprint() const;
};

// `config` is the whole tree. Strict; touches `options` only on success.
Status ReadAgentOptions(const ConfigNode& config, Role role, AgentOptions* options);

// The whole tree with the defaults filled in. `config` has been read well.
ConfigNode WithAgentDefaults(const ConfigNode& config, Role role);

}  // namespace spire_exporter::agent

#endif  // COLLECTORS_AGENT_AGENT_OPTIONS_H_
