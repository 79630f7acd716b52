// Bounds on what one source may put on the page.
#ifndef EXPORTER_METRICS_LIMITS_H_
#define EXPORTER_METRICS_LIMITS_H_

#include <cstdint>

#include "exporter/metrics/family.h"

namespace spire_exporter {

struct Limits {
  uint64_t series_max = 20'000;     // of one reading
  uint64_t label_length_max = 128;  // bytes of a label value
  friend bool operator==(const Limits&, const Limits&) = default;
};

// What ApplyLimits took away.
struct LimitCounts {
  uint64_t series = 0;
  uint64_t labels_cut = 0;
  LimitCounts& operator+=(const LimitCounts& other) {
    series += other.series;
    labels_cut += other.labels_cut;
    return *this;
  }
};

// Cuts label values at the length limit (at a UTF-8 boundary; a series whose labels then equal
// another's is dropped) and drops the series beyond the limits: of each family beyond its
// description's series_max, then of the list beyond `series_max`, last first. Deterministic.
// Changes the list in place: safe from any thread that has it to itself. Costs a pass over the
// labels, and a hash set of a family's series where a value was cut. Cannot fail.
LimitCounts ApplyLimits(FamilyList& families, const Limits& limits);

}  // namespace spire_exporter

#endif  // EXPORTER_METRICS_LIMITS_H_
