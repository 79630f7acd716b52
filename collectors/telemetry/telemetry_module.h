// SPIRE's own telemetry, from its DogStatsD stream and its Prometheus endpoint.
#ifndef COLLECTORS_TELEMETRY_TELEMETRY_MODULE_H_
#define COLLECTORS_TELEMETRY_TELEMETRY_MODULE_H_

#include "exporter/collect/module.h"

namespace spire_exporter {

// The line of the catalogue.
const CatalogEntry& TelemetryCatalogEntry();

}  // namespace spire_exporter

#endif  // COLLECTORS_TELEMETRY_TELEMETRY_MODULE_H_
