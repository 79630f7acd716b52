// Reads SPIRE's own Prometheus page: the source of what SPIRE tells only once, and of everything
// where the stream is off.
#ifndef COLLECTORS_TELEMETRY_SCRAPE_COLLECTOR_H_
#define COLLECTORS_TELEMETRY_SCRAPE_COLLECTOR_H_

#include <memory>
#include <span>

#include "collectors/telemetry/scrape_client.h"
#include "collectors/telemetry/scrape_options.h"
#include "collectors/telemetry/scraped_page.h"
#include "exporter/base/clock.h"
#include "exporter/collect/collector.h"
#include "exporter/collect/module.h"

namespace spire_exporter::telemetry {

// Takes the pages. Deliver is called from the collector's thread and returns soon.
class ScrapeSink {
 public:
  virtual ~ScrapeSink() = default;
  // Whether the stream tells all that pages would; then they are read at their interval.
  virtual bool StreamSpeaks() { return false; }
  virtual void Deliver(std::shared_ptr<const ScrapedPage> page) = 0;
};

// What the collector itself publishes about the page.
std::span<const FamilyDescription* const> ScrapeFamilies();

// The target `scrape`. A page that is not SPIRE's is kFailedPrecondition and is not delivered, nor
// is one that cannot be read as a whole. `options` are those of a good ReadScrapeOptions, switched
// on; `sink` outlives the collector.
std::unique_ptr<Collector> MakeScrapeCollector(const ScrapeOptions& options, ScrapeSink& sink,
                                               OpenWorkload open = OverSocket());

// One try, for `spire-exporter check`.
CheckLine CheckScrape(const ScrapeOptions& options, const Clock& clock, const Deadline& deadline);

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_SCRAPE_COLLECTOR_H_
