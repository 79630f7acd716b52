// Native buckets as a plain sorted list: the form in which they are merged and made coarser.
// Pure functions, safe from any thread; each costs one pass, and none can fail but for lack of
// memory.
#ifndef EXPORTER_METRICS_BUCKET_COUNTS_H_
#define EXPORTER_METRICS_BUCKET_COUNTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "exporter/metrics/family.h"

namespace spire_exporter {

struct BucketCount {
  int32_t index = 0;
  uint64_t count = 0;
};

// Rising by index, no index twice, no count zero.
using BucketCounts = std::vector<BucketCount>;

// Lowers the schema by `steps`: neighbours become one bucket.
void Coarsen(BucketCounts& counts, int steps);

BucketCounts MergeCounts(const BucketCounts& a, const BucketCounts& b);

// Runs as MakeRuns would build them hold this many buckets, the empty ones inside included: those
// are sent, and count towards Prometheus' limit, as well.
size_t BucketsInRuns(const BucketCounts& counts);

// Up to two empty buckets are bridged, as a zero is shorter than the beginning of a new span.
std::vector<BucketRun> MakeRuns(const BucketCounts& counts);
BucketCounts FromRuns(const std::vector<BucketRun>& runs);

}  // namespace spire_exporter

#endif  // EXPORTER_METRICS_BUCKET_COUNTS_H_
