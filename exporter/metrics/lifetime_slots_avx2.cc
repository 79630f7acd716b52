// Functions for AVX2 by attribute and not the whole file: what headers define inline stays fit for
// any processor. Nothing here runs unless HasAvx2().
#include "exporter/metrics/lifetime_slots.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace spire_exporter {

#if defined(__x86_64__)

namespace {

[[gnu::target("avx2"), gnu::always_inline]] inline __m256i LoadFour(const int64_t* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

}  // namespace

[[gnu::target("avx2")]] size_t SortLifetimesAvx2(LifetimeSlots& slots,
                                                 std::span<const int64_t> expiries, int64_t now,
                                                 int64_t* far) {
  alignas(32) uint32_t cells[kLifetimePiece];
  const __m256i now4 = _mm256_set1_epi64x(now);
  const __m256i end = _mm256_set1_epi32(static_cast<int>(LifetimeSlots::kEnd));
  const __m256i none = _mm256_set1_epi32(-1);
  const __m256i two = _mm256_set1_epi32(2);
  const __m256i zero = _mm256_setzero_si256();
  const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(slots.shift));
  const __m256i base = _mm256_set1_epi32(static_cast<int>(slots.base));
  const __m256i mask = _mm256_set1_epi32(static_cast<int>((uint32_t{1} << slots.shift) - 1));
  const int* const entries = reinterpret_cast<const int*>(slots.entries.data());
  __m256i least = none;
  __m256i most = none;
  __m256i sum = zero;  // 128 lifetimes below 2^24 a lane
  size_t found = 0;
  const size_t whole = expiries.size() / 8 * 8;
  for (size_t i = 0; i < whole; i += 8) {
    const int64_t* const at = expiries.data() + i;
    const __m256 a = _mm256_castsi256_ps(_mm256_sub_epi64(LoadFour(at), now4));
    const __m256 b = _mm256_castsi256_ps(_mm256_sub_epi64(LoadFour(at + 4), now4));
    // The order of eight is another one now; only the counts' tables would tell.
    const __m256i low = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88));
    const __m256i high = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd));
    const __m256i near = _mm256_and_si256(
        _mm256_cmpeq_epi32(high, zero),
        _mm256_and_si256(_mm256_cmpgt_epi32(end, low), _mm256_cmpgt_epi32(low, none)));
    const __m256i gone = _mm256_cmpgt_epi32(zero, high);
    if (_mm256_movemask_epi8(_mm256_or_si256(near, gone)) != -1) [[unlikely]] {
      for (size_t k = 0; k < 8; ++k) {
        const int64_t expiry = at[k];
        const auto remaining =
            static_cast<int64_t>(static_cast<uint64_t>(expiry) - static_cast<uint64_t>(now));
        far[found] = expiry;
        found += static_cast<size_t>(remaining >= static_cast<int64_t>(LifetimeSlots::kEnd));
      }
    }
    const __m256i lives = _mm256_or_si256(low, _mm256_xor_si256(near, none));  // -1: not near
    least = _mm256_min_epu32(least, lives);
    most = _mm256_max_epi32(most, lives);
    sum = _mm256_add_epi32(sum, _mm256_and_si256(lives, near));
    const __m256i bits = _mm256_castps_si256(_mm256_cvtepi32_ps(_mm256_add_epi32(lives, two)));
    const __m256i slot = _mm256_sub_epi32(_mm256_srl_epi32(bits, shift), base);
    const __m256i entry = _mm256_i32gather_epi32(entries, slot, 4);
    const __m256i cell =
        _mm256_srl_epi32(_mm256_add_epi32(entry, _mm256_and_si256(bits, mask)), shift);
    _mm256_store_si256(reinterpret_cast<__m256i*>(cells + i), cell);
  }
  uint64_t* const counts = slots.counts.data();
  const uint64_t before = counts[0] + counts[1] + counts[2] + counts[3];
  // Lanes 0, 1, 4 and 5 are the first four of eight.
  for (size_t i = 0; i < whole; i += 8) {
    ++counts[cells[i] * 4];
    ++counts[cells[i + 1] * 4 + 1];
    ++counts[cells[i + 4] * 4 + 2];
    ++counts[cells[i + 5] * 4 + 3];
    ++counts[cells[i + 2] * 4];
    ++counts[cells[i + 3] * 4 + 1];
    ++counts[cells[i + 6] * 4 + 2];
    ++counts[cells[i + 7] * 4 + 3];
  }
  slots.expired += counts[0] + counts[1] + counts[2] + counts[3] - before - found;
  alignas(32) uint32_t lanes[3][8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes[0]), least);
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes[1]), most);
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes[2]), sum);
  for (size_t k = 0; k < 8; ++k) {
    if (lanes[0][k] < slots.min) slots.min = lanes[0][k];
    const auto lane_max = static_cast<int32_t>(lanes[1][k]);
    if (lane_max > slots.max) slots.max = lane_max;
    slots.sum += lanes[2][k];
  }
  return found + SortLifetimesPlain(slots, expiries.subspan(whole), now, far + found);
}

bool HasAvx2() {
  return __builtin_cpu_supports("avx2") != 0;
}

#else

size_t SortLifetimesAvx2(LifetimeSlots& slots, std::span<const int64_t> expiries, int64_t now,
                         int64_t* far) {
  return SortLifetimesPlain(slots, expiries, now, far);
}

bool HasAvx2() {
  return false;
}

#endif

}  // namespace spire_exporter
