#include "collectors/catalog.h"

#include <array>
#include <memory>
#include <utility>

#include "collectors/agent/agent_module.h"
#include "collectors/clients/workload/workload_certificates.h"
#include "collectors/datastore/datastore_module.h"
#include "collectors/postgres/postgres_module.h"
#include "collectors/runway/runway_module.h"
#include "collectors/server/server_module.h"
#include "collectors/skew/skew_module.h"
#include "collectors/spire_config/spire_config_module.h"
#include "collectors/svid/svid_module.h"
#include "collectors/telemetry/telemetry_module.h"

namespace spire_exporter {

std::span<const CatalogEntry> Catalog() {
  static const std::array<CatalogEntry, 9> kCatalog = {
      AgentCatalogEntry(),       DatastoreCatalogEntry(), PostgresCatalogEntry(),
      RunwayCatalogEntry(),      ServerCatalogEntry(),    SkewCatalogEntry(),
      SpireConfigCatalogEntry(), SvidCatalogEntry(),      TelemetryCatalogEntry()};
  return kCatalog;
}

MakeWorkloadSource WorkloadCertificatesOf(const Clock& clock) {
  return [&clock](const std::string& socket,
                  std::function<void()> changed) -> Result<std::shared_ptr<WorkloadSource>> {
    auto made = WorkloadCertificates::OverSocket(socket, clock, std::move(changed));
    if (!made.ok()) return made.error();
    return std::shared_ptr<WorkloadSource>(*std::move(made));
  };
}

}  // namespace spire_exporter
