#include "tests/fakes/numbers.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <numbers>

namespace spire_exporter::fakes {
namespace {

// Room for the longest fixed notation of a double: 309 digits, sign, point and decimals.
using Buffer = std::array<char, 1200>;

}  // namespace

void AppendShortest(double value, std::string* out) {
  Buffer buffer;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  out->append(buffer.data(), end.ptr);
}

void AppendSixDecimals(double value, std::string* out) {
  Buffer buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::fixed, 6);
  out->append(buffer.data(), end.ptr);
}

void AppendPageValue(double value, std::string* out) {
  if (std::isnan(value)) {
    out->append("NaN");
    return;
  }
  if (std::isinf(value)) {
    out->append(value > 0 ? "+Inf" : "-Inf");
    return;
  }
  std::array<char, 64> buffer{};  // the end of the number is a zero byte, for atoi
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<size_t>(end.ptr - buffer.data()));
  const size_t mark = text.find('e');
  const int exponent = std::atoi(buffer.data() + mark + 1);
  // Go uses the exponent when it is below -4 or at least 6 (21 only in fmt's %v).
  if (exponent < -4 || exponent >= 6) {
    out->append(text);
  } else {
    AppendShortest(value, out);
  }
}

void AppendInteger(int64_t value, std::string* out) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  out->append(buffer.data(), end.ptr);
}

uint32_t Fnv1a(std::string_view text) {
  uint32_t hash = 2166136261U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 16777619U;
  }
  return hash;
}

uint64_t Random::Next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebULL;
  return mixed ^ (mixed >> 31U);
}

double Random::Uniform() {
  return static_cast<double>(Next() >> 11U) * 0x1.0p-53;
}

double Random::LogNormal(double median, double sigma) {
  // Box-Muller; the first draw is kept from zero, whose logarithm is infinite.
  const double radius = std::sqrt(-2.0 * std::log(1.0 - Uniform()));
  const double normal = radius * std::cos(2.0 * std::numbers::pi * Uniform());
  return median * std::exp(sigma * normal);
}

}  // namespace spire_exporter::fakes
