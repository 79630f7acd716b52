// What is published about a node for other collectors, through the facts board.
#ifndef COLLECTORS_CLIENTS_POSTGRES_NODE_FACTS_H_
#define COLLECTORS_CLIENTS_POSTGRES_NODE_FACTS_H_

#include <optional>

#include "exporter/base/clock.h"

namespace spire_exporter::pg {

// How a node stands in the replication; the subject is the node's name, `ro/0`. Published by the
// collector `postgres` whenever it has asked the node.
struct NodeStanding {
  bool reachable = false;
  bool writable = false;        // a primary that takes writes
  std::optional<Duration> lag;  // of a standby whose lag is known; zero on a primary
  // A standby that may be read in the primary's place: its lag is known and small, and it is of the
  // same system and timeline.
  bool fresh = false;
};

}  // namespace spire_exporter::pg

#endif  // COLLECTORS_CLIENTS_POSTGRES_NODE_FACTS_H_
