#include "exporter/metrics/bucket_layout.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <limits>

#include "exporter/metrics/bucket_bounds.h"

namespace spire_exporter {
namespace {

constexpr int kMantissaBits = 52;

// All schemas' entries in one array: those of schema s start at 2^(s+1) - 2.
constexpr size_t FirstEntry(int schema) {
  return (size_t{2} << schema) - 2;
}

constexpr auto MakeEntries() {
  std::array<uint64_t, FirstEntry(kSchemaMax + 1)> all{};
  for (int schema = 0; schema <= kSchemaMax; ++schema) {
    const size_t stride = size_t{256} >> schema;
    const int cell_bits = kMantissaBits - (schema + 1);
    size_t bound = 0;  // the first one at or after the cell's start
    for (size_t cell = 0; cell < size_t{2} << schema; ++cell) {
      const uint64_t end = (uint64_t{cell} + 1) << cell_bits;
      const uint64_t ahead = bound - cell / 2;
      uint64_t threshold = (uint64_t{1} << kMantissaBits) - 1;
      if (bound * stride < kBoundMantissas.size() && kBoundMantissas[bound * stride] < end) {
        threshold = kBoundMantissas[bound * stride];
        ++bound;
      }
      all[FirstEntry(schema) + cell] = (threshold << 12) + ahead;
    }
  }
  return all;
}

constexpr auto kEntries = MakeEntries();

}  // namespace

KeyFinder::KeyFinder(int schema)
    : entries_(kEntries.data() + FirstEntry(schema)),
      mask_((uint64_t{2} << schema) - 1),
      shift_(static_cast<uint64_t>(kMantissaBits - 1 - schema)) {
  assert(schema >= 0 && schema <= kSchemaMax);
}

int32_t BucketIndex(double magnitude, int schema) {
  assert(magnitude > 0);
  if (std::isinf(magnitude)) {
    return BucketIndex(std::numeric_limits<double>::max(), schema) + 1;
  }
  const int fine = schema < 0 ? 0 : schema;
  const KeyFinder finder(fine);
  int64_t octaves_below = 0;
  if (magnitude <
      std::numeric_limits<double>::min()) {  // subnormal: scale it into the normal range
    octaves_below = 64;
    magnitude *= 0x1p64;
  }
  const int64_t index = static_cast<int64_t>(finder.Key(std::bit_cast<uint64_t>(magnitude))) -
                        finder.Bias() - octaves_below * (int64_t{1} << fine);
  return CoarserIndex(static_cast<int32_t>(index), fine - schema);
}

double BucketUpperBound(int32_t index, int schema) {
  if (schema < 0) {
    // Beyond these exponents ldexp gives 0 or infinity anyway.
    const int64_t exponent = std::clamp<int64_t>(int64_t{index} * (1 << -schema), -2000, 2000);
    return std::ldexp(1.0, static_cast<int>(exponent));
  }
  const int32_t octave = index >> schema;  // arithmetic: rounds down
  const auto within = static_cast<size_t>(index - octave * (1 << schema));
  const uint64_t mantissa = kBoundMantissas[within * (size_t{256} >> schema)];
  return std::ldexp(std::bit_cast<double>((uint64_t{1023} << kMantissaBits) | mantissa), octave);
}

}  // namespace spire_exporter
