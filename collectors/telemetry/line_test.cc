#include "collectors/telemetry/line.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <random>
#include <string>

#include "collectors/telemetry/number.h"

namespace spire_exporter::telemetry {
namespace {

// The fast path looks only where there is room behind the number.
constexpr std::string_view kRoom = "|ms|#status:OK,host:spire-server-0";

TEST(NumberTest, FastPathAgreesWithTheLibraryOnEveryFormThatSpireWrites) {
  std::mt19937_64 random(7);
  size_t fast = 0;
  for (int i = 0; i < 200'000; ++i) {
    const double value =
        std::ldexp(static_cast<double>(random() >> 12), -static_cast<int>(28 + random() % 30));
    char text[64];
    const auto [end, problem] =
        i % 2 == 0 ? std::to_chars(text, text + sizeof(text), value, std::chars_format::fixed, 6)
                   : std::to_chars(text, text + sizeof(text), value, std::chars_format::fixed);
    ASSERT_EQ(problem, std::errc());
    const std::string number = (i % 3 == 0 ? "-" : "") + std::string(text, end);
    const std::string line = number + std::string(kRoom);
    double expected = 0;
    ASSERT_TRUE(ParseNumber(number, &expected));
    const auto [stop, scanned] = ScanNumber(line.data());
    if (stop == nullptr) continue;
    ++fast;
    ASSERT_EQ(stop, line.data() + number.size()) << number;
    ASSERT_EQ(scanned, expected) << number;
  }
  EXPECT_GT(fast, 50'000u);
}

TEST(NumberTest, FastPathLeavesEverythingElseAlone) {
  for (const std::string_view text :
       {"", "-", ".5", "5.", "+5", "1e5", "nan", "inf", "--1", "1.2.3", "12345678901234567890",
        "9007199254740993", "0x10", " 1", "1_000"}) {
    const std::string line = std::string(text) + std::string(kRoom);
    const char* const stop = ScanNumber(line.data()).end;
    // Where it stops in the middle, the caller sees no bar and asks the slow path.
    EXPECT_TRUE(stop == nullptr || *stop != '|') << text;
  }
}

TEST(NumberTest, SlowPathTakesWholeDecimalNumbersOnly) {
  double value = 0;
  for (const std::string_view good :
       {"1", "-1", "+1", "1e5", "5.", ".5", "1.5E-3", "nan", "-inf"}) {
    EXPECT_TRUE(ParseNumber(good, &value)) << good;
  }
  for (const std::string_view bad :
       {"", "+", "-", "+-1", "++1", "0x10", "1 ", " 1", "1,5", "1e999", "one", "1:2"}) {
    EXPECT_FALSE(ParseNumber(bad, &value)) << bad;
  }
}

struct Case {
  std::string_view line;
  std::string_view name;
  std::string_view values;
  WireKind kind;
  std::string_view tags;
  uint64_t weight;
};

class AcceptedLineTest : public testing::TestWithParam<Case> {};

TEST_P(AcceptedLineTest, IsTakenApart) {
  Line line;
  ASSERT_EQ(ParseLine(GetParam().line, &line), Reject::kNone);
  EXPECT_EQ(line.name, GetParam().name);
  EXPECT_EQ(line.values, GetParam().values);
  EXPECT_EQ(line.kind, GetParam().kind);
  EXPECT_EQ(line.tags, GetParam().tags);
  EXPECT_EQ(line.weight, GetParam().weight);
}

INSTANTIATE_TEST_SUITE_P(
    Protocol, AcceptedLineTest,
    testing::Values(
        Case{"a:1|c", "a", "1", WireKind::kCounter, "", 1},
        Case{"a:1|c\r", "a", "1", WireKind::kCounter, "", 1},
        Case{"a:-5|g", "a", "-5", WireKind::kGauge, "", 1},
        Case{"a:1.5|ms", "a", "1.5", WireKind::kTimer, "", 1},
        Case{"a:1|h", "a", "1", WireKind::kTimer, "", 1},
        Case{"a:1|d|#x:y", "a", "1", WireKind::kTimer, "x:y", 1},
        Case{"a:1:2:3|ms|#x:y", "a", "1:2:3", WireKind::kTimer, "x:y", 1},
        Case{"a:1|c|@0.1|#x:y", "a", "1", WireKind::kCounter, "x:y", 10},
        Case{"a:1|c|#x:y|@0.3", "a", "1", WireKind::kCounter, "x:y", 3},
        Case{"a:1|c|@1", "a", "1", WireKind::kCounter, "", 1},
        Case{"a:1|c|@0.0000000001", "a", "1", WireKind::kCounter, "", kWeightMax},
        Case{"a:1|c|@5e-324", "a", "1", WireKind::kCounter, "", kWeightMax},
        Case{"a:1|g|#x:y|T1656581400", "a", "1", WireKind::kGauge, "x:y", 1},
        Case{"a:1|g|T1656581400|#x:y", "a", "1", WireKind::kGauge, "x:y", 1},
        Case{"a:1|c|c:ci-83c0a99c0a54c0c187f461c7980e9b57f3f6a8b0c918c8d93df19a9de6f3fe1d", "a",
             "1", WireKind::kCounter, "", 1},
        Case{"a:1|c|#x|c:in-4026531834|e:it-false,cn-c,pu-1|card:low|new:thing", "a", "1",
             WireKind::kCounter, "x", 1},
        Case{"a:1|c|", "a", "1", WireKind::kCounter, "", 1},
        Case{"a:1|c||#x:y", "a", "1", WireKind::kCounter, "x:y", 1},
        Case{"a b:1|c", "a b", "1", WireKind::kCounter, "", 1}));

struct Refused {
  std::string_view line;
  Reject reject;
};

class RejectedLineTest : public testing::TestWithParam<Refused> {};

TEST_P(RejectedLineTest, HasItsReason) {
  Line line;
  EXPECT_EQ(ParseLine(GetParam().line, &line), GetParam().reject) << GetParam().line;
}

INSTANTIATE_TEST_SUITE_P(
    Protocol, RejectedLineTest,
    testing::Values(
        Refused{"a", Reject::kMalformed}, Refused{"\r", Reject::kMalformed},
        Refused{"a:1", Reject::kMalformed}, Refused{"a:1|", Reject::kMalformed},
        Refused{"a|c", Reject::kMalformed}, Refused{"a|c|#x:y|z", Reject::kMalformed},
        Refused{":1|c", Reject::kEmptyName}, Refused{"a:1|s", Reject::kUnsupportedType},
        Refused{"a:1|C", Reject::kUnsupportedType}, Refused{"a:1|c|@0", Reject::kInvalidRate},
        Refused{"a:1|c|@-1", Reject::kInvalidRate}, Refused{"a:1|c|@1.5", Reject::kInvalidRate},
        Refused{"a:1|c|@nan", Reject::kInvalidRate}, Refused{"a:1|c|@inf", Reject::kInvalidRate},
        Refused{"a:1|c|@", Reject::kInvalidRate}, Refused{"_e{5,4}:title|text", Reject::kEvent},
        Refused{"_sc|name|0", Reject::kServiceCheck}));

TEST(LineTest, NamesAndTagsHaveABound) {
  Line line;
  const std::string tags(kKeySizeMax, 'x');
  EXPECT_EQ(ParseLine("a:1|c|#" + tags, &line), Reject::kTooLong);
  EXPECT_EQ(ParseLine("a:1|c|#" + tags.substr(1), &line), Reject::kNone);
  // What is no part of the key has none.
  EXPECT_EQ(ParseLine("a:1|c|new:" + tags, &line), Reject::kNone);
}

TEST(TagListTest, SplitsAtTheFirstColonAndKeepsBareTags) {
  TagList tags;
  ASSERT_TRUE(tags.Parse("env:prod a,dd.internal.entity_id:pod:1,bare,,status:OK,empty:"));
  const auto labels = tags.labels();
  ASSERT_EQ(labels.size(), 5u);
  EXPECT_EQ(labels[0].value, "prod a");
  EXPECT_EQ(labels[1].name, "dd.internal.entity_id");
  EXPECT_EQ(labels[1].value, "pod:1");
  EXPECT_EQ(labels[2].name, "bare");
  EXPECT_EQ(labels[2].value, "");
  EXPECT_EQ(labels[4].value, "");
}

TEST(TagListTest, OfARepeatedTagTheLastWins) {
  TagList tags;
  ASSERT_TRUE(tags.Parse("version:9,version:1_15_3,host:a"));
  ASSERT_EQ(tags.labels().size(), 2u);
  EXPECT_EQ(tags.labels()[0].value, "1_15_3");
}

TEST(TagListTest, RefusesMoreTagsThanAnybodyNeeds) {
  std::string text;
  for (size_t i = 0; i < kTagsMax; ++i) text += "t" + std::to_string(i) + ":v,";
  TagList tags;
  EXPECT_TRUE(tags.Parse(text));
  EXPECT_EQ(tags.labels().size(), kTagsMax);
  EXPECT_FALSE(tags.Parse(text + "one:more"));
}

TEST(ValueReaderTest, ReadsAllOrSaysThatOneIsBad) {
  ValueReader good("1:2.5:-3");
  double value = 0;
  double sum = 0;
  while (good.Next(&value)) sum += value;
  EXPECT_FALSE(good.bad());
  EXPECT_EQ(sum, 0.5);
  for (const std::string_view text : {"", "1:", ":1", "1::2", "1:x"}) {
    ValueReader reader(text);
    while (reader.Next(&value)) continue;
    EXPECT_TRUE(reader.bad()) << text;
  }
}

TEST(RejectTest, EveryReasonHasAName) {
  ASSERT_EQ(RejectNames().size(), kRejectCount);
  EXPECT_EQ(RejectNames()[static_cast<size_t>(Reject::kServiceCheck)], "service_check");
  EXPECT_EQ(RejectNames()[static_cast<size_t>(Reject::kSeriesLimit)], "series_limit");
}

}  // namespace
}  // namespace spire_exporter::telemetry
