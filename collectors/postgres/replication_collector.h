// The collector `postgres`, target `replication`.
#ifndef COLLECTORS_POSTGRES_REPLICATION_COLLECTOR_H_
#define COLLECTORS_POSTGRES_REPLICATION_COLLECTOR_H_

#include <memory>
#include <string>

#include "collectors/clients/postgres/node_set.h"
#include "exporter/base/clock.h"
#include "exporter/collect/collector.h"

namespace spire_exporter::postgres {

// Asks every node of `nodes` each `period` where it stands, and publishes a pg::NodeStanding of
// each that was asked, with the node's name as its subject. A node that hangs keeps no other
// waiting: a round ends after a second (or half of `timeout` when that is less), and what has not
// answered by then is looked at in the next; it is given up after `timeout`. A node that fails is a
// fact of the reading and its `problem`; the reading itself always comes. `fingerprint` is that of
// the options which shaped all this.
std::unique_ptr<Collector> MakeReplicationCollector(Duration period, Duration timeout,
                                                    std::string fingerprint,
                                                    std::shared_ptr<pg::NodeSet> nodes);

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_REPLICATION_COLLECTOR_H_
