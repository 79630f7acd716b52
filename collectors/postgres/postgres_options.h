// The options under `postgres`.
#ifndef COLLECTORS_POSTGRES_POSTGRES_OPTIONS_H_
#define COLLECTORS_POSTGRES_POSTGRES_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collectors/clients/postgres/client_options.h"
#include "exporter/base/clock.h"
#include "exporter/base/config_node.h"
#include "exporter/base/result.h"
#include "exporter/collect/module.h"

namespace spire_exporter::postgres {

struct PostgresOptions {
  pg::ClientOptions client;                      // nodes
  Duration interval = std::chrono::seconds(15);  // of locks and capacity
  Duration replication_interval = std::chrono::seconds(1);
  Duration timeout = std::chrono::seconds(3);  // of one reading of a node

  // Who SPIRE's servers are to the database; empty for the owner of SPIRE's tables.
  std::vector<std::string> spire_roles;
  // max_open_conns of a SPIRE server's datastore, where it is set.
  std::optional<int64_t> spire_max_open_conns;

  // The options as text, for Collector::Fingerprint().
  std::string Fingerprint() const;
};

// `config` is the whole tree. Strict; touches `options` only on success. An agent's sidecar never
// connects to the database, so that nodes are an error there.
Status ReadPostgresOptions(const ConfigNode& config, Role role, PostgresOptions* options);

// The whole tree with the defaults filled in. `config` has been read well.
ConfigNode WithPostgresDefaults(const ConfigNode& config, Role role);

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_POSTGRES_OPTIONS_H_
