// What was found out about a line's name and tags, by their very bytes: the step that makes a line
// cost some hundreds of instructions instead of thousands.
#ifndef COLLECTORS_TELEMETRY_MEMO_TABLE_H_
#define COLLECTORS_TELEMETRY_MEMO_TABLE_H_

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/telemetry/agent_tap.h"
#include "collectors/telemetry/byte_search.h"
#include "collectors/telemetry/mapping.h"
#include "exporter/base/keyed_hash.h"

namespace spire_exporter {
class NativeHistogram;
}

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
  Tap tap = Tap::kNone;         // such a line always has a second look
  StreamSeries* series = nullptr;
  // Parts of the series that take what ScanNumber() reads without a second look: where kObserve
  // observes, and where kCrossCheck, kAdd and kSum count.
  NativeHistogram* histogram = nullptr;
  double* counter = nullptr;
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

  // The places and keys that are looked at for a key: for tests, which hold them against a bound. A
  // FindUsual() that goes the long way repeats those of the first table.
  struct Effort {
    size_t places = 0;
    size_t keys = 0;
  };

  // The sizes that SPIRE's lines have at the least.
  static constexpr size_t kUsualName = 24;
  static constexpr size_t kUsualRest = 8;

  // `name` and `rest` (everything behind the value) as they stand in a line; null when unknown.
  // Valid until the next Put() or Clear().
  const Target* Find(std::string_view name, std::string_view rest) const {
    Effort effort;
    const uint32_t entry = Search(name, rest, &effort);
    return entry == 0 ? nullptr : &entries_[entry].target;
  }
  // The same for sizes from kUsualName and kUsualRest on. Inline: it runs for every line.
  [[gnu::always_inline]] const Target* FindUsual(std::string_view name,
                                                 std::string_view rest) const {
    const uint64_t sizes = SizesOf(name, rest);
    const uint64_t hash = UsualHash(name, rest, sizes);
    size_t at = PlaceOf(hash);
    Slot slot = slots_[at];
    for (int probe = 1; slot.tag != TagOf(hash); ++probe) {
      if (slot.entry == 0) return nullptr;
      if (probe == kProbesMax) return Find(name, rest);
      at = (at + 1) & mask_;
      slot = slots_[at];
    }
    const Entry& entry = entries_[slot.entry];
    if (entry.sizes != sizes || !SameUsualBytes<kUsualName, kUsualRest>(
                                    keys_.data() + entry.key_at, name.data(), name.size(),
                                    rest.data(), rest.size())) [[unlikely]] {
      return Find(name, rest);
    }
    return &entry.target;
  }
  // Replaces nothing: the key must not be there.
  void Put(std::string_view name, std::string_view rest, const Target& target);
  void Clear();

  size_t size() const { return entries_.size() - 1; }
  // Memory held, in bytes.
  size_t bytes() const;

  Effort EffortOf(std::string_view name, std::string_view rest) const;

 private:
  static constexpr int kProbesMax = 16;
  struct Slot {
    uint32_t tag = 0;
    uint32_t entry = 0;  // 0 is free
  };
  // One cache line.
  struct alignas(64) Entry {
    uint64_t sizes = 0;
    uint32_t key_at = 0;
    Target target;

    size_t name_size() const { return sizes >> 32; }
    size_t rest_size() const { return sizes & 0xffffffff; }
  };

  static uint64_t Word(const char* at) {
    uint64_t word = 0;
    std::memcpy(&word, at, sizeof(word));
    return word;
  }
  static uint64_t SizesOf(std::string_view name, std::string_view rest) {
    return uint64_t{name.size()} << 32 | rest.size();
  }
  static uint64_t MixWords(uint64_t a, uint64_t b, uint64_t c) {
    return (a ^ std::rotl(b, 21)) + std::rotl(c, 43);
  }
  static uint64_t MixHash(uint64_t of_name, uint64_t of_rest, uint64_t sizes) {
    return (of_name + sizes) * 0x9e3779b97f4a7c15 ^ of_rest * 0xc4ceb9fe1a85ec53;
  }
  // The places where SPIRE's lines differ: the ends of names and tags, and the tag that comes
  // first.
  static uint64_t NameWords(std::string_view name) {
    const char* const end = name.data() + name.size();
    return MixWords(Word(end - 8), Word(end - 16), Word(end - 24));
  }
  static uint64_t RestWords(std::string_view rest) {
    const char* const at = rest.data();
    const size_t last = rest.size() - 8;
    return MixWords(Word(at + std::min<size_t>(8, last)), Word(at + last / 2), Word(at + last));
  }
  static uint64_t UsualHash(std::string_view name, std::string_view rest, uint64_t sizes) {
    return MixHash(NameWords(name), RestWords(rest), sizes);
  }
  static uint64_t WeakHash(std::string_view name, std::string_view rest) {
    return MixHash(name.size() >= kUsualName ? NameWords(name) : ShortHash(name),
                   rest.size() >= kUsualRest ? RestWords(rest) : ShortHash(rest),
                   SizesOf(name, rest));
  }
  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }
  size_t PlaceOf(uint64_t hash) const { return (hash ^ hash >> 32) & mask_; }
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
    const char* const key = keys_.data() + entry.key_at;
    return entry.sizes == SizesOf(name, rest) && SameBytes(key, name.data(), name.size()) &&
           SameBytes(key + name.size(), rest.data(), rest.size());
  }
  // The index of the entry, 0 when there is none.
  uint32_t Search(std::string_view name, std::string_view rest, Effort* effort) const;
  uint32_t SearchKeyed(std::string_view name, std::string_view rest, Effort* effort) const;
  uint64_t KeyedHashOf(std::string_view name, std::string_view rest) const;
  std::pair<std::string_view, std::string_view> KeyOf(const Entry& entry) const;
  // False when no slot is free within the probes.
  bool PlaceWeak(uint64_t hash, uint32_t entry);
  void PlaceKeyed(uint64_t hash, uint32_t entry);
  void Rebuild(size_t slots);

  const size_t entries_max_;
  const size_t bytes_max_;
  const KeyedHash keyed_hash_;
  size_t mask_ = 0;                // slots_.size() - 1
  std::vector<Slot> slots_;        // a power of two, at least twice the entries
  std::vector<Slot> keyed_slots_;  // empty until a key needs it
  size_t keyed_used_ = 0;
  std::vector<Entry> entries_;  // the first is none: its sizes are no key's
  std::string keys_;
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_MEMO_TABLE_H_
