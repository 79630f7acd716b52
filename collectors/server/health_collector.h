// Asks the server's health endpoint and holds its word against the evidence: the target `health`.
#ifndef COLLECTORS_SERVER_HEALTH_COLLECTOR_H_
#define COLLECTORS_SERVER_HEALTH_COLLECTOR_H_

#include <memory>
#include <span>

#include "collectors/server/server_options.h"
#include "exporter/base/clock.h"
#include "exporter/collect/collector.h"
#include "exporter/collect/module.h"

namespace spire_exporter::server {

std::span<const FamilyDescription* const> HealthFamilies();

// Two requests a round, of at most 64 KiB each; they cost SPIRE nothing but the answer. Any answer
// is a good reading; what gives none is its problem. Goes by spire::ServersFact `servers` and
// pg::NodeStanding of the nodes behind options.databases, no older than a minute.
// `options.health_url` is not empty.
std::unique_ptr<Collector> MakeHealthCollector(const ServerOptions& options);

// One try, for `spire-exporter check`.
CheckLine CheckHealth(const ServerOptions& options, const Clock& clock, const Deadline& deadline);

}  // namespace spire_exporter::server

#endif  // COLLECTORS_SERVER_HEALTH_COLLECTOR_H_
