// Tier 1 as a collector: the target `summary`, in every server's sidecar.
#ifndef COLLECTORS_DATASTORE_SUMMARY_COLLECTOR_H_
#define COLLECTORS_DATASTORE_SUMMARY_COLLECTOR_H_

#include <memory>
#include <string>

#include "collectors/clients/postgres/node_set.h"
#include "collectors/datastore/summary_families.h"
#include "exporter/base/clock.h"
#include "exporter/collect/collector.h"

namespace spire_exporter::datastore {

// `fingerprint`: every option that shapes what the nodes are, as text.
std::unique_ptr<Collector> MakeSummaryCollector(Duration interval, Duration timeout,
                                                std::string fingerprint,
                                                std::shared_ptr<pg::NodeSet> nodes);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_SUMMARY_COLLECTOR_H_
