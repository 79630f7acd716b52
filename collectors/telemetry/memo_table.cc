#include "collectors/telemetry/memo_table.h"

#include <bit>

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
  std::vector<Entry>().swap(entries_);
  std::string().swap(keys_);
  std::vector<Slot>().swap(keyed_slots_);
  keyed_used_ = 0;
  slots_ = std::vector<Slot>(kSlotsAtFirst);
  shift_ = 64 - std::countr_zero(kSlotsAtFirst);
}

size_t MemoTable::bytes() const {
  return keys_.capacity() + entries_.capacity() * sizeof(Entry) +
         (slots_.capacity() + keyed_slots_.capacity()) * sizeof(Slot);
}

void MemoTable::Put(std::string_view name, std::string_view rest, const Target& target) {
  if (entries_.size() >= entries_max_ || keys_.size() + name.size() + rest.size() > bytes_max_) {
    Clear();
  }
  Entry entry;
  entry.key_at = static_cast<uint32_t>(keys_.size());
  entry.name_size = static_cast<uint32_t>(name.size());
  entry.rest_size = static_cast<uint32_t>(rest.size());
  entry.target = target;
  keys_ += name;
  keys_ += rest;
  entries_.push_back(entry);
  if (entries_.size() * 2 > slots_.size()) {
    Rebuild(slots_.size() * 2);
    return;
  }
  const auto index = static_cast<uint32_t>(entries_.size());
  if (!PlaceWeak(WeakHash(name, rest), index)) PlaceKeyed(KeyedHashOf(name, rest), index);
}

bool MemoTable::PlaceWeak(uint64_t hash, uint32_t entry) {
  size_t at = hash >> shift_;
  for (int probe = 0; probe < kProbesMax; ++probe, at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].entry != 0) continue;
    slots_[at] = Slot{static_cast<uint32_t>(hash), entry};
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
      const Entry& moved = entries_[slot.entry - 1];
      const std::string_view key =
          std::string_view(keys_).substr(moved.key_at, moved.name_size + moved.rest_size);
      PlaceKeyed(KeyedHashOf(key.substr(0, moved.name_size), key.substr(moved.name_size)),
                 slot.entry);
    }
  }
  const size_t mask = keyed_slots_.size() - 1;
  size_t at = hash & mask;
  while (keyed_slots_[at].entry != 0) at = (at + 1) & mask;
  keyed_slots_[at] = Slot{static_cast<uint32_t>(hash >> 32), entry};
  ++keyed_used_;
}

const Target* MemoTable::FindKeyed(std::string_view name, std::string_view rest) const {
  if (keyed_slots_.empty()) return nullptr;
  const uint64_t hash = KeyedHashOf(name, rest);
  const size_t mask = keyed_slots_.size() - 1;
  for (size_t at = hash & mask; keyed_slots_[at].entry != 0; at = (at + 1) & mask) {
    if (keyed_slots_[at].tag != static_cast<uint32_t>(hash >> 32)) continue;
    const Entry& entry = entries_[keyed_slots_[at].entry - 1];
    if (Holds(entry, name, rest)) return &entry.target;
  }
  return nullptr;
}

uint64_t MemoTable::KeyedHashOf(std::string_view name, std::string_view rest) const {
  // The lengths are part of the key, as `ab` + `c` and `a` + `bc` are different lines.
  return keyed_hash_(name) + std::rotl(keyed_hash_(rest), 32) + name.size();
}

void MemoTable::Rebuild(size_t slots) {
  slots_ = std::vector<Slot>(slots);
  shift_ = 64 - std::countr_zero(slots);
  std::vector<Slot>().swap(keyed_slots_);
  keyed_used_ = 0;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    const std::string_view key =
        std::string_view(keys_).substr(entry.key_at, entry.name_size + entry.rest_size);
    const std::string_view name = key.substr(0, entry.name_size);
    const std::string_view rest = key.substr(entry.name_size);
    const auto index = static_cast<uint32_t>(i + 1);
    if (!PlaceWeak(WeakHash(name, rest), index)) PlaceKeyed(KeyedHashOf(name, rest), index);
  }
}

}  // namespace spire_exporter::telemetry
