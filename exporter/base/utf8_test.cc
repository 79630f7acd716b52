#include "exporter/base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace spire_exporter {
namespace {

// The textbook encoder, without any check: what DecodeUtf8 has to undo.
std::string Encode(uint32_t c) {
  const auto tail = [](uint32_t bits) { return static_cast<char>(0x80 | (bits & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(c)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), tail(c >> 6), tail(c)};
  return {static_cast<char>(0xF0 | c >> 18), tail(c >> 12), tail(c >> 6), tail(c)};
}

TEST(Utf8Test, DecodesEveryCodePointAndRefusesSurrogates) {
  for (uint32_t c = 0; c < 0x120000; ++c) {
    const std::string bytes = Encode(c);
    const Utf8Char decoded = DecodeUtf8(bytes + "x");
    const bool valid = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
    ASSERT_EQ(decoded.length, valid ? bytes.size() : 0U) << std::hex << c;
    ASSERT_EQ(decoded.code_point, valid ? c : 0U) << std::hex << c;
  }
}

TEST(Utf8Test, RefusesOverlongCutAndStrayBytes) {
  for (const char* bad : {"\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF",
                          "\xF0\x80\x80\x80", "\x80", "\xBF", "\xFE", "\xFF", "\xC3", "\xE2\x82",
                          "\xF0\x9F\x98", "\xC3(", "\xE2(\xA1", "\xF5\x80\x80\x80"}) {
    EXPECT_EQ(DecodeUtf8(bad).length, 0U);
    EXPECT_EQ(FindInvalidUtf8(std::string("a\xC3\xA9") + bad), 3U);
  }
}

TEST(Utf8Test, FindsNothingInValidText) {
  EXPECT_EQ(FindInvalidUtf8(""), std::string_view::npos);
  EXPECT_EQ(FindInvalidUtf8("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"), std::string_view::npos);
}

}  // namespace
}  // namespace spire_exporter
