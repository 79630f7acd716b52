// `postgres.nodes` of the configuration, which every collector that asks the database reads.
#ifndef COLLECTORS_CLIENTS_POSTGRES_READ_NODES_H_
#define COLLECTORS_CLIENTS_POSTGRES_READ_NODES_H_

#include <string>
#include <vector>

#include "collectors/clients/postgres/client_options.h"
#include "exporter/base/config_node.h"
#include "exporter/base/result.h"

namespace spire_exporter::pg {

// `nodes` is the list: maps of `name`, `conninfo_file` and `expect` (primary, standby, any).
// Strict: at most 8, names unlike each other. An absent list is no node.
Status ReadNodes(const ConfigNode& nodes, std::vector<GroupOptions>* groups);

// As text, for fingerprints.
std::string Fingerprint(const ClientOptions& options);

}  // namespace spire_exporter::pg

#endif  // COLLECTORS_CLIENTS_POSTGRES_READ_NODES_H_
