// Searching and comparing texts of a few dozen bytes, where calls of memchr(3) and memcmp(3) cost
// as much as the work. Nothing outside of the ranges given is read. On x86-64 this takes SSE2,
// which every such processor has; elsewhere the plain functions stand in, which the tests hold
// against the others.
#ifndef COLLECTORS_TELEMETRY_BYTE_SEARCH_H_
#define COLLECTORS_TELEMETRY_BYTE_SEARCH_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace spire_exporter::telemetry {

inline const char* FindBytePlain(char byte, const char* at, const char* end) {
  const void* const hit = std::memchr(at, byte, static_cast<size_t>(end - at));
  return hit == nullptr ? end : static_cast<const char*>(hit);
}

inline bool SameBytesPlain(const char* a, const char* b, size_t size) {
  return std::memcmp(a, b, size) == 0;
}

// Where a byte is among the 16 * kSixteens at `at`, at most 64: bit i is set where byte i is it.
template <int kSixteens>
inline uint64_t HitsPlain(char byte, const char* at) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  uint64_t hits = 0;
  for (int i = 0; i < 2 * kSixteens; ++i) {
    uint64_t word = 0;
    std::memcpy(&word, at + 8 * i, sizeof(word));
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    word ^= kOnes * static_cast<unsigned char>(byte);
    // The high bit of each byte that is zero, gathered into eight bits.
    word = ~(((word & 0x7f * kOnes) + 0x7f * kOnes) | word) & 0x80 * kOnes;
    hits |= ((word >> 7) * 0x0102040810204080 >> 56) << (8 * i);
  }
  return hits;
}

#if defined(__SSE2__)

inline __m128i LoadSixteen(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

inline __m128i LoadEight(const char* at) {
  return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at));
}

// Bit i is set where byte i is the wanted one.
inline uint64_t HitsInSixteen(const char* at, __m128i wanted) {
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(LoadSixteen(at), wanted)));
}

// As HitsPlain().
template <char kByte, int kSixteens>
[[gnu::always_inline]] inline uint64_t Hits(const char* at) {
  static_assert(kSixteens >= 1 && kSixteens <= 4);
  const __m128i wanted = _mm_set1_epi8(kByte);
  uint64_t low = HitsInSixteen(at, wanted);
  if constexpr (kSixteens >= 2) low |= HitsInSixteen(at + 16, wanted) << 16;
  if constexpr (kSixteens == 3) low |= HitsInSixteen(at + 32, wanted) << 32;
  if constexpr (kSixteens == 4) {
    low |= (HitsInSixteen(at + 32, wanted) | HitsInSixteen(at + 48, wanted) << 16) << 32;
  }
  return low;
}

// `end` when there is none.
template <char kByte>
inline const char* FindByte(const char* at, const char* end) {
  if (end - at < 16) return FindBytePlain(kByte, at, end);
  const __m128i wanted = _mm_set1_epi8(kByte);
  const char* const last = end - 16;
  for (; at < last; at += 16) {
    const uint64_t hits = HitsInSixteen(at, wanted);
    if (hits != 0) return at + std::countr_zero(hits);
  }
  // What is read twice has no hit.
  const uint64_t hits = HitsInSixteen(last, wanted);
  return hits == 0 ? end : last + std::countr_zero(hits);
}

// All bits are set when `size` bytes, at least kLeast and that at least 8, are the same.
template <size_t kLeast>
[[gnu::always_inline]] inline __m128i SameMask(const char* a, const char* b, size_t size) {
  // What is read twice does no harm.
  const auto same = [a, b](size_t at) {
    return _mm_cmpeq_epi8(LoadSixteen(a + at), LoadSixteen(b + at));
  };
  const auto same_eight = [a, b](size_t at) {
    return _mm_cmpeq_epi8(LoadEight(a + at), LoadEight(b + at));
  };
  static_assert(kLeast >= 8);
  if (kLeast < 16 && size < 16) return _mm_and_si128(same_eight(0), same_eight(size - 8));
  __m128i all = _mm_and_si128(same(0), same(size - 16));
  if (size > 32) {
    all = _mm_and_si128(all, _mm_and_si128(same(16), same(size - 32)));
    for (size_t at = 32; at + 32 < size; at += 16) all = _mm_and_si128(all, same(at));
  }
  return all;
}

inline bool SameBytes(const char* a, const char* b, size_t size) {
  if (size < 8) return SameBytesPlain(a, b, size);
  return _mm_movemask_epi8(SameMask<8>(a, b, size)) == 0xffff;
}

// Whether `a` is `b` followed by `c`, which have these sizes at the least.
template <size_t kLeastB, size_t kLeastC>
[[gnu::always_inline]] inline bool SameUsualBytes(const char* a, const char* b, size_t b_size,
                                                  const char* c, size_t c_size) {
  const __m128i all =
      _mm_and_si128(SameMask<kLeastB>(a, b, b_size), SameMask<kLeastC>(a + b_size, c, c_size));
  return _mm_movemask_epi8(all) == 0xffff;
}

#else

template <char kByte>
inline const char* FindByte(const char* at, const char* end) {
  return FindBytePlain(kByte, at, end);
}

template <char kByte, int kSixteens>
inline uint64_t Hits(const char* at) {
  return HitsPlain<kSixteens>(kByte, at);
}

inline bool SameBytes(const char* a, const char* b, size_t size) {
  return SameBytesPlain(a, b, size);
}

template <size_t kLeastB, size_t kLeastC>
inline bool SameUsualBytes(const char* a, const char* b, size_t b_size, const char* c,
                           size_t c_size) {
  return SameBytesPlain(a, b, b_size) && SameBytesPlain(a + b_size, c, c_size);
}

#endif

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_BYTE_SEARCH_H_
