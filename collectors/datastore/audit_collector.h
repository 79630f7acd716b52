// Tier 3 as a collector: the target `audit`. Every server's sidecar has it; one of them reads, on a
// standby, or on the primary where there is no standby.
#ifndef COLLECTORS_DATASTORE_AUDIT_COLLECTOR_H_
#define COLLECTORS_DATASTORE_AUDIT_COLLECTOR_H_

#include <memory>
#include <span>
#include <string>

#include "collectors/clients/postgres/node_set.h"
#include "exporter/base/clock.h"
#include "exporter/collect/collector.h"
#include "exporter/metrics/description.h"

namespace spire_exporter::datastore {

std::span<const FamilyDescription* const> AuditFamilies();

// `fingerprint`: every option that shapes what the nodes are, as text. Who is not elected, or finds
// no fresh standby where there are standbys, tries again every minute. The first round does
// nothing: a process that ends and starts all the time shall not audit.
std::unique_ptr<Collector> MakeAuditCollector(Duration interval, std::string fingerprint,
                                              std::shared_ptr<pg::NodeSet> nodes);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_AUDIT_COLLECTOR_H_
