// How far behind the standbys are, by what SPIRE itself follows: the ids of its events, asked of
// every node at the same time. Words of PostgreSQL's about its replication have no say in it.
#ifndef COLLECTORS_DATASTORE_EVENTS_LAG_H_
#define COLLECTORS_DATASTORE_EVENTS_LAG_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "exporter/base/clock.h"
#include "exporter/metrics/histogram.h"

namespace spire_exporter::datastore {

struct StandbyLag {
  // current, behind, ahead (it has events that the primary never had: another history), unknown
  std::string_view state;
  // What the primary has and the standby has not; nothing when it is ahead.
  std::optional<int64_t> ids;
  // Since when it misses something: since the look that first showed the primary with an id that
  // the standby has not, so short of the truth by up to an interval. Zero when it is current;
  // nothing when it has been behind since before the first look.
  std::optional<double> seconds;
};

// Of one table of events. Not safe from several threads.
class EventsLag {
 public:
  // The primary's newest id. Keeps the last 256 changes of it.
  void NotePrimary(int64_t newest, SteadyTime now);
  // A standby's, asked at the same time.
  StandbyLag Judge(std::string_view node, int64_t newest, SteadyTime now);
  // The primary went back in time, or is another one.
  void Restart();

 private:
  struct Sample {
    SteadyTime at;
    int64_t newest = 0;
  };
  static constexpr size_t kSamplesMax = 256;

  std::deque<Sample> samples_;                          // ids rising
  std::map<std::string, int64_t, std::less<>> before_;  // standbys' newest at the look before
};

// From the look that first saw an event on the primary to the look that first saw it on a standby,
// as a histogram a node: whole intervals, and zero within one. Not safe from several threads.
class Propagation {
 public:
  Propagation();

  void NotePrimary(int64_t newest, SteadyTime now);
  void NoteStandby(const std::string& node, int64_t newest, SteadyTime now);
  void Restart();

  // By node; at most kNodesMax.
  std::map<std::string, std::shared_ptr<const HistogramValue>> Snapshot() const;
  static constexpr size_t kNodesMax = 32;

 private:
  struct Event {
    int64_t id = 0;
    SteadyTime seen;
  };
  struct Standby {
    explicit Standby(std::shared_ptr<const HistogramLayout> layout)
        : histogram(std::move(layout)) {}
    NativeHistogram histogram;
    int64_t reached = 0;  // the newest event that was counted
  };
  static constexpr size_t kEventsMax = 256;

  std::shared_ptr<const HistogramLayout> layout_;
  std::deque<Event> events_;
  std::optional<int64_t> first_;  // not an event that we saw come
  std::map<std::string, Standby> standbys_;
};

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_EVENTS_LAG_H_
