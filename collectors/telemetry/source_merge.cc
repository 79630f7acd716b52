#include "collectors/telemetry/source_merge.h"

#include <algorithm>

namespace spire_exporter::telemetry {

Totals SourceMerge::OnPage(const Totals& raw, const Totals& published, const PageContext& page,
                           bool settled) {
  const bool first = !seen_;
  seen_ = true;
  if (first) {
    scraped_ = raw;
    rise_ = raw.count;
    sum_rise_ = raw.sum;
    const bool ours = !page.first_page || page.started_after_us;
    if (!ours) {
      rise_ = 0;
      sum_rise_ = 0;
      offset_ = {published.count - raw.count, published.sum - raw.sum};
      measured_ = offset_;
      raw_ = raw;
      return {};
    }
  } else {
    const Totals from = Fell(raw) ? Totals{} : raw_;
    rise_ = raw.count - from.count;
    sum_rise_ = raw.sum - from.sum;
    scraped_.count += rise_;
    // A sum of durations only grows; rounding must not make it fall.
    scraped_.sum += std::max(0.0, sum_rise_);
  }
  raw_ = raw;

  if (page.stream_spoke) offset_ = measured_;
  measured_ = offset_;
  const Totals now{published.count - scraped_.count, published.sum - scraped_.sum};
  if (page.stream_covers && !behind_) {
    if (settled || page.restarted || now.count <= offset_.count) measured_ = now;
    return {};
  }
  // Ahead of the page by the events of a moment, P cannot be seen to be behind by as many: only a
  // page around which the series rests ends it.
  behind_ = !page.stream_covers || !settled;
  const double count = scraped_.count + offset_.count - published.count;
  if (count <= 0) return {};
  return {count, std::max(0.0, scraped_.sum + offset_.sum - published.sum)};
}

}  // namespace spire_exporter::telemetry
