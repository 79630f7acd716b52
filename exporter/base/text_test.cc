#include "exporter/base/text.h"

#include <gtest/gtest.h>

namespace spire_exporter {
namespace {

using namespace std::chrono_literals;

TEST(TextTest, ReadsDurationsAsPeopleWriteThem) {
  EXPECT_EQ(*ParseDuration("15s"), Duration(15s));
  EXPECT_EQ(*ParseDuration("1m30s"), Duration(90s));
  EXPECT_EQ(*ParseDuration("1.5h"), Duration(90min));
  EXPECT_EQ(*ParseDuration("250ms"), Duration(250ms));
  EXPECT_EQ(*ParseDuration("0"), Duration::zero());
}

TEST(TextTest, RefusesWhatIsNoDuration) {
  for (const char* text : {"", "15", "-5s", "s", "5 s", "5S", "1e9d", "nan", "5s5", "1000000d"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
}

TEST(TextTest, DurationsRoundTrip) {
  for (const Duration d : {Duration(15s), Duration(90s), Duration(1), Duration(26h + 3ms)}) {
    EXPECT_EQ(*ParseDuration(FormatDuration(d)), d) << FormatDuration(d);
  }
}

TEST(TextTest, ReadsSizesAndNamesTheBinaryUnit) {
  EXPECT_EQ(*ParseSize("4MiB"), 4u << 20);
  EXPECT_EQ(*ParseSize("512"), 512u);
  EXPECT_EQ(FormatSize(4u << 20), "4MiB");
  const auto decimal = ParseSize("4MB");
  ASSERT_FALSE(decimal.ok());
  EXPECT_NE(decimal.error().what.find("4MiB"), std::string::npos);
  EXPECT_FALSE(ParseSize("99999999999999GiB").ok());
}

TEST(TextTest, FindsTheNearestNameOnlyWhenItIsNear) {
  const std::vector<std::string_view> names = {"interval", "timeout", "url"};
  EXPECT_EQ(NearestName("intervall", names), "interval");
  EXPECT_EQ(NearestName("tiemout", names), "timeout");
  EXPECT_EQ(NearestName("password", names), "");
}

TEST(TextTest, QuotesHostileBytes) {
  EXPECT_EQ(Quoted("a\"b\n\xff"), "\"a\\\"b\\x0a\\xff\"");
  EXPECT_LT(Quoted(std::string(10'000, 'x')).size(), 220u);
}

TEST(ShellWordTest, IsOneWordWhateverIsInIt) {
  EXPECT_EQ(ShellWord("spire_exporter"), "spire_exporter");
  EXPECT_EQ(ShellWord("sidecar@project.iam"), "sidecar@project.iam");
  EXPECT_EQ(ShellWord(""), "''");
  EXPECT_EQ(ShellWord("a b; rm -rf /"), "'a b; rm -rf /'");
  EXPECT_EQ(ShellWord("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellWord("a\x1b[2J\n"), "'a?[2J?'");
  EXPECT_EQ(ShellWord("$(id)"), "'$(id)'");
}

}  // namespace
}  // namespace spire_exporter
