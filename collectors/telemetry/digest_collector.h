// Publishes what others need to know of SPIRE's telemetry.
#ifndef COLLECTORS_TELEMETRY_DIGEST_COLLECTOR_H_
#define COLLECTORS_TELEMETRY_DIGEST_COLLECTOR_H_

#include <functional>
#include <memory>

#include "exporter/base/clock.h"
#include "exporter/collect/collector.h"

namespace spire_exporter::telemetry {

// The target `digest`: no families, but the facts AgentTelemetryFact `agent` while an agent speaks,
// and VersionFact `agent` and `server` while their versions are known. `source` and `stream_speaks`
// outlive it; the latter is safe from any thread.
std::unique_ptr<Collector> MakeDigestCollector(Duration period, LiveSource& source,
                                               std::function<bool()> stream_speaks);

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_DIGEST_COLLECTOR_H_
