// One series of the store, and the page of the scrape in the form in which the store takes it.
#ifndef COLLECTORS_TELEMETRY_STREAM_SERIES_H_
#define COLLECTORS_TELEMETRY_STREAM_SERIES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "collectors/telemetry/mapping.h"
#include "collectors/telemetry/scraped_page.h"
#include "collectors/telemetry/source_merge.h"
#include "exporter/base/clock.h"
#include "exporter/metrics/histogram.h"
#include "exporter/metrics/labels.h"

namespace spire_exporter::telemetry {

// Known by its family and its rendered labels, so that two orders of tags are one series.
struct StreamSeries {
  // What a line touches, together.
  SteadyTime stream_last = SteadyTime::min();  // the last event or setting by the stream
  uint64_t timer_events = 0;                   // by the stream's timers
  double counter_events = 0;                   // by the counters beside them
  bool present = false;  // a state that has a value, a counter that has counted
  bool dirty = true;     // since it was last frozen

  // What never changes, so that other threads may read it.
  uint32_t number = 0;  // of its store's series
  const FamilyDescription* family = nullptr;
  std::shared_ptr<const LabelSet> labels;
  // Whether values add up; else each replaces the one before.
  bool cumulative = true;

  std::unique_ptr<NativeHistogram> histogram;  // of a histogram family, else null
  double value = 0;

  uint64_t page_last = 0;              // the number of the last page that showed it
  std::unique_ptr<SourceMerge> merge;  // once a page has shown it
  double published_at_page = 0;        // its total when the last page had been applied

  double created_seconds = 0;
  size_t bytes = 0;  // as its store counts them
};

// A series of a page, mapped; without those that the store has no use for.
struct PreparedSeries {
  const FamilyDescription* family = nullptr;
  Effect effect = Effect::kSet;
  std::shared_ptr<const LabelSet> labels;
  bool known = true;
  Totals totals;         // cumulative kinds
  double scale = 1;      // from the page's unit to that of totals.sum
  uint32_t members = 1;  // of SPIRE's series that make it
  // In the page's unit; unknown when several members have some, as quantiles do not add up.
  SummaryQuantiles quantiles = kNoQuantiles;
  std::optional<double> value;  // states; absent when SPIRE means "not yet"
};

struct PreparedPage {
  SteadyTime asked;
  SteadyTime received;
  std::vector<PreparedSeries> series;
};

// The labels of a mapped series, each value cut to `length_max` bytes at the end of a character.
std::shared_ptr<const LabelSet> MakeSeriesLabels(const Mapped& mapped, size_t length_max);

// Maps a page. Pure, so that it runs on the scrape's thread; costs some microseconds a series.
PreparedPage PreparePage(const ScrapedPage& page, std::string_view prefix,
                         std::string_view component_hint, size_t length_max);

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_STREAM_SERIES_H_
