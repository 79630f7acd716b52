#include "exporter/base/backoff.h"

#include <algorithm>

namespace spire_exporter {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014): enough for jitter, and repeatable in tests.
uint64_t NextRandom(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

Backoff::Backoff(Duration initial, Duration max, uint64_t seed)
    : initial_(initial), max_(std::max(initial, max)), step_(initial), state_(seed) {}

Duration Backoff::Next() {
  const int64_t half = step_.count() / 2;
  const uint64_t width = static_cast<uint64_t>(step_.count() - half) + 1;
  const Duration delay(half + static_cast<int64_t>(NextRandom(state_) % width));
  step_ = step_ > max_ / 2 ? max_ : step_ * 2;
  return delay;
}

void Backoff::Reset() {
  step_ = initial_;
}

}  // namespace spire_exporter
