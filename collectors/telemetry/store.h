// What SPIRE has told so far: every series of the stream and of the scrape, with its one writer.
#ifndef COLLECTORS_TELEMETRY_STORE_H_
#define COLLECTORS_TELEMETRY_STORE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collectors/telemetry/agent_tap.h"
#include "collectors/telemetry/frozen_store.h"
#include "collectors/telemetry/ledger.h"
#include "collectors/telemetry/line.h"
#include "collectors/telemetry/memo_table.h"
#include "collectors/telemetry/stream_series.h"
#include "exporter/base/clock.h"
#include "exporter/base/keyed_hash.h"
#include "exporter/metrics/family.h"
#include "exporter/metrics/histogram.h"

namespace spire_exporter::telemetry {

struct StoreOptions {
  size_t series_max = 5000;
  // Memory that series and memo may take, by the store's own estimate.
  size_t bytes_max = size_t{8} << 20;
  size_t label_length_max = 128;
  // A page older than this shows nothing any more; longer than the scrape's interval.
  Duration page_age_max = std::chrono::minutes(1);
  int schema = 3;  // of the native histograms
  // As MapSeries() takes them.
  std::string metric_prefix;
  std::string component_hint;
};

// How long after its arrival a page is looked at: longer than SPIRE's client holds lines back.
inline constexpr Duration kPageDelay = std::chrono::milliseconds(300);

// What one listener has taken in. The ledger is kept beside it, as both are fed by the same bytes.
struct ListenerCounts {
  uint64_t datagrams = 0;
  uint64_t truncated_datagrams = 0;
  // Lines by what became of them: kNone are those that were taken.
  std::array<uint64_t, kRejectCount> outcomes{};
  uint64_t client_sent_metrics = 0;
  uint64_t client_dropped_queue = 0;
  uint64_t client_dropped_writer = 0;
  Ledger ledger;

  uint64_t lines() const { return std::accumulate(outcomes.begin(), outcomes.end(), uint64_t{0}); }
  uint64_t rejected() const { return lines() - outcomes[0]; }
};

// The series of both sources. Feed() parses a datagram: each non-empty run of bytes between line
// feeds is one line, taken or rejected, and counted once. Values come from the stream; a page sets
// states the stream has not set since, and counters as SourceMerge says.
//
// Bounded: `series_max` series, of which a quarter at most for names the mapping does not know and
// series_max of its description for each family; beyond that new series are refused and old ones
// live on. Tags and spellings without end cost time, not memory.
//
// Not safe from several threads: the ingest thread owns it. Cost: about 260 instructions a line of
// a known spelling, some microseconds the first time.
class Store {
 public:
  Store(const StoreOptions& options, const Clock& clock);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Takes new bounds; series that exist stay. A new prefix makes all spellings be looked at again.
  void SetOptions(const StoreOptions& options);

  // `truncated`: the datagram was longer than what is given; its last line is torn.
  void Feed(std::string_view datagram, bool truncated, const Arrival& arrival,
            ListenerCounts* counts);
  // A page of SPIRE's endpoint, a moment (kPageDelay) after it was received: by then the stream has
  // brought what the page shows already.
  void ApplyPage(const PreparedPage& page);
  // Who is told of tapped lines from now on; null for nobody. It outlives the store.
  void SetTap(EventTap* tap);
  // The stream may have missed something (a listener was down): the next page makes up for it.
  void NoteGap() { gap_ = true; }
  // States set before this instant were set by a process of SPIRE that is gone.
  void ForgetStatesBefore(SteadyTime instant) { states_from_ = instant; }

  // Writes down what is visible now; of histograms, those that changed since the last call. Costs
  // some 50 ns a series.
  void Freeze(SteadyTime now, FrozenStore* frozen);
  // Nobody will make a snapshot of the last frozen state: all counts as changed.
  void ForgetFrozen();
  // Both steps of a snapshot, for whoever has the store to himself.
  void AppendFamilies(SteadyTime now, FamilyList* families);
  StoreState State() const;
  std::optional<SteadyTime> stream_last() const { return stream_last_; }

