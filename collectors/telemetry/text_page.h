// A reader of Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats)
// for pages of a peer that is not trusted: strict, bounded, one pass, no copy of what is left out.
#ifndef COLLECTORS_TELEMETRY_TEXT_PAGE_H_
#define COLLECTORS_TELEMETRY_TEXT_PAGE_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "collectors/telemetry/scraped_page.h"
#include "exporter/base/result.h"

namespace spire_exporter::telemetry {

struct TextPageLimits {
  size_t line_bytes = 16 * 1024;
  size_t labels = 32;     // of one sample
  size_t series = 20000;  // that are kept, and as many families
};

// The series of every counter, gauge, untyped family (as a gauge) and summary (its _sum and _count
// joined, with the quantiles 0.5, 0.9 and 0.99 where it shows them). Left out: `go_*`, `process_*`,
// `promhttp_*`, histograms, values that are no finite number, and summaries of which one half is
// missing.
//
// Errors: kResourceExhausted beyond a limit, kDataLoss for anything else that is no such page; the
// text names the line. Stateless; cost linear in the page.
Result<std::vector<ScrapedSeries>> ParseTextPage(std::string_view page,
                                                 const TextPageLimits& limits = {});

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_TEXT_PAGE_H_
