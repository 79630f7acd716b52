// The int4 clock: SPIRE's ids are 32 bits wide, and a table whose counter has run out takes no more
// rows (spiffe/spire#5501).
#ifndef COLLECTORS_DATASTORE_ID_CLOCK_H_
#define COLLECTORS_DATASTORE_ID_CLOCK_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "exporter/base/clock.h"

namespace spire_exporter::datastore {

struct IdReading {
  double headroom = 1;  // what is left, as a share of all: 1 is none used
  // At the speed of the window; nothing while no id is used, or for the first ten minutes.
  std::optional<double> exhaustion_seconds;
  std::optional<double> per_second;  // nothing for the first ten minutes
};

// Keeps a position every five minutes for a day, for each table. Not safe from several threads.
class IdClock {
 public:
  static constexpr Duration kStep = std::chrono::minutes(5);
  static constexpr Duration kWindow = std::chrono::hours(24);
  static constexpr Duration kWindowMin = std::chrono::minutes(10);

  // `last` of `max` ids are used. A position below the one before begins the window anew.
  IdReading Note(std::string_view table, int64_t last, int64_t max, SteadyTime now);

 private:
  struct Sample {
    SteadyTime at;
    int64_t last = 0;
  };
  std::map<std::string, std::deque<Sample>, std::less<>> samples_;
};

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_ID_CLOCK_H_
