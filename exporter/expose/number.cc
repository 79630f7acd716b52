#include "exporter/expose/number.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string_view>
#include <system_error>

namespace spire_exporter {
namespace {

// `00`, `01`, ... `99`
constexpr std::array<char, 200> kPairs = [] {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

constexpr std::array<uint64_t, 20> kPowersOfTen = [] {
  std::array<uint64_t, 20> powers{};
  uint64_t power = 1;
  for (uint64_t& entry : powers) {
    entry = power;
    power *= 10;
  }
  return powers;
}();

// Of a number that is not zero. 1233 / 4096 is just above the logarithm of 2 to base 10, so that
// the product is the number of digits or one less, which the table tells.
size_t CountDigits(uint64_t number) {
  const auto bits = static_cast<size_t>(std::bit_width(number));
  const size_t digits = bits * 1233 / 4096;
  return digits + (number >= kPowersOfTen[digits] ? 1 : 0);
}

// A number of 2 to 8 digits, from the left: as a fixed-point fraction its next two digits are the
// integral part of a hundred times what is left, so that nothing is divided. The factor is rounded
// up and the error stays below a unit of the last digit (2^57 / 10^6 for numbers below 2^27).
char* WriteUpTo8(char* at, uint32_t number) {
  constexpr int kPoint = 57;
  constexpr uint64_t kFraction = (uint64_t{1} << kPoint) - 1;
  constexpr uint64_t kPerMillion = (uint64_t{1} << kPoint) / 1'000'000 + 1;
  constexpr uint64_t kPerTenThousand = (uint64_t{1} << kPoint) / 10'000 + 1;
  constexpr uint64_t kPerHundred = (uint64_t{1} << kPoint) / 100 + 1;
  uint64_t fixed = 0;
  int pairs = 0;  // behind the first
  if (number >= 1'000'000) {
    fixed = number * kPerMillion;
    pairs = 3;
  } else if (number >= 10'000) {
    fixed = number * kPerTenThousand;
    pairs = 2;
  } else if (number >= 100) {
    fixed = number * kPerHundred;
    pairs = 1;
  } else {
    fixed = uint64_t{number} << kPoint;
  }
  const uint64_t first = fixed >> kPoint;
  if (first < 10) {
    *at++ = static_cast<char>('0' + first);
  } else {
    std::memcpy(at, kPairs.data() + 2 * first, 2);
    at += 2;
  }
  for (; pairs > 0; --pairs) {
    fixed = (fixed & kFraction) * 100;
    std::memcpy(at, kPairs.data() + 2 * (fixed >> kPoint), 2);
    at += 2;
  }
  return at;
}

char* Copy(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

char* WriteNotFinite(char* at, double value) {
  if (std::isnan(value)) return Copy(at, "NaN");
  return Copy(at, value > 0 ? "+Inf" : "-Inf");
}

// The decimal exponent of a number in scientific form: `-1.5e+06` gives 6.
int ExponentOf(const char* begin, const char* end) {
  const char* e = end;
  while (e != begin && *(e - 1) != 'e') --e;
  if (e != end && *e == '+') ++e;  // from_chars takes a minus sign alone
  int exponent = 0;
  std::from_chars(e, end, exponent);
  return exponent;
}

}  // namespace

char* WriteCount(char* at, uint64_t count) {
  // Most counts have one digit: buckets that nothing fell into.
  if (count < 10) {
    *at = static_cast<char>('0' + count);
    return at + 1;
  }
  if (count < 100'000'000) return WriteUpTo8(at, static_cast<uint32_t>(count));
  // Two digits at a time from the right.
  char* const end = at + CountDigits(count);
  char* first = end;
  while (count >= 100) {
    first -= 2;
    std::memcpy(first, kPairs.data() + 2 * (count % 100), 2);
    count /= 100;
  }
  if (count < 10) {
    *at = static_cast<char>('0' + count);
  } else {
    std::memcpy(at, kPairs.data() + 2 * count, 2);
  }
  return end;
}

char* WriteValue(char* at, double value) {
  constexpr double kIntegersBelow = 1e15;
  if (value > -kIntegersBelow && value < kIntegersBelow) {
    const auto integer = static_cast<int64_t>(value);
    if (static_cast<double>(integer) == value) {
      if (integer > 0) return WriteCount(at, static_cast<uint64_t>(integer));
      if (integer < 0) return std::to_chars(at, at + kNumberMax, integer).ptr;
      if (std::signbit(value)) *at++ = '-';  // minus zero is a value of its own
      *at = '0';
      return at + 1;
    }
  } else if (!std::isfinite(value)) {
    return WriteNotFinite(at, value);
  }
  return std::to_chars(at, at + kNumberMax, value).ptr;
}

char* WriteBound(char* at, double bound) {
  if (!std::isfinite(bound)) return WriteNotFinite(at, bound);
  if (bound == 0) return Copy(at, "0.0");
  char* end = std::to_chars(at, at + kNumberMax, bound, std::chars_format::scientific).ptr;
  const int exponent = ExponentOf(at, end);
  // Where Go's %g with the shortest precision changes to an exponent.
  if (exponent < -4 || exponent >= 6) return end;
  end = std::to_chars(at, at + kNumberMax, bound, std::chars_format::fixed).ptr;
  for (const char* c = at; c != end; ++c) {
    if (*c == '.') return end;
  }
  return Copy(end, ".0");
}

}  // namespace spire_exporter
