// Tier 2 as a collector: the target `survey`. Every server's sidecar has it; one of them reads.
#ifndef COLLECTORS_DATASTORE_SURVEY_COLLECTOR_H_
#define COLLECTORS_DATASTORE_SURVEY_COLLECTOR_H_

#include <memory>
#include <string>

#include "collectors/clients/postgres/node_set.h"
#include "collectors/clients/spiffe/class_map.h"
#include "collectors/datastore/survey_families.h"
#include "exporter/base/clock.h"
#include "exporter/collect/collector.h"

namespace spire_exporter::datastore {

// `fingerprint`: every option that shapes what the nodes and the classes are, as text. Who is not
// elected tries again every minute.
std::unique_ptr<Collector> MakeSurveyCollector(Duration interval, std::string fingerprint,
                                               std::shared_ptr<const spiffe::ClassMap> classes,
                                               std::shared_ptr<pg::NodeSet> nodes);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_SURVEY_COLLECTOR_H_
