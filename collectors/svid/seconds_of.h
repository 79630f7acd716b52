// Times of certificates and tokens as samples have them.
#ifndef COLLECTORS_SVID_SECONDS_OF_H_
#define COLLECTORS_SVID_SECONDS_OF_H_

#include <chrono>

namespace spire_exporter::svid {

// Unix time, to the year 9999; UnixSeconds() counts nanoseconds, which end in 2262.
inline double SecondsOf(std::chrono::sys_seconds time) {
  return static_cast<double>(time.time_since_epoch().count());
}

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_SECONDS_OF_H_
