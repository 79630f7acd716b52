#include "exporter/web/spiffe_rule.h"

#include <gtest/gtest.h>

namespace spire_exporter {
namespace {

bool Matches(std::string_view pattern, std::string_view id) {
  const Result<SpiffeRule> rule = SpiffeRule::ParsePattern(pattern);
  EXPECT_TRUE(rule.ok()) << pattern;
  return rule.ok() && rule->Matches(id);
}

TEST(SpiffeRuleTest, AnIdMatchesItselfAndNothingElse) {
  constexpr std::string_view kId = "spiffe://example.org/ns/a/sa/b";
  EXPECT_TRUE(Matches(kId, kId));
  EXPECT_FALSE(Matches(kId, "spiffe://example.org/ns/a/sa/bb"));
  EXPECT_FALSE(Matches(kId, "spiffe://example.org/ns/a/sa"));
  EXPECT_FALSE(Matches(kId, "spiffe://example.org/ns/a/sa/b/c"));
  EXPECT_FALSE(Matches(kId, "spiffe://example.com/ns/a/sa/b"));
  EXPECT_TRUE(Matches("spiffe://example.org", "spiffe://example.org"));
  EXPECT_FALSE(Matches("spiffe://example.org", "spiffe://example.org/a"));
}

TEST(SpiffeRuleTest, AStarIsOneWholeSegment) {
  constexpr std::string_view kPattern = "spiffe://example.org/ns/*/sa/prometheus";
  EXPECT_TRUE(Matches(kPattern, "spiffe://example.org/ns/any/sa/prometheus"));
  EXPECT_FALSE(Matches(kPattern, "spiffe://example.org/ns/any/more/sa/prometheus"));
  EXPECT_FALSE(Matches(kPattern, "spiffe://example.org/ns/sa/prometheus"));
}

TEST(SpiffeRuleTest, TwoStarsAtTheEndAreAnySegmentsButNotNone) {
  constexpr std::string_view kPattern = "spiffe://example.org/ns/monitoring/**";
  EXPECT_TRUE(Matches(kPattern, "spiffe://example.org/ns/monitoring/x"));
  EXPECT_TRUE(Matches(kPattern, "spiffe://example.org/ns/monitoring/x/y/z"));
  EXPECT_FALSE(Matches(kPattern, "spiffe://example.org/ns/monitoring"));
  EXPECT_FALSE(Matches(kPattern, "spiffe://example.org/ns/monitoring2/x"));
  EXPECT_FALSE(Matches("spiffe://example.org/**", "spiffe://example.org"));
}

TEST(SpiffeRuleTest, RefusesWhatCouldBeMisread) {
  for (const char* const text :
       {"", "example.org/a", "spiffe://*/a", "spiffe://*.example.org/a", "spiffe://example.org/a*",
        "spiffe://example.org/**/a", "spiffe://example.org/a/", "spiffe://example.org//a",
        "spiffe://Example.org/a", "spiffe://example.org/a?b", "https://example.org/a",
        "spiffe:///**"}) {
    EXPECT_FALSE(SpiffeRule::ParsePattern(text).ok()) << text;
  }
}

TEST(SpiffeRuleTest, ATrustDomainMatchesAllOfItAndNoOther) {
  const Result<SpiffeRule> rule = SpiffeRule::ParseTrustDomain("example.org");
  ASSERT_TRUE(rule.ok());
  EXPECT_TRUE(rule->Matches("spiffe://example.org"));
  EXPECT_TRUE(rule->Matches("spiffe://example.org/a/b"));
  EXPECT_FALSE(rule->Matches("spiffe://example.org.evil.test/a"));
  EXPECT_FALSE(rule->Matches("spiffe://sub.example.org/a"));
  for (const char* const text : {"", "spiffe://example.org", "example.org/a", "Example.org", "*"}) {
    EXPECT_FALSE(SpiffeRule::ParseTrustDomain(text).ok()) << text;
  }
}

}  // namespace
}  // namespace spire_exporter
