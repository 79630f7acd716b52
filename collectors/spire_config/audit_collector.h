// SPIRE's audit log as counts: the target `audit_log`.
#ifndef COLLECTORS_SPIRE_CONFIG_AUDIT_COLLECTOR_H_
#define COLLECTORS_SPIRE_CONFIG_AUDIT_COLLECTOR_H_

#include <memory>
#include <span>

#include "collectors/spire_config/spire_config_options.h"
#include "exporter/collect/collector.h"
#include "exporter/collect/module.h"

namespace spire_exporter::spire_config {

std::span<const FamilyDescription* const> AuditFamilies();

// Counts from the first look on, and over rotations. `options.audit_log` is not empty.
std::unique_ptr<Collector> MakeAuditCollector(const SpireConfigOptions& options);

// One try, for `spire-exporter check`: whether the file is there and may be read.
CheckLine CheckAudit(const SpireConfigOptions& options, const Clock& clock,
                     const Deadline& deadline);

}  // namespace spire_exporter::spire_config

#endif  // COLLECTORS_SPIRE_CONFIG_AUDIT_COLLECTOR_H_
