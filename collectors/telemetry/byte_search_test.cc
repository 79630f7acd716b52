#include "collectors/telemetry/byte_search.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "exporter/metrics/random_test_util.h"

namespace spire_exporter::telemetry {
namespace {

// Of exactly this size on the heap, so that AddressSanitizer sees any byte read beyond it.
std::unique_ptr<char[]> Exactly(const std::string& text) {
  std::unique_ptr<char[]> copy(new char[text.size()]);
  std::copy(text.begin(), text.end(), copy.get());
  return copy;
}

TEST(ByteSearchTest, FindsTheFirstAsThePlainSearchDoes) {
  TestRandom random(1);
  for (int size = 0; size <= 200; ++size) {
    for (int hits = 0; hits <= 3; ++hits) {
      std::string text(static_cast<size_t>(size), 'x');
      for (int i = 0; i < hits && size > 0; ++i) {
        text[static_cast<size_t>(random.Integer(0, size - 1))] = ':';
      }
      const std::unique_ptr<char[]> copy = Exactly(text);
      const char* const end = copy.get() + size;
      const char* const expected = FindBytePlain(':', copy.get(), end);
      ASSERT_EQ(FindByte<':'>(copy.get(), end), expected) << text;
    }
  }
}

template <int kSixteens>
void HoldHitsAgainstThePlainOnes(const std::string& text) {
  const std::unique_ptr<char[]> copy = Exactly(text.substr(0, 16 * kSixteens));
  uint64_t expected = 0;
  for (size_t i = 0; i < 16 * kSixteens; ++i) expected |= uint64_t{text[i] == ':'} << i;
  ASSERT_EQ((Hits<':', kSixteens>(copy.get())), expected) << text;
  ASSERT_EQ(HitsPlain<kSixteens>(':', copy.get()), expected) << text;
}

TEST(ByteSearchTest, FindsAllHitsAtOnce) {
  TestRandom random(3);
  for (int i = 0; i < 10'000; ++i) {
    // Neighbours of the byte as well, and some of all values.
    std::string text;
    while (text.size() < 64) {
      text += random.OneIn(2) ? static_cast<char>(':' + random.Integer(-1, 1))
                              : static_cast<char>(random.Bits());
    }
    HoldHitsAgainstThePlainOnes<1>(text);
    HoldHitsAgainstThePlainOnes<2>(text);
    HoldHitsAgainstThePlainOnes<3>(text);
    HoldHitsAgainstThePlainOnes<4>(text);
  }
}

TEST(ByteSearchTest, TellsEveryDifferenceOfOneBit) {
  TestRandom random(2);
  for (size_t size = 1; size <= 200; ++size) {
    std::string text;
    for (size_t i = 0; i < size; ++i) text += static_cast<char>(random.Bits());
    const std::unique_ptr<char[]> one = Exactly(text);
    const std::unique_ptr<char[]> two = Exactly(text);
    ASSERT_TRUE(SameBytes(one.get(), two.get(), size));
    for (size_t at = 0; at < size; ++at) {
      two[at] = static_cast<char>(two[at] ^ (1 << random.Integer(0, 7)));
      ASSERT_FALSE(SameBytes(one.get(), two.get(), size)) << size << " " << at;
      ASSERT_FALSE(SameBytesPlain(one.get(), two.get(), size));
      two[at] = text[at];
    }
  }
}

TEST(ByteSearchTest, TellsEveryDifferenceInEitherPart) {
  const std::string text(150, 'k');
  for (size_t first = 24; first <= 70; ++first) {
    for (size_t second = 8; second <= 70; ++second) {
      const std::unique_ptr<char[]> whole = Exactly(text.substr(0, first + second));
      const std::unique_ptr<char[]> one = Exactly(text.substr(0, first));
      const std::unique_ptr<char[]> two = Exactly(text.substr(0, second));
      ASSERT_TRUE((SameUsualBytes<24, 8>(whole.get(), one.get(), first, two.get(), second)));
      for (size_t at = 0; at < first + second; ++at) {
        whole[at] = 'l';
        ASSERT_FALSE((SameUsualBytes<24, 8>(whole.get(), one.get(), first, two.get(), second)))
            << at;
        whole[at] = 'k';
      }
    }
  }
}

}  // namespace
}  // namespace spire_exporter::telemetry
