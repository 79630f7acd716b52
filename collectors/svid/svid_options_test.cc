#include "collectors/svid/svid_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace spire_exporter::svid {
namespace {

using ::testing::HasSubstr;

ConfigNode Tree(const std::vector<std::pair<std::string, std::string>>& scalars) {
  ConfigNode tree = ConfigNode::Map("", "test", {});
  for (const auto& [path, text] : scalars) tree = tree.With(path, "test:1:1", text);
  return tree;
}

TEST(SvidOptionsTest, AServerLooksAtItsOwnPortAndAnAgentIsToldWhere) {
  SvidOptions options;
  ASSERT_TRUE(ReadSvidOptions(Tree({}), Role::kServer, &options).ok());
  EXPECT_EQ(options.reach.address, "127.0.0.1:8081");
  EXPECT_TRUE(options.canary.socket.empty());
  ASSERT_TRUE(ReadSvidOptions(Tree({}), Role::kAgent, &options).ok());
  EXPECT_TRUE(options.reach.address.empty());
  EXPECT_EQ(options.reach.interval, kAgentReachInterval);
}

TEST(SvidOptionsTest, MistakesNameTheirPlace) {
  SvidOptions options;
  const auto fail = [&options](const std::string& path, const std::string& value) {
    const Status status = ReadSvidOptions(Tree({{path, value}}), Role::kAgent, &options);
    return status.ok() ? std::string("no error") : status.error().ToString();
  };
  EXPECT_THAT(fail("svid.canary.sokcet", "a"), HasSubstr("test:1:1"));
  EXPECT_THAT(fail("svid.canary.sokcet", "a"), HasSubstr("socket"));
  EXPECT_THAT(fail("svid.canary.socket", "http://a"), HasSubstr("svid.canary.socket"));
  EXPECT_THAT(fail("svid.canary.spiffe_id", "example.org"), HasSubstr("SPIFFE ID"));
  EXPECT_THAT(fail("svid.canary.jwt_audience", ""), HasSubstr("jwt_audience"));
  EXPECT_THAT(fail("svid.canary.interval", "1s"), HasSubstr("svid.canary.interval"));
  EXPECT_EQ(fail("svid.server.address", "a:1, b:2"), "no error");
  EXPECT_THAT(fail("svid.server.address", "a:1,"), HasSubstr("svid.server.address"));
  EXPECT_THAT(fail("svid.server.address", "no-port"), HasSubstr("svid.server.address"));
}

}  // namespace
}  // namespace spire_exporter::svid
