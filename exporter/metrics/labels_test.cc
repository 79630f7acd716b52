#include "exporter/metrics/labels.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace spire_exporter {
namespace {

std::string Rendered(std::vector<Label> labels) {
  return std::string(LabelSet::Make(labels)->rendered());
}

TEST(LabelsTest, AreSortedByNameAndQuoted) {
  EXPECT_EQ(Rendered({{"b", "2"}, {"a", "1"}, {"a_", "3"}}), R"(a="1",a_="3",b="2")");
}

TEST(LabelsTest, NoneRenderAsNothing) {
  EXPECT_EQ(LabelSet::Empty()->rendered(), "");
  EXPECT_EQ(LabelSet::Empty()->size(), 0u);
}

TEST(LabelsTest, ComeWithTheirBracesForALine) {
  const std::vector<Label> labels = {{"b", "2"}, {"a", "1"}};
  EXPECT_EQ(LabelSet::Make(labels)->braced(), R"({a="1",b="2"} )");
  EXPECT_EQ(LabelSet::Empty()->braced(), " ");
}

TEST(LabelsTest, ComeAsLabelPairsOfProtobuf) {
  const std::string long_value(200, 'x');
  const std::vector<Label> labels = {{"b", "\""}, {"a", long_value}};
  // Field 1 with 206 bytes (a varint of two): the name, then the value with its own length of two.
  EXPECT_EQ(LabelSet::Make(labels)->encoded(), "\x0a\xce\x01\x0a\x01\x61\x12\xc8\x01" +
                                                   std::string(200, 'x') +
                                                   "\x0a\x06\x0a\x01\x62\x12\x01\"");
  EXPECT_EQ(LabelSet::Empty()->encoded(), "");
}

TEST(LabelsTest, EscapesWhatTheFormatsNameAndNothingElse) {
  EXPECT_EQ(Rendered({{"a", "q\" b\\ n\n t\t r\r {},="}}), "a=\"q\\\" b\\\\ n\\n t\t r\r {},=\"");
}

TEST(LabelsTest, ValuesAreKeptUnescapedBesides) {
  const auto set = LabelSet::Make(std::vector<Label>{{"b", "x\\\n\""}, {"a", "1"}});
  ASSERT_EQ(set->size(), 2u);
  EXPECT_EQ(set->name(0), "a");
  EXPECT_EQ(set->value(0), "1");
  EXPECT_EQ(set->name(1), "b");
  EXPECT_EQ(set->value(1), "x\\\n\"");
  EXPECT_EQ(set->Get("b"), "x\\\n\"");
  EXPECT_EQ(set->Get("c"), "");
  EXPECT_THROW((void)set->value(2), std::out_of_range);
}

TEST(LabelsTest, OfARepeatedNameTheFirstWins) {
  EXPECT_EQ(Rendered({{"a", "1"}, {"b", "x"}, {"a", "2"}}), R"(a="1",b="x")");
}

TEST(LabelsTest, AnEmptyValueIsAnAbsentLabel) {
  EXPECT_EQ(Rendered({{"a", ""}, {"b", "x"}}), R"(b="x")");
  // Also when it hides a later one of its name: the first wins.
  EXPECT_EQ(Rendered({{"a", ""}, {"a", "x"}}), "");
}

TEST(LabelsTest, WellFormedUtf8Passes) {
  const std::string text =
      "\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xf0\x90\x80\x80 "
      "\xf4\x8f\xbf\xbf";
  EXPECT_EQ(LabelSet::Make(std::vector<Label>{{"a", text}})->value(0), text);
}

TEST(LabelsTest, IllFormedUtf8IsReplacedByteByByte) {
  const std::string r = "\xef\xbf\xbd";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\x80", r},                          // a continuation alone
      {"x\xff\xfey", "x" + r + r + "y"},    // bytes that never occur
      {"\xc0\xaf", r + r},                  // overlong '/'
      {"\xc1\xbf", r + r},                  // overlong
      {"\xe0\x9f\xbf", r + r + r},          // overlong of three
      {"\xf0\x8f\xbf\xbf", r + r + r + r},  // overlong of four
      {"\xed\xa0\x80", r + r + r},          // first surrogate
      {"\xed\xbf\xbf", r + r + r},          // last surrogate
      {"\xf4\x90\x80\x80", r + r + r + r},  // beyond U+10FFFF
      {"\xf5\x80\x80\x80", r + r + r + r},  // lead byte beyond
      {"\xe2\x82", r + r},                  // cut short by the end
      {"\xe2\x82"
       "a",
       r + r + "a"},                     // cut short by a character
      {"\xc3\xa9\xc3", "\xc3\xa9" + r},  // after a good one
  };
  for (const auto& [in, out] : cases) {
    const auto set = LabelSet::Make(std::vector<Label>{{"a", in}});
    EXPECT_EQ(set->value(0), out);
    EXPECT_EQ(set->rendered(), "a=\"" + out + "\"");
  }
}

}  // namespace
}  // namespace spire_exporter
