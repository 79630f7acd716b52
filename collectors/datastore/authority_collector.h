// The authorities of every server held against the bundle, as a collector: the target
// `authorities`, in every server's sidecar.
#ifndef COLLECTORS_DATASTORE_AUTHORITY_COLLECTOR_H_
#define COLLECTORS_DATASTORE_AUTHORITY_COLLECTOR_H_

#include <memory>
#include <string>

#include "collectors/clients/postgres/node_set.h"
#include "collectors/datastore/authority_families.h"
#include "exporter/base/clock.h"
#include "exporter/collect/collector.h"

namespace spire_exporter::datastore {

// Reads the primary, never a standby: two tables of tens of rows in one statement. What was read
// last stays on the page for two minutes, judged by the time that it is then, with its source's
// state beside it. Publishes spire::AuthoritySet.
//
// `trust_domain` may be empty: then the journals tell which bundle is our own. `fingerprint`: every
// option that shapes what the nodes are, as text.
std::unique_ptr<Collector> MakeAuthoritiesCollector(Duration interval, Duration timeout,
                                                    std::string trust_domain,
                                                    std::string fingerprint,
                                                    std::shared_ptr<pg::NodeSet> nodes);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_AUTHORITY_COLLECTOR_H_
