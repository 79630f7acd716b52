// What was found out about a line's name and tags, by their very bytes: the step that makes a line
// cost some hundreds of instructions instead of thousands.
#ifndef COLLECTORS_TELEMETRY_MEMO_TABLE_H_
#define COLLECTORS_TELEMETRY_MEMO_TABLE_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/telemetry/byte_search.h"
#include "collectors/telemetry/mapping.h"
#include "exporter/base/keyed_hash.h"

namespace spire_exporter::telemetry {

struct StreamSeries;

// The lines of the client's own telemetry that the ledger reads.
enum class SelfLine : uint8_t { kNone, kMetrics, kDroppedQueue, kDroppedWriter, kOther };

// What becomes of a value with these name and tags.
struct Target {
  Effect effect = Effect::kIgnore;
  SelfLine self = SelfLine::kNone;
  bool started = false;         // SPIRE's `started`: the first sign of life of a new process
  bool client_reports = false;  // kSelf of a client that reports how many lines it was handed
  StreamSeries* series = nullptr;
  // Values from 0 to this need no second look: of kObserve and kCrossCheck.
  double usual_max = -1;
  double scale = 1;
  double absent_below = -1e300;
};

// An open-addressing table in front of an arena of keys. The hash is weak (lengths and a few words
// of name and tags), which is safe because every hit is a comparison of all bytes; after
// kProbesMax steps a key goes to a second table with a keyed hash, so that keys made to collide
// cost no more than that. When it is full it forgets everything and starts over: what matters comes
// back with its next line. Not safe from several threads.
class MemoTable {
 public:
  // At most `entries_max` keys and `bytes_max` bytes of them.
  MemoTable(size_t entries_max, size_t bytes_max);

  // `name` and `rest` (everything behind the value) as they stand in a line; null when unknown.
  // Valid until the next Put() or Clear(). Inline, with its helpers: it runs for every line.
  [[gnu::always_inline]] const Target* Find(std::string_view name, std::string_view rest) const {
    const uint64_t hash = WeakHash(name, rest);
    const size_t mask = slots_.size() - 1;
    size_t at = hash >> shift_;
    for (int probe = 0; probe < kProbesMax; ++probe, at = (at + 1) & mask) {
      const Slot slot = slots_[at];
      if (slot.entry == 0) return nullptr;
      if (slot.tag != static_cast<uint32_t>(hash)) continue;
      const Entry& entry = entries_[slot.entry - 1];
      if (Holds(entry, name, rest)) return &entry.target;
    }
    return FindKeyed(name, rest);
  }
  // Replaces nothing: the key must not be there.
  void Put(std::string_view name, std::string_view rest, const Target& target);
  void Clear();

  size_t size() const { return entries_.size(); }
  // Memory held, in bytes.
  size_t bytes() const;

 private:
  static constexpr int kProbesMax = 16;
  struct Slot {
    uint32_t tag = 0;
    uint32_t entry = 0;  // index + 1; 0 is free
  };
  struct Entry {
    uint32_t key_at = 0;
    uint32_t name_size = 0;
    uint32_t rest_size = 0;
    Target target;
  };

  static uint64_t Word(const char* at) {
    uint64_t word = 0;
    std::memcpy(&word, at, sizeof(word));
    return word;
  }
  static uint64_t WeakHash(std::string_view name, std::string_view rest) {
    uint64_t hash = (uint64_t{name.size()} << 32 | rest.size()) * 0x9e3779b97f4a7c15;
    if (name.size() >= 24) {
      const char* const end = name.data() + name.size();
      hash ^= Word(end - 8) * 0xff51afd7ed558ccd;
      hash ^= Word(end - 16) * 0xc4ceb9fe1a85ec53;
      hash ^= Word(end - 24) * 0x87c37b91114253d5;
    } else {
      hash ^= ShortHash(name) * 0xff51afd7ed558ccd;
    }
    if (rest.size() >= 24) {
      hash ^= Word(rest.data() + 8) * 0x4cf5ad432745937f;
      hash ^= Word(rest.data() + 16) * 0x52dce729da3ed0c5;
      hash ^= Word(rest.data() + rest.size() - 8) * 0x38495ab5b8f2e3d7;
    } else {
      hash ^= ShortHash(rest) * 0x4cf5ad432745937f;
    }
    return hash ^ (hash >> 32);
  }
  // Of fewer than 24 bytes.
  static uint64_t ShortHash(std::string_view text) {
    const char* const at = text.data();
    const size_t size = text.size();
    if (size >= 8) {
      uint64_t hash = Word(at) ^ (Word(at + size - 8) * 0x9fb21c651e98df25);
      if (size > 16) hash ^= Word(at + 8) * 0xd6e8feb86659fd93;
      return hash;
    }
    uint64_t word = 0;
    if (size >= 4) {
      uint32_t low = 0;
      uint32_t high = 0;
      std::memcpy(&low, at, 4);
      std::memcpy(&high, at + size - 4, 4);
      word = uint64_t{high} << 32 | low;
    } else {
      for (size_t i = 0; i < size; ++i) word = word << 8 | static_cast<unsigned char>(at[i]);
    }
    return word;
  }
  bool Holds(const Entry& entry, std::string_view name, std::string_view rest) const {
    if (entry.name_size != name.size() || entry.rest_size != rest.size()) return false;
    const char* const key = keys_.data() + entry.key_at;
    return SameBytes(key, name.data(), name.size()) &&
           SameBytes(key + name.size(), rest.data(), rest.size());
  }
  const Target* FindKeyed(std::string_view name, std::string_view rest) const;
  uint64_t KeyedHashOf(std::string_view name, std::string_view rest) const;
  // False when no slot is free within the probes.
  bool PlaceWeak(uint64_t hash, uint32_t entry);
  void PlaceKeyed(uint64_t hash, uint32_t entry);
  void Rebuild(size_t slots);

  const size_t entries_max_;
  const size_t bytes_max_;
  const KeyedHash keyed_hash_;
  int shift_ = 0;
  std::vector<Slot> slots_;        // a power of two, at least twice the entries
  std::vector<Slot> keyed_slots_;  // empty until a key needs it
  size_t keyed_used_ = 0;
  std::vector<Entry> entries_;
  std::string keys_;
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_MEMO_TABLE_H_
