// Searching and comparing texts of a few dozen bytes, where calls of memchr(3) and memcmp(3) cost
// as much as the work.
#ifndef COLLECTORS_TELEMETRY_BYTE_SEARCH_H_
#define COLLECTORS_TELEMETRY_BYTE_SEARCH_H_

#include <bit>
#include <cstddef>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace spire_exporter::telemetry {

// `end` when there is none. Reads nothing outside of [at, end).
template <char kByte>
inline const char* FindByte(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i wanted = _mm_set1_epi8(kByte);
  for (const char* const last = end - 16; at <= last;) {
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const int hits = _mm_movemask_epi8(_mm_cmpeq_epi8(text, wanted));
    if (hits != 0) return at + std::countr_zero(static_cast<unsigned>(hits));
    at += 16;
  }
#endif
  const void* const hit = std::memchr(at, kByte, static_cast<size_t>(end - at));
  return hit == nullptr ? end : static_cast<const char*>(hit);
}

inline bool SameBytes(const char* a, const char* b, size_t size) {
#if defined(__SSE2__)
  if (size >= 16) {
    const auto load = [](const char* at) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    };
    // The last sixteen bytes may overlap those before.
    __m128i same = _mm_cmpeq_epi8(load(a + size - 16), load(b + size - 16));
    for (size_t at = 0; at + 16 < size; at += 16) {
      same = _mm_and_si128(same, _mm_cmpeq_epi8(load(a + at), load(b + at)));
    }
    return _mm_movemask_epi8(same) == 0xffff;
  }
#endif
  return std::memcmp(a, b, size) == 0;
}

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_BYTE_SEARCH_H_
