// How often SPIRE's page is read.
#ifndef COLLECTORS_TELEMETRY_SCRAPE_POLL_H_
#define COLLECTORS_TELEMETRY_SCRAPE_POLL_H_

#include "exporter/base/clock.h"

namespace spire_exporter::telemetry {

// While the stream speaks, or polling is off: the interval. Else `poll`, or so much longer that
// serving pages takes kServingShareAim of the time, and never longer than the interval. As the mean
// of the pages hands every page's time on, only later, what they cost over some minutes stays below
// kServingShareMax, however they scatter; a page too slow for the interval alone passes it.
//
// What a page costs SPIRE is not to be seen from outside: its process_cpu_seconds_total counts
// whatever else it does. The time from asking to the last byte bounds it from above while SPIRE
// serves on one core, and an idle wait in it makes us poll less, never more.
//
// Value type, not safe from several threads.
class ScrapePoll {
 public:
  static constexpr double kServingShareMax = 0.005;  // what is promised
  static constexpr double kServingShareAim = 0.004;

  // `poll` zero: off.
  ScrapePoll(Duration interval, Duration poll) : interval_(interval), poll_(poll) {}

  void OnPage(Duration served);
  // An endpoint that fails is asked at its interval, unless it fails as fast as it may answer:
  // SPIRE is about to start, and its first calls shall not be missed.
  void OnFailure(Duration took);
  Duration Next(bool stream_speaks) const;

 private:
  Duration interval_;
  Duration poll_;
  Duration served_{};  // the mean of the last pages, four or so
  bool any_ = false;
  bool failed_ = false;
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_SCRAPE_POLL_H_
