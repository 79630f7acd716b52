// Random numbers for tests that are the same everywhere, unlike those of the standard library's
// distributions.
#ifndef EXPORTER_METRICS_RANDOM_TEST_UTIL_H_
#define EXPORTER_METRICS_RANDOM_TEST_UTIL_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace spire_exporter {

class TestRandom {
 public:
  explicit TestRandom(uint64_t seed) : state_(seed) {}

  // SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
  uint64_t Bits() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // From both ends inclusive.
  int Integer(int low, int high) {
    return low + static_cast<int>(Bits() % static_cast<uint64_t>(high - low + 1));
  }
  bool OneIn(int n) { return Integer(1, n) == 1; }
  // From 0, less than 1.
  double Unit() { return static_cast<double>(Bits() >> 11) * 0x1p-53; }
  double LogUniform(double low, double high) {
    return std::exp(std::log(low) + Unit() * (std::log(high) - std::log(low)));
  }

 private:
  uint64_t state_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_METRICS_RANDOM_TEST_UTIL_H_
