// Versions of SPIRE that its database tells of. No name is in here.
#ifndef COLLECTORS_CLIENTS_SPIRE_VERSION_FACTS_H_
#define COLLECTORS_CLIENTS_SPIRE_VERSION_FACTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace spire_exporter::spire {

// Of the table `migrations`, as the primary has it. Subject: `datastore`.
struct SchemaVersionFact {
  std::optional<int64_t> schema;
  // The highest version of a server that ever ran on this database, as it calls itself; empty when
  // that may not be read. A downgrade leaves it as it is.
  std::string highest_server;
};

// Agents that are active or overdue, by the version that they gave when they started. Published by
// the one sidecar that reads the whole table. Subject: `agents`.
struct AgentVersionsFact {
  // As agents call themselves; `unknown` and `other` stand for what is not told apart. At most 33.
  std::vector<std::pair<std::string, uint64_t>> agents;
};

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_VERSION_FACTS_H_
