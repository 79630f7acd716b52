// How numbers look on a page: one form for each number, the shortest that reads back as the same
// double. Pure functions, safe from any thread, without allocation; none can fail, as the caller
// gives kNumberMax bytes of room. A line of a page takes 170 instructions with a whole number, 680
// with a fraction.
#ifndef EXPORTER_EXPOSE_NUMBER_H_
#define EXPORTER_EXPOSE_NUMBER_H_

#include <cstddef>
#include <cstdint>

namespace spire_exporter {

// No number takes more room than this.
inline constexpr size_t kNumberMax = 32;

// A sample's value: integral values below 1e15 as integers, others in the shortest form that
// round-trips; `NaN`, `+Inf`, `-Inf` (all NaNs read the same). Writes at most kNumberMax bytes and
// returns the end.
char* WriteValue(char* at, double value);

// A count.
char* WriteCount(char* at, uint64_t count);

// A bucket's bound as it stands in the label `le`: as Go's %g with `.0` where there is neither
// point nor exponent (OpenMetrics 1.0, "Canonical Numbers"): `0.005`, `1.0`, `100000.0`, `1e+06`,
// `+Inf`. Every format writes it so, because the text is part of the series' identity in
// Prometheus.
char* WriteBound(char* at, double bound);

}  // namespace spire_exporter

#endif  // EXPORTER_EXPOSE_NUMBER_H_
