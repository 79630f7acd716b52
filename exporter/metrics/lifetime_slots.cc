#include "exporter/metrics/lifetime_slots.h"

#include <algorithm>
#include <bit>

namespace spire_exporter {
namespace {

constexpr size_t kCellsMax = 4096;
constexpr uint32_t kOctaves = 24;

uint32_t FloatBits(uint32_t second) {
  return std::bit_cast<uint32_t>(static_cast<float>(second + 2));
}

}  // namespace

bool LifetimeSlots::Make(const std::vector<uint32_t>& lasts) {
  if (lasts.size() >= kCellsMax) return false;
  for (shift = 17; shift >= 14; --shift) {
    const uint32_t mask = (uint32_t{1} << shift) - 1;
    base = std::bit_cast<uint32_t>(1.0F) >> shift;
    entries.assign(size_t{kOctaves} << (23 - shift), 0);
    // The last of cell 0 is what has expired: -1, as a float 1.
    uint32_t last = std::bit_cast<uint32_t>(1.0F);
    size_t cell = 0;
    bool parted = true;
    for (size_t slot = 0; slot < entries.size() && parted; ++slot) {
      const auto number = static_cast<uint32_t>(slot) + base;
      const auto code = static_cast<uint32_t>(cell) << shift;
      if (last >> shift != number) {
        entries[slot] = code;
        continue;
      }
      entries[slot] = code + (mask - (last & mask));
      if (cell == lasts.size()) continue;
      last = FloatBits(lasts[cell++]);
      parted = last >> shift != number || cell == lasts.size();
    }
    if (!parted) continue;
    first.assign(1, 0);
    first.push_back(0);
    for (size_t i = 0; i + 1 < lasts.size(); ++i) first.push_back(lasts[i] + 1);
    counts.assign((lasts.size() + 2) * kTables, 0);
    return true;
  }
  return false;
}

size_t SortLifetimesPlain(LifetimeSlots& slots, std::span<const int64_t> expiries, int64_t now,
                          int64_t* far) {
  const uint32_t shift = slots.shift;
  const uint32_t mask = (uint32_t{1} << shift) - 1;
  const uint32_t base = slots.base;
  const uint32_t* const entries = slots.entries.data();
  uint64_t* const counts = slots.counts.data();
  uint32_t least = slots.min;
  int32_t most = slots.max;
  uint64_t sum = 0;
  uint64_t outside = 0;
  size_t found = 0;
  for (size_t i = 0; i < expiries.size(); ++i) {
    const int64_t expiry = expiries[i];
    const uint64_t remaining = static_cast<uint64_t>(expiry) - static_cast<uint64_t>(now);
    // By masks, as nobody can foresee which ones are near.
    const uint64_t near = remaining < LifetimeSlots::kEnd ? ~uint64_t{0} : 0;
    const auto lives = static_cast<int32_t>(static_cast<uint32_t>(remaining | ~near));  // -1: not
    far[found] = expiry;
    found += (~near & ~remaining) >> 63;
    outside += ~near & 1;
    sum += remaining & near;
    least = std::min(least, static_cast<uint32_t>(lives));
    most = std::max(most, lives);
    const auto bits = std::bit_cast<uint32_t>(static_cast<float>(lives + 2));
    const uint32_t cell = (entries[(bits >> shift) - base] + (bits & mask)) >> shift;
    ++counts[cell * LifetimeSlots::kTables + i % LifetimeSlots::kTables];
  }
  slots.expired += outside - found;
  slots.sum += sum;
  slots.min = least;
  slots.max = most;
  return found;
}

LifetimeSorter BestLifetimeSorter() {
  return HasAvx2() ? SortLifetimesAvx2 : nullptr;
}

}  // namespace spire_exporter
