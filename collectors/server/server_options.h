// The options under `server`.
#ifndef COLLECTORS_SERVER_SERVER_OPTIONS_H_
#define COLLECTORS_SERVER_SERVER_OPTIONS_H_

#include <chrono>
#include <string>
#include <vector>

#include "collectors/server/health_judge.h"
#include "exporter/base/clock.h"
#include "exporter/base/config_node.h"
#include "exporter/base/result.h"
#include "exporter/collect/module.h"

namespace spire_exporter::server {

struct ServerOptions {
  // Of the server's health_checks, without a path; empty turns the look off. Beside a server it is
  // the charts' http://127.0.0.1:8080.
  std::string health_url;
  std::string live_path = "/live";
  std::string ready_path = "/ready";
  // The server's API socket: full power over the trust domain. Empty is off, and the default.
  std::string api_socket;
  Duration interval = std::chrono::seconds(15);
  // Of one look; the charts' probe gives up after as long.
  Duration timeout = std::chrono::seconds(3);
  // As the charts have it: 2 failures, 60 s apart.
  LivenessProbe liveness;
  // Names of `postgres.nodes` that a primary may stand behind.
  std::vector<std::string> databases;

  std::string Fingerprint() const;
};

// `config` is the whole tree. Strict on its own key; touches `options` only on success.
Status ReadServerOptions(const ConfigNode& config, Role role, ServerOptions* options);

// The whole tree with the defaults filled in. `config` has been read well.
ConfigNode WithServerDefaults(const ConfigNode& config, Role role);

}  // namespace spire_exporter::server

#endif  // COLLECTORS_SERVER_SERVER_OPTIONS_H_
