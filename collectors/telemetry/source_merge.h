// One counter from two sources: the stream, which tells every event once, and the scrape, which
// tells how many there have been since SPIRE started.
#ifndef COLLECTORS_TELEMETRY_SOURCE_MERGE_H_
#define COLLECTORS_TELEMETRY_SOURCE_MERGE_H_

#include <cstdint>

namespace spire_exporter::telemetry {

struct Totals {
  double count = 0;  // events of a timer; the value of a counter
  double sum = 0;    // of a timer, in its family's unit; else 0
};

// What holds for all series of one page.
struct PageContext {
  bool first_page = false;
  // SPIRE's counters started again from zero since the page before.
  bool restarted = false;
  // SPIRE came up when we were there already, so everything on its first page is ours to count.
  bool started_after_us = false;
  // As far as can be told now, the stream told everything between the page before and this one.
  bool stream_covers = false;
  // The stream has told something since the page before was looked at, so what it told until then
  // was whole.
  bool stream_spoke = false;
};

// The scraped side of one series. Let P be the published total and S the scraped one, continued
// over restarts of SPIRE (after a drop the new value is what was added). While the stream covers
// the time between two pages, P follows the stream, and the offset O = P - S is measured. While it
// does not, P = max(P, S + O): what the stream did not tell is added, known by number and sum only.
// So P never falls, and handing over either way loses nothing and counts nothing twice.
//
// Whether the stream was alive at a page is known at the next one: only then its measurement
// counts. So when the stream dies, O is from before its death.
//
// A page that is looked at a moment after it was made finds P ahead of S by the events of that
// moment, never behind (unless lines were lost). So O is exact when the series rested around the
// page, and too high by a few events when it did not: then the least of the measurements holds.
//
// Baseline: what the first page shows happened before us, so P starts from 0; unless SPIRE started
// after us. A series that appears on a later page was born after the page before: its S counts
// whole.
//
// Value type, not safe from several threads.
class SourceMerge {
 public:
  // `raw` as on the page, `published` the totals so far; `settled` says that no event of this
  // series has come by the stream since well before the page. Returns what must be added to the
  // published totals; never negative.
  Totals OnPage(const Totals& raw, const Totals& published, const PageContext& page, bool settled);

  // SPIRE's counters started again from zero. For series that are on the page and for those that
  // are not yet, before OnPage().
  void SourceRestarted() { raw_ = {}; }
  // Whether the page shows less than the one before, which only a restart does.
  bool Fell(const Totals& raw) const { return seen_ && raw.count < raw_.count; }

  // How much S rose at the last OnPage(), for the cross-check.
  double rise() const { return rise_; }
  // By how much its sum rose; rounding may make it negative.
  double sum_rise() const { return sum_rise_; }

 private:
  bool seen_ = false;
  Totals raw_;
  Totals scraped_;       // S
  Totals offset_;        // O
  Totals measured_;      // O at the last page, if the stream was alive then
  bool behind_ = false;  // the stream has missed something that may not be made up for yet
  double rise_ = 0;
  double sum_rise_ = 0;
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_SOURCE_MERGE_H_
