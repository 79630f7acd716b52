// Holds the versions that others saw against each other.
#ifndef COLLECTORS_SKEW_SKEW_COLLECTOR_H_
#define COLLECTORS_SKEW_SKEW_COLLECTOR_H_

#include <chrono>
#include <memory>

#include "exporter/base/clock.h"
#include "exporter/collect/collector.h"

namespace spire_exporter::skew {

struct SkewOptions {
  Duration interval = std::chrono::seconds(15);
  Duration roll_window = std::chrono::hours(1);
};

// The target `versions`. Asks nobody: reads VersionFact `server`, SchemaVersionFact `datastore` and
// AgentVersionsFact `agents` from the board.
std::unique_ptr<Collector> MakeSkewCollector(const SkewOptions& options);

}  // namespace spire_exporter::skew

#endif  // COLLECTORS_SKEW_SKEW_COLLECTOR_H_
