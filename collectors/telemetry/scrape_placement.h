// Where observations belong that only SPIRE's summaries tell of: by how much `_count` and `_sum`
// rose between two pages.
#ifndef COLLECTORS_TELEMETRY_SCRAPE_PLACEMENT_H_
#define COLLECTORS_TELEMETRY_SCRAPE_PLACEMENT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "exporter/metrics/histogram.h"

namespace spire_exporter::telemetry {

// The 0.5, 0.9 and 0.99 quantiles of a summary, which SPIRE keeps over the last 8 to 10 seconds;
// NaN when nothing was observed in that time, or when they are not known.
using SummaryQuantiles = std::array<double, 3>;
inline constexpr SummaryQuantiles kNoQuantiles = {std::numeric_limits<double>::quiet_NaN(),
                                                  std::numeric_limits<double>::quiet_NaN(),
                                                  std::numeric_limits<double>::quiet_NaN()};

enum class Placement {
  kExact,      // the very value that SPIRE observed, bit for bit
  kEstimated,  // number and sum are exact, each value is a guess from the summary's quantiles
  kUnplaced,   // number and sum only
};
inline constexpr size_t kPlacementCount = 3;

// A rise of a summary, in the family's unit.
struct SummaryStep {
  uint64_t count = 0;
  double sum = 0;
  // What `sum` may be off by: it is the difference of two large sums.
  double error = 0;
  // From the unit on the page (milliseconds) to the family's.
  double scale = 1;
};

// What the difference of two sums, the larger one `sum`, may be off by after `count` additions to
// it, when `members` of SPIRE's summaries make the series: each addition and each scaling rounds by
// half a unit in the last place.
double StepError(double sum, double count, uint32_t members);

// Adds the step's observations: count rises by `step.count`, and sum by `step.sum` but for
// rounding; says how they were placed.
//
// - kExact: a step of one. SPIRE rounds every observation to a float32 before it adds it, so while
//   `error` is below half a float32's unit in the last place (`_sum` below 2^25 observations of
//   this size) the step names the float32, and this is the value that the stream would have told.
// - kEstimated: a larger step of which `quantiles` are known. Values follow the log-linear curve
//   through them, bent so that their sum is the step's. Also a step of one whose float32 the sum
//   has no room for any more.
// - kUnplaced: a sum that is not above zero, that may be off by more than half a bucket (4 %), or
//   that the quantiles cannot explain (off by more than a factor of 8); no quantiles.
//
// Cost: at most 32 values are placed, whatever the count, in some 10 us.
Placement PlaceStep(const SummaryStep& step, const SummaryQuantiles& quantiles,
                    NativeHistogram* histogram);

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_SCRAPE_PLACEMENT_H_
