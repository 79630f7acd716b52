// The numbers of DogStatsD lines, fast where SPIRE's client writes them.
#ifndef COLLECTORS_TELEMETRY_NUMBER_H_
#define COLLECTORS_TELEMETRY_NUMBER_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace spire_exporter::telemetry {

// Eight characters as digits, the first in the lowest byte.
inline uint64_t LoadDigits(const char* at) {
  uint64_t text = 0;
  std::memcpy(&text, at, sizeof(text));
  if constexpr (std::endian::native == std::endian::big) text = __builtin_bswap64(text);
  return text ^ 0x3030303030303030;
}

// The high bit of each byte that is no digit: above 9, or above 127.
inline uint64_t OtherThanDigits(uint64_t digits) {
  return ((digits + 0x7676767676767676) | digits) & 0x8080808080808080;
}

// The value of eight digits (after Lemire, "Quickly parsing eight digits", 2018): multiplications
// add tens to ones, hundreds to tens, and so on.
inline uint64_t ValueOfDigits(uint64_t digits) {
  digits = digits * 10 + (digits >> 8);
  return (((digits & 0x000000ff000000ff) * 0x000f424000000064 +
           ((digits >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >>
          32) &
         0xffffffff;
}

// A number and its end; null when the text is not what was looked for.
struct Scanned {
  const char* end;
  double value;
};

// Scan*() may read this many bytes from `at`, and gives values from 0 to below kScannedMax.
inline constexpr int kScanRoom = 17;
inline constexpr double kScannedMax = 1e7;

// Reads `digits[.digits]` at `at`, up to seven of each, exactly: an integer mantissa below 2^53
// divided by a small power of ten rounds once, so the result is the nearest double (Clinger, "How
// to Read Floating Point Numbers Accurately", 1990). Null when the text is anything else: then
// ParseNumber() decides.
Scanned ScanAnyNumber(const char* at);

// The same, faster for what the client mostly writes: counters of one digit, and timers below 100
// ms with their six decimals.
[[gnu::always_inline]] inline Scanned ScanNumber(const char* at) {
  const auto first = static_cast<unsigned char>(*at - '0');
  if (at[1] == '|' && first <= 9) return {at + 1, static_cast<double>(first)};
  const uint64_t text = LoadDigits(at);
  // Of the first byte that is no digit: eight times the digits before it, and seven.
  const int bit = std::countr_zero(OtherThanDigits(text) | uint64_t{1} << 63);
  const char* const point = at + (bit >> 3);
  const uint64_t decimals = LoadDigits(point + 1);
  if (static_cast<unsigned>(bit - 15) > 8 || *point != '.' ||
      (OtherThanDigits(decimals) << 8) != uint64_t{0x80} << 56) [[unlikely]] {
    return ScanAnyNumber(at);
  }
  // Eight digits without the point: one or two, with a zero in front of one, and the decimals.
  const uint64_t whole = text << (71 - bit) >> 48;
  const uint64_t mantissa = ValueOfDigits(decimals << 16 | whole);
  return {point + 7, static_cast<double>(static_cast<int64_t>(mantissa)) / 1e6};
}

// Any decimal number, with sign, exponent, `inf` and `nan`: false when the text is not wholly one,
// or beyond the range of double.
bool ParseNumber(std::string_view text, double* value);

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_NUMBER_H_
