// Every collector there is, as one explicit table: to add a collector, add a line to catalog.cc.
// And what else of SPIRE the process needs that watches it.
#ifndef COLLECTORS_CATALOG_H_
#define COLLECTORS_CATALOG_H_

#include <span>

#include "exporter/base/clock.h"
#include "exporter/collect/module.h"
#include "exporter/tls/workload_source.h"

namespace spire_exporter {

// Static storage, sorted by name.
std::span<const CatalogEntry> Catalog();

// Makes sources of certificates over the Workload API, for the page. `clock` outlives them.
MakeWorkloadSource WorkloadCertificatesOf(const Clock& clock);

}  // namespace spire_exporter

#endif  // COLLECTORS_CATALOG_H_
