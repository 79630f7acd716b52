#include "collectors/clients/spiffe/class_map.h"

#include <gtest/gtest.h>

#include <random>

namespace spire_exporter::spiffe {
namespace {

ClassMap MapOf(const std::vector<ClassOptions>& options) {
  Result<ClassMap> map = ClassMap::Make(options);
  EXPECT_TRUE(map.ok()) << (map.ok() ? "" : map.error().what);
  return map.ok() ? *std::move(map) : ClassMap();
}

std::string ClassOf(const ClassMap& map, std::string_view id) {
  return map.names().at(map.Find(id));
}

bool Matches(const std::string& pattern, std::string_view id) {
  return ClassOf(MapOf({{"it", pattern}}), id) == "it";
}

TEST(ClassMapTest, WithoutPatternsEverythingIsOther) {
  const ClassMap map;
  EXPECT_TRUE(map.trivial());
  EXPECT_EQ(ClassOf(map, "spiffe://example.org/a"), "other");
}

TEST(ClassMapTest, AnIdMatchesItselfAndNothingElse) {
  const std::string kId = "spiffe://example.org/ns/a/sa/b";
  EXPECT_TRUE(Matches(kId, kId));
  EXPECT_FALSE(Matches(kId, kId + "b"));
  EXPECT_FALSE(Matches(kId, kId + "/"));
  EXPECT_FALSE(Matches(kId, kId + "/c"));
  EXPECT_FALSE(Matches(kId, "spiffe://example.org/ns/a/sa"));
  EXPECT_FALSE(Matches(kId, "spiffe://example.com/ns/a/sa/b"));
  EXPECT_FALSE(Matches(kId, "https://example.org/ns/a/sa/b"));
  EXPECT_TRUE(Matches("spiffe://example.org", "spiffe://example.org"));
  EXPECT_FALSE(Matches("spiffe://example.org", "spiffe://example.org/a"));
}

TEST(ClassMapTest, AStarAloneIsOneWholeSegment) {
  const std::string kPattern = "spiffe://example.org/ns/*/sa/prometheus";
  EXPECT_TRUE(Matches(kPattern, "spiffe://example.org/ns/any/sa/prometheus"));
  EXPECT_FALSE(Matches(kPattern, "spiffe://example.org/ns/any/more/sa/prometheus"));
  EXPECT_FALSE(Matches(kPattern, "spiffe://example.org/ns//sa/prometheus"));
}

TEST(ClassMapTest, AStarInASegmentStaysInIt) {
  const std::string kPattern = "spiffe://example.org/ns/pay-*/sa/*";
  EXPECT_TRUE(Matches(kPattern, "spiffe://example.org/ns/pay-roll/sa/x"));
  EXPECT_TRUE(Matches(kPattern, "spiffe://example.org/ns/pay-/sa/x"));
  EXPECT_FALSE(Matches(kPattern, "spiffe://example.org/ns/pay/sa/x"));
  EXPECT_FALSE(Matches(kPattern, "spiffe://example.org/ns/pay-a/b/sa/x"));
  EXPECT_TRUE(Matches("spiffe://example.org/*-db-*x", "spiffe://example.org/a-db-db-xx"));
  EXPECT_FALSE(Matches("spiffe://example.org/*-db-*x", "spiffe://example.org/a-db-db-xy"));
}

TEST(ClassMapTest, TwoStarsAtTheEndAreAnySegmentsButNotNone) {
  const std::string kPattern = "spiffe://example.org/ns/monitoring/**";
  EXPECT_TRUE(Matches(kPattern, "spiffe://example.org/ns/monitoring/x"));
  EXPECT_TRUE(Matches(kPattern, "spiffe://example.org/ns/monitoring/x/y/z"));
  EXPECT_FALSE(Matches(kPattern, "spiffe://example.org/ns/monitoring"));
  EXPECT_FALSE(Matches(kPattern, "spiffe://example.org/ns/monitoring/"));
  EXPECT_FALSE(Matches(kPattern, "spiffe://example.org/ns/monitoring2/x"));
  EXPECT_FALSE(Matches("spiffe://example.org/**", "spiffe://example.org"));
}

TEST(ClassMapTest, TheFirstPatternThatMatchesWins) {
  const ClassMap map = MapOf({{"narrow", "spiffe://example.org/ns/a/sa/b"},
                              {"wide", "spiffe://example.org/ns/**"},
                              {"late", "spiffe://example.org/ns/c/sa/d"},
                              {"narrow", "spiffe://example.org/x"}});
  EXPECT_EQ(map.names(), (std::vector<std::string>{"narrow", "wide", "late", "other"}));
  EXPECT_EQ(ClassOf(map, "spiffe://example.org/ns/a/sa/b"), "narrow");
  EXPECT_EQ(ClassOf(map, "spiffe://example.org/ns/c/sa/d"), "wide");
  EXPECT_EQ(ClassOf(map, "spiffe://example.org/x"), "narrow");
  EXPECT_EQ(ClassOf(map, "spiffe://example.org/y"), "other");
}

TEST(ClassMapTest, RefusesWhatCouldBeMisread) {
  for (const char* const text :
       {"", "example.org/a", "spiffe://*/a", "spiffe://*.example.org/a",
        "spiffe://example.org/**/a", "spiffe://example.org/a**", "spiffe://example.org/a/",
        "spiffe://example.org//a", "spiffe://Example.org/a", "spiffe://example.org/a?b",
        "spiffe:///**", "spiffe://example.org/..", "spiffe://example.org/a*b*c*d*e*f"}) {
    const std::vector<ClassOptions> options = {{"good", "spiffe://example.org/a"}, {"bad", text}};
    const auto map = ClassMap::Make(options);
    ASSERT_FALSE(map.ok()) << text;
    EXPECT_TRUE(map.error().what.starts_with("classes[1].match: ")) << map.error().what;
  }
  for (const char* const name : {"", "other", "Upper", "with space", "a\"b"}) {
    const std::vector<ClassOptions> options = {{name, "spiffe://example.org/a"}};
    EXPECT_FALSE(ClassMap::Make(options).ok()) << name;
  }
  EXPECT_FALSE(ClassMap::Make(std::vector<ClassOptions>(51, {"a", "spiffe://example.org/a"})).ok());
}

// Against the plainest reading of the rule, one pattern after the other.
bool PlainMatch(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern == "/**") return text.size() > 1 && text[0] == '/' && text[1] != '/';
  if (pattern[0] == '*') {
    for (size_t taken = 0; taken <= text.size(); ++taken) {
      if (PlainMatch(pattern.substr(1), text.substr(taken))) return true;
      if (taken < text.size() && text[taken] == '/') return false;
    }
    return false;
  }
  return !text.empty() && text[0] == pattern[0] && PlainMatch(pattern.substr(1), text.substr(1));
}

TEST(ClassMapTest, AgreesWithThePlainReadingOnManyPatterns) {
  std::mt19937 random(7);
  const auto segment = [&](bool pattern) {
    static constexpr const char* kParts[] = {"a", "b", "ab", "*", "a*", "*b"};
    return std::string(kParts[random() % (pattern ? 6 : 3)]);
  };
  size_t found = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<ClassOptions> options;
    for (int i = 0; i < 8; ++i) {
      std::string match = "spiffe://td";
      for (size_t n = random() % 4; n > 0; --n) match += "/" + segment(true);
      if (random() % 4 == 0) match += "/**";
      options.push_back({"c" + std::to_string(i), match});
    }
    const ClassMap map = MapOf(options);
    for (int i = 0; i < 50; ++i) {
      std::string id = "spiffe://td";
      for (size_t n = random() % 5; n > 0; --n) id += "/" + segment(false);
      std::string expected = "other";
      for (const ClassOptions& option : options) {
        if (PlainMatch(option.match, id)) {
          expected = option.name;
          ++found;
          break;
        }
      }
      ASSERT_EQ(ClassOf(map, id), expected) << id;
    }
  }
  EXPECT_GT(found, 1000u);
}

}  // namespace
}  // namespace spire_exporter::spiffe
