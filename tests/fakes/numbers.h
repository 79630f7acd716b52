// Numbers as Go's strconv writes them, which both wires show.
#ifndef TESTS_FAKES_NUMBERS_H_
#define TESTS_FAKES_NUMBERS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace spire_exporter::fakes {

// FormatFloat(value, 'f', -1, 64): shortest decimal that round-trips, never an exponent.
void AppendShortest(double value, std::string* out);
// FormatFloat(value, 'f', 6, 64).
void AppendSixDecimals(double value, std::string* out);
// FormatFloat(value, 'g', -1, 64): an exponent of at least two digits from 1e+06 and below 1e-04;
// NaN, +Inf and -Inf as Prometheus has them.
void AppendPageValue(double value, std::string* out);
void AppendInteger(int64_t value, std::string* out);

// Every value but the exact ones passes through a float32 in SPIRE.
inline double ThroughFloat32(double value) {
  return static_cast<double>(static_cast<float>(value));
}

// FNV-1a of 32 bits, by which datadog-go 4 picks a buffer.
uint32_t Fnv1a(std::string_view text);

// A generator with a fixed sequence per seed (splitmix64), the same with every standard library.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  // In [0, 1).
  double Uniform();
  // Log-normal: exp(normal * sigma) * median.
  double LogNormal(double median, double sigma);
  // Whole number in [0, below).
  uint64_t Below(uint64_t below) { return below == 0 ? 0 : Next() % below; }

 private:
  uint64_t state_;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_NUMBERS_H_
