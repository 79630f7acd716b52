// Exponential back-off with full jitter, for everything that retries.
#ifndef EXPORTER_BASE_BACKOFF_H_
#define EXPORTER_BASE_BACKOFF_H_

#include <cstdint>

#include "exporter/base/clock.h"

namespace spire_exporter {

// Not safe from several threads. Delays are drawn uniformly from [step/2, step], where step doubles
// from `initial` to `max`; the same seed gives the same delays.
class Backoff {
 public:
  Backoff(Duration initial, Duration max, uint64_t seed);

  // The delay before the next attempt.
  Duration Next();
  // After a success: the next delay starts from `initial` again.
  void Reset();

 private:
  Duration initial_;
  Duration max_;
  Duration step_;
  uint64_t state_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_BASE_BACKOFF_H_
