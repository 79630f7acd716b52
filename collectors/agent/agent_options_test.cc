#include "collectors/agent/agent_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace spire_exporter::agent {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

ConfigNode Tree(const std::vector<std::pair<std::string, std::string>>& scalars) {
  ConfigNode tree = ConfigNode::Map("", "test", {});
  for (const auto& [path, text] : scalars) tree = tree.With(path, "test:1:1", text);
  return tree;
}

TEST(AgentOptionsTest, DefaultsFollowTheRole) {
  AgentOptions options;
  ASSERT_TRUE(ReadAgentOptions(Tree({}), Role::kAgent, &options).ok());
  EXPECT_TRUE(options.enabled);
  EXPECT_EQ(options.health_url, "http://127.0.0.1:9982");
  EXPECT_EQ(options.admin_socket, "") << "its takeover has a cost, so that nobody gets it unasked";
  ASSERT_TRUE(ReadAgentOptions(Tree({}), Role::kStandalone, &options).ok());
  EXPECT_FALSE(options.enabled);
}

TEST(AgentOptionsTest, ReadsWhatIsWritten) {
  AgentOptions options;
  ASSERT_TRUE(ReadAgentOptions(Tree({{"agent.health_url", "http://[::1]:80/"},
                                     {"agent.admin_socket", "unix:///run/spire/admin.sock"},
                                     {"agent.sync_interval", "30s"},
                                     {"agent.x509_cache_limit", "2000"}}),
                               Role::kStandalone, &options)
                  .ok());
  EXPECT_TRUE(options.enabled);
  EXPECT_EQ(options.health_url, "http://[::1]:80");
  EXPECT_EQ(options.sync_interval, 30s);
  EXPECT_EQ(options.x509_cache_limit, 2000);
  AgentOptions other = options;
  other.jwt_cache_limit = 7;
  EXPECT_NE(other.Fingerprint(), options.Fingerprint());
}

TEST(AgentOptionsTest, SaysWhereAndWhatIsWrong) {
  for (const auto& [key, text, expected] :
       {std::tuple{"health_url", "127.0.0.1:80", "http://"},
        std::tuple{"health_url", "http://127.0.0.1:80/live", "without a path"},
        std::tuple{"live_path", "live", "/live"}, std::tuple{"ready_path", "/a b", "/live"},
        std::tuple{"admin_socket", "tcp://127.0.0.1:1", "unix:///PATH"},
        std::tuple{"interval", "1ms", "1s"}, std::tuple{"jwt_cache_limit", "0", "1"},
        std::tuple{"admin_sock", "/x", "admin_socket"}}) {
    AgentOptions options;
    options.timeout = 77s;
    const Status status =
        ReadAgentOptions(Tree({{std::string("agent.") + key, text}}), Role::kAgent, &options);
    ASSERT_FALSE(status.ok()) << key << " " << text;
    EXPECT_THAT(status.error().ToString(), HasSubstr(expected)) << key;
    EXPECT_THAT(status.error().ToString(), HasSubstr("test:1:1"));
    EXPECT_EQ(options.timeout, 77s) << "touched";
  }
}

TEST(AgentOptionsTest, ShowsWhatIsInForce) {
  const ConfigNode shown = WithAgentDefaults(Tree({{"agent.interval", "7s"}}), Role::kAgent);
  EXPECT_EQ(shown["agent"]["interval"].text(), "7s");
  EXPECT_EQ(shown["agent"]["health_url"].text(), "http://127.0.0.1:9982");
  EXPECT_EQ(shown["agent"]["sync_interval"].text(), "") << "SPIRE's own file may tell it";
}

}  // namespace
}  // namespace spire_exporter::agent
