#include "exporter/base/keyed_hash.h"

#include <bit>
#include <cstring>
#include <random>

namespace spire_exporter {
namespace {

struct State {
  uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void Word(uint64_t word) {
    v3 ^= word;
    Round();
    v0 ^= word;
  }
};

uint64_t RandomWord() {
  std::random_device source;
  return (uint64_t{source()} << 32) | uint64_t{source()};
}

}  // namespace

KeyedHash::KeyedHash() : key0_(RandomWord()), key1_(RandomWord()) {}

uint64_t KeyedHash::operator()(std::string_view bytes) const {
  State state{key0_ ^ 0x736f6d6570736575, key1_ ^ 0x646f72616e646f6d, key0_ ^ 0x6c7967656e657261,
              key1_ ^ 0x7465646279746573};
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, 8);
    state.Word(word);
  }
  uint64_t last = uint64_t{bytes.size()} << 56;
  for (size_t i = 0; i < left; ++i) {
    last |= uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  }
  state.Word(last);
  state.v2 ^= 0xff;
  for (int i = 0; i < 3; ++i) state.Round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace spire_exporter
