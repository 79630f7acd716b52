// Native histogram buckets: which one a value belongs to, and what their bounds are. Bucket i of
// schema s holds (2^((i-1) * 2^-s), 2^(i * 2^-s)], for s from -4 to 8 (Prometheus, "Native
// Histograms", section "Schema"). The bounds are those of the Prometheus Go client bit for bit,
// which differ from the correctly rounded powers by up to 4 units in the last place: a value must
// count in the same bucket whoever counts it.
// Pure functions over constant tables: safe from any thread, constant time, no allocation. A schema
// outside of the stated range is a mistake of the caller and not checked.
#ifndef EXPORTER_METRICS_BUCKET_LAYOUT_H_
#define EXPORTER_METRICS_BUCKET_LAYOUT_H_

#include <bit>
#include <cstdint>

namespace spire_exporter {

inline constexpr int kSchemaMin = -4;
inline constexpr int kSchemaMax = 8;

// Values of at most this magnitude belong to the zero bucket: 2^-128, the threshold that client
// libraries use by default. It is a bucket bound of every schema.
inline constexpr double kZeroThreshold = 0x1p-128;

// Finds keys of one schema from 0 to 8 without a branch.
//
// The mantissa is cut into 2^(schema+1) cells of equal width. The narrowest bucket is wider than a
// cell, so a cell holds at most one bound: an entry is that bound's mantissa shifted left by 12
// (nothing exceeds it where there is none) plus, in the 12 bits that became free, how many buckets
// the exponential scale is ahead of the linear one at the cell's start. So one load and one compare
// find the bucket.
class KeyFinder {
 public:
  // schema 0..8. The table behind it is constant data of the program.
  explicit KeyFinder(int schema);

  // Bucket index + (1023 << schema), for the bits of a normal, finite, positive double. Everything
  // else gives a key that is not between Key(DBL_MIN) and InfinityKey(): zero and subnormals at
  // most the former, infinity, NaN and whatever is negative at least the latter.
  uint64_t Key(uint64_t bits) const {
    const uint64_t scaled = bits >> shift_;
    const uint64_t entry = entries_[scaled & mask_];
    // Mantissa against mantissa; the count in the entry's low bits is too small to matter, as the
    // left side has zeros there.
    return (scaled >> 1) + (entry & 0xfff) + static_cast<uint64_t>((bits << 12) > entry);
  }

  uint64_t InfinityKey() const { return uint64_t{2047} << (51 - shift_); }
  // Key - index.
  int64_t Bias() const { return int64_t{1023} << (51 - shift_); }

 private:
  const uint64_t* entries_;
  uint64_t mask_;
  uint64_t shift_;
};

// The index of the bucket that holds a magnitude above zero; infinity is in the bucket after the
// one of DBL_MAX. schema -4..8.
int32_t BucketIndex(double magnitude, int schema);

// The inclusive upper bound of a bucket; 0 below and infinity above the range of double.
double BucketUpperBound(int32_t index, int schema);

// The index of the bucket that holds bucket `index` when the schema falls by `steps`: the ceiling
// of index / 2^steps, as bounds are inclusive above.
inline int32_t CoarserIndex(int32_t index, int steps) {
  const int64_t round_up = (int64_t{1} << steps) - 1;
  return static_cast<int32_t>((index + round_up) >> steps);
}

}  // namespace spire_exporter

#endif  // EXPORTER_METRICS_BUCKET_LAYOUT_H_
