#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/web/web_config.h"
#include "exporter/web/web_config_test_util.h"

namespace spire_exporter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kSpiffe =
    "tls_server_config:\n  spiffe:\n    socket_path: unix:///run/a.sock\n";

TEST(WebSpiffeConfigTest, ASocketIsEnough) {
  const Result<WebConfig> config = ReadTestConfig(kSpiffe);
  ASSERT_TRUE(config.ok()) << config.error().ToString();
  EXPECT_EQ(config->tls->spiffe->socket, "unix:///run/a.sock");
  EXPECT_EQ(config->tls->client_auth, ClientAuth::kRequireAndVerifyClientCert);
  EXPECT_FALSE(config->asks_for_certificate()) << "all of the own trust domain";
  EXPECT_TRUE(config->tls->spiffe->foreign_trust_domains.empty());
  EXPECT_EQ(ReadTestConfig("tls_server_config: {spiffe: {socket_path: /run/a.sock}}")
                ->tls->spiffe->socket,
            "/run/a.sock");
}

TEST(WebSpiffeConfigTest, TakesTheKeysThatWereProposedForTheToolkit) {
  const Result<WebConfig> config =
      ReadTestConfig(std::string(kSpiffe) +
                     "    enabled: true\n    authorized_ids: [\"spiffe://a.test/prometheus\"]\n");
  ASSERT_TRUE(config.ok()) << config.error().ToString();
  ASSERT_EQ(config->spiffe_rules.size(), 1u);
  EXPECT_TRUE(config->spiffe_rules[0].Matches("spiffe://a.test/prometheus"));
  const Result<WebConfig> off = ReadTestConfig(std::string(kSpiffe) + "    enabled: false\n");
  ASSERT_TRUE(off.ok());
  EXPECT_FALSE(off->tls.has_value());
}

TEST(WebSpiffeConfigTest, RulesNameTheForeignTrustDomains) {
  const Result<WebConfig> config =
      ReadTestConfig(std::string(kSpiffe) +
                     "    authorized_ids: [\"spiffe://a.test/ns/*/sa/p\"]\n"
                     "authorization:\n  trust_domains: [b.test]\n");
  ASSERT_TRUE(config.ok()) << config.error().ToString();
  EXPECT_EQ(config->spiffe_rules.size(), 2u);
  EXPECT_THAT(config->tls->spiffe->foreign_trust_domains, ElementsAre("a.test", "b.test"));
}

TEST(WebSpiffeConfigTest, AFallbackHasFilesOfItsOwn) {
  const Result<WebConfig> config = ReadTestConfig(
      std::string(kSpiffe) +
      "    fallback: {cert_file: b.crt, key_file: /b.key, client_ca_file: ca.crt}\n");
  ASSERT_TRUE(config.ok()) << config.error().ToString();
  EXPECT_EQ(config->tls->spiffe->fallback_certificate.file, "/etc/web/b.crt");
  EXPECT_EQ(config->tls->spiffe->fallback_key.file, "/b.key");
  EXPECT_EQ(config->tls->spiffe->fallback_client_ca.file, "/etc/web/ca.crt");
}

TEST(WebSpiffeConfigTest, WhoAsksForNoClientCertificateGetsNone) {
  const Result<WebConfig> config =
      ReadTestConfig(std::string(kSpiffe) + "  client_auth_type: NoClientCert\n");
  ASSERT_TRUE(config.ok()) << config.error().ToString();
  EXPECT_EQ(config->tls->client_auth, ClientAuth::kNoClientCert);
}

TEST(WebSpiffeConfigTest, ErrorsNameThePlaceAndWhatWasExpected) {
  const struct {
    std::string text, expected;
  } cases[] = {
      {"tls_server_config: {spiffe: {}}\n", "spiffe.socket_path: expected the Workload API's"},
      {"tls_server_config: {spiffe: {socket_path: run/a.sock}}\n", "spiffe.socket_path: expected"},
      {"tls_server_config: {spiffe: {socket_path: \"tcp://1.2.3.4:1\"}}\n",
       "socket_path: expected"},
      {"tls_server_config: {spiffe: {socket: /a}}\n", "web.yml:1:30: tls_server_config.spiffe"},
      {std::string(kSpiffe) + "    authorized_ids: [\"https://a.test\"]\n",
       "spiffe.authorized_ids: \"https://a.test\": expected a SPIFFE ID"},
      {std::string(kSpiffe) + "    fallback: {cert_file: a}\n", "fallback.key_file: expected"},
      {std::string(kSpiffe) + "    fallback: {key_file: a}\n", "fallback.cert_file: expected"},
      {std::string(kSpiffe) + "  cert_file: a\n  key_file: b\n", "spiffe: expected this or"},
      {std::string(kSpiffe) + "  client_ca_file: a\n", "spiffe: expected this or"},
      {std::string(kSpiffe) +
           "    authorized_ids: [\"spiffe://a.test/p\"]\n  client_auth_type: NoClientCert\n",
       "client_auth_type: expected one that verifies"},
      {std::string(kSpiffe) +
           "  client_auth_type: NoClientCert\nauthorization: {trust_domains: [a.test]}\n",
       "client_auth_type that verifies"},
      {std::string(kSpiffe) + "    authorized_ids: [\"spiffe://a.test/p\"]\nauthorization: {}\n",
       "expected spiffe_ids, trust_domains"},
  };
  for (const auto& one : cases)
    EXPECT_THAT(TestConfigError(one.text), HasSubstr(one.expected)) << one.text;
}

}  // namespace
}  // namespace spire_exporter