 private:
  // The series of one family, and the layout they share.
  struct FamilyGroup {
    const FamilyDescription* family = nullptr;
    std::shared_ptr<const HistogramLayout> layout;  // of a histogram family
    std::vector<std::unique_ptr<StreamSeries>> series;
  };
  struct SeriesKey {
    const FamilyDescription* family;
    std::string_view labels;
    friend bool operator==(const SeriesKey&, const SeriesKey&) = default;
  };
  struct SeriesKeyHash {
    KeyedHash hash;
    size_t operator()(const SeriesKey& key) const {
      return static_cast<size_t>(hash(key.labels) ^ hash(key.family->name));
    }
  };

  // Takes a line of a known spelling that observes a duration or counts: nine lines
  // of ten. The line's end, or null when it is any other line.
  const char* TakeUsual(const char* at, const char* end, SteadyTime latest);
  // The same for a line of any length that may be near the end of its datagram.
  const char* TakeNearEnd(const char* at, const char* end, SteadyTime latest);
  bool TakeKnown(const Target& target, double value, SteadyTime latest);
  Reject TakeUnusual(std::string_view line, const Arrival& arrival, ListenerCounts* counts);
  static bool Acceptable(const Target& target, double value);
  Reject ApplyValue(const Target& target, double value, uint64_t weight, const Arrival& arrival,
                    ListenerCounts* counts);
  Reject Resolve(const Line& line, Target* target);
  void ApplySelf(const Target& target, double value, const Arrival& arrival,
                 ListenerCounts* counts);
  // Null when there may be no more.
  StreamSeries* SeriesFor(const FamilyDescription& family, std::shared_ptr<const LabelSet> labels,
                          bool cumulative, bool known);
  PageContext ReadPage(const PreparedPage& page, std::vector<StreamSeries*>* series);
  void ApplyTotals(StreamSeries& series, const PreparedSeries& shown, const PageContext& page,
                   SteadyTime asked);
  void AddObservations(StreamSeries& series, const PreparedSeries& shown, const Totals& add,
                       SteadyTime asked);
  void ApplyState(StreamSeries& series, const PreparedSeries& shown, SteadyTime asked);
  void SetState(StreamSeries& series, double value);
  FamilyGroup& GroupOf(const FamilyDescription& family);
  bool Visible(const StreamSeries& series, SteadyTime now) const;
  // Its histogram may have grown.
  void CountBytes(StreamSeries& series);
  // The state but for what its series know; and what one knows.
  StoreState BareState() const;
  static void AddEvents(const StreamSeries& series, StoreState* state);

  // One series without its labels and its histogram, with its places in the index and on the page.
  static constexpr size_t kSeriesOverhead = sizeof(StreamSeries) + 256;
  // Lines further apart than this mean that the stream was silent.
  static constexpr Duration kStreamSilence = std::chrono::seconds(30);

  const Clock& clock_;
  const SteadyTime started_;
  const double started_seconds_;
  StoreOptions options_;
  MemoTable memo_;
  std::vector<std::unique_ptr<FamilyGroup>> groups_;
  std::unordered_map<SeriesKey, StreamSeries*, SeriesKeyHash> index_;
  size_t series_ = 0;
  size_t unknown_series_ = 0;
  size_t series_bytes_ = 0;
  std::string scratch_;

  EventTap* tap_ = nullptr;
  uint64_t plain_ = 0;  // lines of the datagram being read that the ledger has not been told of
  std::optional<SteadyTime> stream_last_;
  SteadyTime stream_alive_since_;
  SteadyTime states_from_ = SteadyTime::min();
  bool gap_ = false;
  FrozenStore own_frozen_;  // of AppendFamilies()
  SnapshotMaker own_maker_;

  uint64_t pages_ = 0;
  std::optional<SteadyTime> page_asked_;
  std::optional<SteadyTime> page_received_;
  std::optional<SteadyTime> page_applied_;
  std::optional<double> page_uptime_;
  uint64_t page_restarts_ = 0;
  double stream_events_ = 0;
  double page_events_ = 0;
  std::array<uint64_t, kPlacementCount> scraped_{};
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_STORE_H_
