#include "collectors/telemetry/memo_table.h"

#include <bit>
#include <utility>

namespace spire_exporter::telemetry {
namespace {

constexpr size_t kSlotsAtFirst = 1024;

}  // namespace

MemoTable::MemoTable(size_t entries_max, size_t bytes_max)
    : entries_max_(entries_max), bytes_max_(bytes_max) {
  Clear();
}

void MemoTable::Clear() {
  // Swapped, not cleared: memory that an attack made it take is given back.
  std::vector<Entry>(1).swap(entries_);
  std::string().swap(keys_);
  std::vector<Slot>().swap(keyed_slots_);
  keyed_used_ = 0;
  slots_ = std::vector<Slot>(kSlotsAtFirst);
  mask_ = kSlotsAtFirst - 1;
}

size_t MemoTable::bytes() const {
  return keys_.capacity() + entries_.capacity() * sizeof(Entry) +
         (slots_.capacity() + keyed_slots_.capacity()) * sizeof(Slot);
}

void MemoTable::Put(std::string_view name, std::string_view rest, const Target& target) {
  if (size() >= entries_max_ || keys_.size() + name.size() + rest.size() > bytes_max_) Clear();
  const auto index = static_cast<uint32_t>(entries_.size());
  // In its place at once: AddressSanitizer's stand-in for the stack does not align to a cache line.
  Entry& entry = entries_.emplace_back();
  entry.key_at = static_cast<uint32_t>(keys_.size());
  entry.sizes = SizesOf(name, rest);
  entry.target = target;
  keys_ += name;
  keys_ += rest;
  if (size() * 2 > slots_.size()) {
    Rebuild(slots_.size() * 2);
    return;
  }
  if (!PlaceWeak(WeakHash(name, rest), index)) PlaceKeyed(KeyedHashOf(name, rest), index);
}

bool MemoTable::PlaceWeak(uint64_t hash, uint32_t entry) {
  size_t at = PlaceOf(hash);
  for (int probe = 0; probe < kProbesMax; ++probe, at = (at + 1) & mask_) {
    if (slots_[at].entry != 0) continue;
    slots_[at] = Slot{TagOf(hash), entry};
    return true;
  }
  return false;
}

void MemoTable::PlaceKeyed(uint64_t hash, uint32_t entry) {
  if (keyed_slots_.empty() || keyed_used_ * 2 >= keyed_slots_.size()) {
    std::vector<Slot> old = std::move(keyed_slots_);
    keyed_slots_ = std::vector<Slot>(old.empty() ? 256 : old.size() * 2);
    keyed_used_ = 0;
    for (const Slot& slot : old) {
      if (slot.entry == 0) continue;
      const auto [name, rest] = KeyOf(entries_[slot.entry]);
      PlaceKeyed(KeyedHashOf(name, rest), slot.entry);
    }
  }
  const size_t mask = keyed_slots_.size() - 1;
  size_t at = hash & mask;
  while (keyed_slots_[at].entry != 0) at = (at + 1) & mask;
  keyed_slots_[at] = Slot{TagOf(hash), entry};
  ++keyed_used_;
}

MemoTable::Effort MemoTable::EffortOf(std::string_view name, std::string_view rest) const {
  Effort effort;
  (void)Search(name, rest, &effort);
  return effort;
}

uint32_t MemoTable::Search(std::string_view name, std::string_view rest, Effort* effort) const {
  const uint64_t hash = WeakHash(name, rest);
  size_t at = PlaceOf(hash);
  for (int probe = 0; probe < kProbesMax; ++probe, at = (at + 1) & mask_) {
    const Slot slot = slots_[at];
    ++effort->places;
    if (slot.entry == 0) return 0;
    if (slot.tag != TagOf(hash)) continue;
    ++effort->keys;
    if (Holds(entries_[slot.entry], name, rest)) return slot.entry;
  }
  return SearchKeyed(name, rest, effort);
}

uint32_t MemoTable::SearchKeyed(std::string_view name, std::string_view rest,
                                Effort* effort) const {
  if (keyed_slots_.empty()) return 0;
  const uint64_t hash = KeyedHashOf(name, rest);
  const size_t mask = keyed_slots_.size() - 1;
  for (size_t at = hash & mask; keyed_slots_[at].entry != 0; at = (at + 1) & mask) {
    ++effort->places;
    if (keyed_slots_[at].tag != TagOf(hash)) continue;
    ++effort->keys;
    if (Holds(entries_[keyed_slots_[at].entry], name, rest)) return keyed_slots_[at].entry;
  }
  return 0;
}

uint64_t MemoTable::KeyedHashOf(std::string_view name, std::string_view rest) const {
  // The lengths are part of the key, as `ab` + `c` and `a` + `bc` are different lines.
  return keyed_hash_(name) + std::rotl(keyed_hash_(rest), 32) + name.size();
}

std::pair<std::string_view, std::string_view> MemoTable::KeyOf(const Entry& entry) const {
  const std::string_view key = std::string_view(keys_).substr(entry.key_at);
  return {key.substr(0, entry.name_size()), key.substr(entry.name_size(), entry.rest_size())};
}

void MemoTable::Rebuild(size_t slots) {
  slots_ = std::vector<Slot>(slots);
  mask_ = slots - 1;
  std::vector<Slot>().swap(keyed_slots_);
  keyed_used_ = 0;
  for (size_t i = 1; i < entries_.size(); ++i) {
    const auto [name, rest] = KeyOf(entries_[i]);
    const auto index = static_cast<uint32_t>(i);
    if (!PlaceWeak(WeakHash(name, rest), index)) PlaceKeyed(KeyedHashOf(name, rest), index);
  }
}

}  // namespace spire_exporter::telemetry
