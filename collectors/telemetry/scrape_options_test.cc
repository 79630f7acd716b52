#include "collectors/telemetry/scrape_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spire_exporter::telemetry {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

ConfigNode Node(std::vector<std::pair<std::string, std::string>> keys) {
  ConfigNode node = ConfigNode::Map("telemetry.scrape", "f.yaml:1:1", {});
  for (auto& [key, text] : keys) node = node.With(key, "f.yaml:2:3", text);
  return node;
}

ScrapeOptions Read(const ConfigNode& node, Role role = Role::kServer) {
  ScrapeOptions options;
  const Status status = ReadScrapeOptions(node, role, &options);
  EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().ToString());
  return options;
}

std::string Failure(const ConfigNode& node) {
  ScrapeOptions options;
  const Status status = ReadScrapeOptions(node, Role::kServer, &options);
  return status.ok() ? "" : status.error().ToString();
}

TEST(ScrapeOptionsTest, DefaultsFollowTheRole) {
  EXPECT_EQ(Read(ConfigNode()).url, "http://127.0.0.1:9988/");
  EXPECT_TRUE(Read(ConfigNode(), Role::kAgent).enabled());
  EXPECT_FALSE(Read(ConfigNode(), Role::kStandalone).enabled());
  EXPECT_EQ(Read(ConfigNode()).interval, 15s);
  EXPECT_EQ(Read(ConfigNode()).timeout, 5s);
}

TEST(ScrapeOptionsTest, PollsOnTheLoopbackAloneUnlessAsked) {
  for (const char* url : {"http://127.0.0.1:9988/", "http://localhost:9988/", "http://[::1]:9988/",
                          "https://127.1.2.3/"}) {
    EXPECT_EQ(Read(Node({{"url", url}})).poll, 200ms) << url;
    EXPECT_EQ(Read(Node({{"url", url}, {"poll", "0s"}})).poll, 0s) << url;
  }
  for (const char* url : {"http://10.0.0.1:9988/", "http://127.example.org/", "http://[::2]/"}) {
    EXPECT_EQ(Read(Node({{"url", url}})).poll, 0s) << url;
    EXPECT_EQ(Read(Node({{"url", url}, {"poll", "2s"}})).poll, 2s) << url;
  }
  EXPECT_THAT(Failure(Node({{"poll", "100ms"}})), HasSubstr("below 200ms"));
  EXPECT_THAT(Failure(Node({{"poll", "20s"}})), HasSubstr("longer than the interval"));
}

TEST(ScrapeOptionsTest, ReadsEveryKey) {
  const ScrapeOptions options = Read(Node({{"url", "https://spire:9988/"},
                                           {"interval", "30s"},
                                           {"timeout", "2s"},
                                           {"ca_file", "ca"},
                                           {"server_name", "name"},
                                           {"cert_file", "cert"},
                                           {"key_file", "key"}}));
  EXPECT_EQ(options.url, "https://spire:9988/");
  EXPECT_EQ(options.interval, 30s);
  EXPECT_EQ(options.timeout, 2s);
  EXPECT_EQ(options.ca_file, "ca");
  EXPECT_EQ(options.server_name, "name");
  EXPECT_EQ(options.cert_file, "cert");
  EXPECT_EQ(options.key_file, "key");
}

TEST(ScrapeOptionsTest, AnEmptyUrlTurnsItOff) {
  EXPECT_FALSE(Read(Node({{"url", ""}})).enabled());
}

TEST(ScrapeOptionsTest, RefusesWhatDoesNotFit) {
  EXPECT_THAT(Failure(Node({{"url", "spire:9988"}})), HasSubstr("expected http://host:port/"));
  EXPECT_THAT(Failure(Node({{"timeout", "20s"}})), HasSubstr("longer than the interval"));
  EXPECT_THAT(Failure(Node({{"ca_file", "ca"}})), HasSubstr("only for an https:// url"));
  EXPECT_THAT(Failure(Node({{"url", "https://a/"}, {"cert_file", "c"}})), HasSubstr("go together"));
  EXPECT_THAT(Failure(Node({{"intervall", "20s"}})), HasSubstr("interval"));
}

TEST(ScrapeOptionsTest, ABadReadingChangesNothing) {
  ScrapeOptions options;
  options.url = "before";
  EXPECT_FALSE(ReadScrapeOptions(Node({{"timeout", "x"}}), Role::kServer, &options).ok());
  EXPECT_EQ(options.url, "before");
}

TEST(ScrapeOptionsTest, KnowsTheEndpointBySpiffeId) {
  const ScrapeOptions options = Read(Node({{"url", "https://127.0.0.1:9988/"},
                                           {"spiffe.socket", "unix:///run/a.sock"},
                                           {"spiffe.server_id", "spiffe://a.test/spire/server"}}));
  EXPECT_EQ(options.spiffe_socket, "unix:///run/a.sock");
  EXPECT_EQ(options.spiffe_server_id, "spiffe://a.test/spire/server");
}

TEST(ScrapeOptionsTest, TheEndpointIsThatOfTheTrustDomainsServerOrAgents) {
  const ConfigNode node =
      Node({{"url", "https://127.0.0.1:9988/"}, {"spiffe.socket", "/run/a.sock"}});
  ScrapeOptions options;
  options.trust_domain = "a.test";
  ASSERT_TRUE(ReadScrapeOptions(node, Role::kServer, &options).ok());
  EXPECT_EQ(options.spiffe_server_id, "spiffe://a.test/spire/server");
  ASSERT_TRUE(ReadScrapeOptions(node, Role::kAgent, &options).ok());
  EXPECT_EQ(options.spiffe_server_id, "spiffe://a.test/spire/agent/**");
  EXPECT_FALSE(ReadScrapeOptions(node, Role::kStandalone, &options).ok());
}

TEST(ScrapeOptionsTest, RefusesWhatDoesNotGoWithSpiffe) {
  const auto failure = [](std::pair<std::string, std::string> more, const char* url) {
    std::vector<std::pair<std::string, std::string>> keys = {
        {"url", url},
        {"spiffe.socket", "/run/a.sock"},
        {"spiffe.server_id", "spiffe://a.test/spire/server"}};
    keys.push_back(std::move(more));
    return Failure(Node(std::move(keys)));
  };
  constexpr const char* kTls = "https://127.0.0.1/";
  EXPECT_THAT(failure({"timeout", "5s"}, "http://127.0.0.1/"), HasSubstr("only for an https"));
  EXPECT_THAT(failure({"ca_file", "a"}, kTls), HasSubstr("not beside spiffe"));
  EXPECT_THAT(failure({"spiffe.socket", "a.sock"}, kTls), HasSubstr("socket: expected"));
  EXPECT_THAT(failure({"spiffe.server_id", "https://a"}, kTls), HasSubstr("server_id: expected"));
  EXPECT_THAT(failure({"spiffe.id", "x"}, kTls), HasSubstr("unknown key"));
  EXPECT_THAT(Failure(Node({{"url", kTls}, {"spiffe.socket", "/a"}})), HasSubstr("server_id"));
}

}  // namespace
}  // namespace spire_exporter::telemetry
