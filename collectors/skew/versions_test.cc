#include "collectors/skew/versions.h"

#include <gtest/gtest.h>

namespace spire_exporter::skew {
namespace {

Version V(std::string_view text) {
  return ParseVersion(text).value();
}

TEST(VersionTest, ReadsWhatSpireCallsItself) {
  EXPECT_EQ(V("1.15.3"), (Version{1, 15, 3}));
  EXPECT_EQ(V("1.16.0-dev-9ab"), (Version{1, 16, 0}));
  EXPECT_EQ(V("1.2.3+build"), (Version{1, 2, 3}));
  EXPECT_EQ(V("0.12.10").ToString(), "0.12.10");
  for (const char* bad : {"", "unknown", "other", "1.15", "1.15.", "1.15.3.4", "v1.15.3", "1_15_3",
                          "99999.1.1", "1.15.3 ", "-1.2.3"}) {
    EXPECT_FALSE(ParseVersion(bad).has_value()) << bad;
  }
}

TEST(VersionTest, IsInTheOrderOfReleases) {
  EXPECT_LT(V("1.9.6"), V("1.10.0"));
  EXPECT_LT(V("0.12.3"), V("1.0.0"));
  EXPECT_LT(V("1.15.2"), V("1.15.3"));
}

// The examples of doc/upgrading.md.
TEST(VersionTest, ServersAreWithinOneMinorVersion) {
  EXPECT_TRUE(ServersFit(V("1.2.3"), V("1.1.0")));
  EXPECT_TRUE(ServersFit(V("1.1.0"), V("1.2.3")));
  EXPECT_TRUE(ServersFit(V("1.0.3"), V("0.12.0")));
  EXPECT_FALSE(ServersFit(V("1.3.0"), V("1.1.1")));
  EXPECT_FALSE(ServersFit(V("1.1.0"), V("0.12.0")));
  EXPECT_FALSE(ServersFit(V("2.0.0"), V("1.99.0"))) << "no rule speaks of it";
}

TEST(VersionTest, AgentsAreNotNewerAndAtMostOneMinorVersionOlder) {
  EXPECT_EQ(HowAgentFits(V("1.2.2"), V("1.2.2")), AgentFit::kFits);
  EXPECT_EQ(HowAgentFits(V("1.1.0"), V("1.2.2")), AgentFit::kFits);
  EXPECT_EQ(HowAgentFits(V("0.12.0"), V("1.0.2")), AgentFit::kFits);
  EXPECT_EQ(HowAgentFits(V("1.2.3"), V("1.2.2")), AgentFit::kNewer) << "patch versions count";
  EXPECT_EQ(HowAgentFits(V("1.0.9"), V("1.2.2")), AgentFit::kTooOld);
  EXPECT_EQ(HowAgentFits(V("1.2.2"), V("2.0.0")), AgentFit::kTooOld);
}

TEST(VersionTest, KnowsSchemas) {
  EXPECT_EQ(SchemaOf(V("1.7.2")), 22);
  EXPECT_EQ(SchemaOf(V("1.7.1")), 21);
  EXPECT_EQ(SchemaOf(V("1.8.0")), 23);
  EXPECT_EQ(SchemaOf(V("1.13.3")), 23);
  EXPECT_EQ(SchemaOf(V("1.14.2")), 23);
  EXPECT_EQ(SchemaOf(V("1.14.3")), 24) << "with the agents' versions";
  EXPECT_EQ(SchemaOf(V("1.14.7")), 24);
  EXPECT_EQ(SchemaOf(V("1.15.3")), 25);
  EXPECT_EQ(SchemaOf(V("1.16.0")), std::nullopt) << "not out yet";
  EXPECT_EQ(SchemaOf(V("2.8.0")), std::nullopt);
}

}  // namespace
}  // namespace spire_exporter::skew
