#include "collectors/svid/reach_schedule.h"

#include <algorithm>

namespace spire_exporter::svid {
namespace {

constexpr size_t kTurns = 4;
constexpr Duration kQuickest = std::chrono::seconds(5);

}  // namespace

ReachSchedule::ReachSchedule(Duration interval, uint64_t seed)
    : interval_(interval), step_(interval), state_(seed), turn_(Random() % kTurns) {}

std::vector<bool> ReachSchedule::Next(size_t count) {
  std::vector<bool> picked(count, !calm_);
  if (!calm_) return picked;
  ++turn_;
  // Fewer addresses than turns: one each round all the same.
  const size_t turns = std::min(kTurns, std::max<size_t>(1, count));
  for (size_t i = 0; i < count; ++i) picked[i] = i % turns == turn_ % turns;
  return picked;
}

Duration ReachSchedule::Done(bool changed, bool well) {
  calm_ = well && !changed;
  step_ = changed ? std::max(interval_ / 4, kQuickest) : step_ * 2;
  step_ = std::min(step_, interval_);
  // 800 to 1199 thousandths.
  return step_ * static_cast<int64_t>(800 + Random() % 400) / 1000;
}

// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
uint64_t ReachSchedule::Random() {
  state_ += 0x9e3779b97f4a7c15;
  uint64_t z = state_;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

}  // namespace spire_exporter::svid
