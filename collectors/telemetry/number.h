// The numbers of DogStatsD lines, fast where SPIRE's client writes them.
#ifndef COLLECTORS_TELEMETRY_NUMBER_H_
#define COLLECTORS_TELEMETRY_NUMBER_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace spire_exporter::telemetry {

// The decimal digits at the start of eight bytes.
struct DigitRun {
  int size;  // 0..8
  uint64_t value;
};

// Eight characters in one register (after Lemire, "Quickly parsing eight digits", 2018): the run is
// moved to the high end, zeros come in below, and three multiplications add tens to ones, hundreds
// to tens, and so on.
inline DigitRun ScanDigits(const char* at) {
  uint64_t text = 0;
  std::memcpy(&text, at, sizeof(text));
  if constexpr (std::endian::native == std::endian::big) text = __builtin_bswap64(text);
  text ^= 0x3030303030303030;
  // The high bit of each byte that is no digit: above 9, or above 127.
  const uint64_t others = ((text + 0x7676767676767676) | text) & 0x8080808080808080;
  if (others == 0) [[unlikely]]
    return {8, 0};
  const int size = std::countr_zero(others) / 8;
  if (size == 0) return {0, 0};
  text <<= 64 - 8 * size;
  text = text * 10 + (text >> 8);
  text = ((text & 0x000000ff000000ff) * 0x000f424000000064 +
          ((text >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >>
         32;
  return {size, text & 0xffffffff};
}

// Reads `digits[.digits]` at `at`, up to seven of each, exactly: an integer mantissa below 2^53
// divided by a small power of ten rounds once, so the result is the nearest double (Clinger, "How
// to Read Floating Point Numbers Accurately", 1990). Returns the first byte behind the number, or
// null when the text is anything else or less than kScanRoom bytes long: then ParseNumber()
// decides.
inline constexpr int kScanRoom = 17;
inline constexpr double kPowers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
inline constexpr uint32_t kWholePowers[] = {1,      10,      100,       1000,
                                            10'000, 100'000, 1'000'000, 10'000'000};
inline const char* ScanNumber(const char* at, const char* end, double* value) {
  if (end - at < kScanRoom) return nullptr;
  if (at[1] == '|' && static_cast<unsigned char>(*at - '0') <= 9) {  // counters: mostly 1
    *value = *at - '0';
    return at + 1;
  }
  const DigitRun whole = ScanDigits(at);
  if (whole.size == 0 || whole.size == 8) return nullptr;
  at += whole.size;
  if (*at != '.') {
    *value = static_cast<double>(static_cast<int64_t>(whole.value));
    return at;
  }
  const DigitRun part = ScanDigits(at + 1);
  if (part.size == 0 || part.size == 8) return nullptr;
  const uint64_t mantissa = whole.value * kWholePowers[part.size] + part.value;
  *value = static_cast<double>(static_cast<int64_t>(mantissa)) / kPowers[part.size];
  return at + 1 + part.size;
}

// Any decimal number, with sign, exponent, `inf` and `nan`: false when the text is not wholly one,
// or beyond the range of double.
bool ParseNumber(std::string_view text, double* value);

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_NUMBER_H_
