// A hash that nobody who does not know the key can make collide: for tables whose keys come from
// peers. SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"; one compression
// and three finalization rounds, as Rust's and Python's tables use).
#ifndef EXPORTER_BASE_KEYED_HASH_H_
#define EXPORTER_BASE_KEYED_HASH_H_

#include <cstdint>
#include <string_view>

namespace spire_exporter {

// Immutable value type.
class KeyedHash {
 public:
  // With a key from the system's random source.
  KeyedHash();
  KeyedHash(uint64_t key0, uint64_t key1) : key0_(key0), key1_(key1) {}

  uint64_t operator()(std::string_view bytes) const;

 private:
  uint64_t key0_;
  uint64_t key1_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_BASE_KEYED_HASH_H_
