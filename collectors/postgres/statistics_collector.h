// Locks and capacity of every database node.
#ifndef COLLECTORS_POSTGRES_STATISTICS_COLLECTOR_H_
#define COLLECTORS_POSTGRES_STATISTICS_COLLECTOR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/clients/postgres/node_set.h"
#include "exporter/base/clock.h"
#include "exporter/collect/collector.h"

namespace spire_exporter::postgres {

struct StatisticsOptions {
  Duration period = std::chrono::seconds(15);
  Duration timeout = std::chrono::seconds(3);
  Duration slow_period = std::chrono::minutes(1);  // settings and tables
  Duration size_period = std::chrono::minutes(5);
  Duration long_transaction = std::chrono::minutes(1);
  // Who SPIRE is to the database; empty for the owner of the table registered_entries.
  std::vector<std::string> spire_roles;
  // max_open_conns of a SPIRE server's datastore; nothing when it is not known.
  std::optional<int64_t> spire_pool_max;
  // What else shapes the target: how the nodes are found and visited.
  std::string client_fingerprint;
};

// Everything the collector can emit.
std::vector<const FamilyDescription*> StatisticsFamilies();

// The collector `postgres`, target `statistics`. Asks all nodes at the same time; what a node, or
// one statement, cannot tell is missing from the reading and named in its problem and in the
// families spire_postgres_statistics_{success,problem}.
std::unique_ptr<Collector> MakeStatisticsCollector(const StatisticsOptions& options,
                                                   std::shared_ptr<pg::NodeSet> nodes);

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_STATISTICS_COLLECTOR_H_
