// SPIRE's Prometheus page, parsed: what the scrape hands to the store.
#ifndef COLLECTORS_TELEMETRY_SCRAPED_PAGE_H_
#define COLLECTORS_TELEMETRY_SCRAPED_PAGE_H_

#include <string>
#include <utility>
#include <vector>

#include "collectors/telemetry/mapping.h"
#include "collectors/telemetry/scrape_placement.h"
#include "exporter/base/clock.h"

namespace spire_exporter::telemetry {

// One series of SPIRE's own (`go_*`, `process_*` and `promhttp_*` are left out).
struct ScrapedSeries {
  std::string key;  // family name: `spire_server_rpc_agent_v1_agent_attest_agent_elapsed_time`
  WireKind kind = WireKind::kCounter;
  std::vector<std::pair<std::string, std::string>> tags;  // without `quantile`, in page order
  double value = 0;                           // counter or gauge; for a summary its _sum
  double count = 0;                           // of a summary
  SummaryQuantiles quantiles = kNoQuantiles;  // likewise
};

// Immutable once shared.
struct ScrapedPage {
  SteadyTime asked;     // before the request was sent
  SteadyTime received;  // after the last byte
  std::vector<ScrapedSeries> series;
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_SCRAPED_PAGE_H_
