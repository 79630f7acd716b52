#include "exporter/web/web_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/web/test_hashes.h"
#include "exporter/web/web_config_test_util.h"

namespace spire_exporter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr const char* kTls = "tls_server_config:\n  cert_file: a.crt\n  key_file: a.key\n";

TEST(WebConfigTest, AnEmptyFileAsksForNothing) {
  const Result<WebConfig> config = ReadTestConfig("");
  ASSERT_TRUE(config.ok());
  EXPECT_FALSE(config->tls.has_value());
  EXPECT_FALSE(config->asks_for_certificate());
  EXPECT_FALSE(config->asks_for_password());
  EXPECT_FALSE(config->rate_limit.has_value());
}

// Every key that the toolkit documents, in one file.
TEST(WebConfigTest, TakesEveryKeyOfTheToolkit) {
  const Result<WebConfig> config = ReadTestConfig(R"(
tls_server_config:
  cert_file: server.crt
  key_file: /keys/server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  client_allowed_sans: [prometheus.test, "spiffe://example.org/prometheus"]
  min_version: TLS12
  max_version: TLS13
  cipher_suites:
    - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
    - TLS_AES_128_GCM_SHA256
  prefer_server_cipher_suites: false
  curve_preferences: [CurveP256, X25519]
http_server_config:
  http2: true
  headers:
    Content-Security-Policy: "default-src 'self'"
    X-Frame-Options: deny
    X-Content-Type-Options: nosniff
    X-XSS-Protection: "1; mode=block"
    Strict-Transport-Security: max-age=31536000
rate_limit:
  interval: 50ms
  burst: 20
basic_auth_users:
  alice: )" + std::string(kHashOfSecret) +
                                                  "\n  bob: " + kHashOfOther + "\n");
  ASSERT_TRUE(config.ok()) << config.error().ToString();
  const TlsSettings& tls = config->tls.value();
  EXPECT_EQ(tls.certificate.file, "/etc/web/server.crt");
  EXPECT_EQ(tls.key.file, "/keys/server.key");
  EXPECT_EQ(tls.client_ca.file, "/etc/web/ca.crt");
  EXPECT_EQ(tls.client_auth, ClientAuth::kRequireAndVerifyClientCert);
  EXPECT_FALSE(tls.prefer_server_cipher_suites);
  EXPECT_EQ(tls.cipher_suites.size(), 2u);
  EXPECT_THAT(tls.curves, ElementsAre("CurveP256", "X25519"));
  EXPECT_THAT(config->client_allowed_sans,
              ElementsAre("prometheus.test", "spiffe://example.org/prometheus"));
  EXPECT_THAT(config->headers, ElementsAre(Pair("Content-Security-Policy", "default-src 'self'"),
                                           Pair("X-Frame-Options", "deny"),
                                           Pair("X-Content-Type-Options", "nosniff"),
                                           Pair("X-XSS-Protection", "1; mode=block"),
                                           Pair("Strict-Transport-Security", "max-age=31536000")));
  EXPECT_EQ(config->rate_limit.value().burst, 20);
  EXPECT_EQ(config->rate_limit.value().interval, std::chrono::milliseconds(50));
  EXPECT_THAT(config->users, ElementsAre(Pair("alice", kHashOfSecret), Pair("bob", kHashOfOther)));
}

TEST(WebConfigTest, TakesCertificatesInline) {
  const Result<WebConfig> config =
      ReadTestConfig("tls_server_config:\n  cert: |\n    line one\n    line two\n  key: k\n");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->tls->certificate.inline_text, "line one\nline two\n");
  EXPECT_EQ(config->tls->certificate.file, "");
}

TEST(WebConfigTest, TakesRulesForSpiffeIds) {
  const std::string tls =
      std::string(kTls) + "  client_ca_file: ca.crt\n  client_auth_type: VerifyClientCertIfGiven\n";
  const Result<WebConfig> config =
      ReadTestConfig(tls +
                     "authorization:\n  spiffe_ids: [\"spiffe://a.test/ns/*/sa/p\"]\n"
                     "  trust_domains: [b.test]\n");
  ASSERT_TRUE(config.ok()) << config.error().ToString();
  ASSERT_EQ(config->spiffe_rules.size(), 2u);
  EXPECT_TRUE(config->spiffe_rules[0].Matches("spiffe://a.test/ns/x/sa/p"));
  EXPECT_TRUE(config->spiffe_rules[1].Matches("spiffe://b.test/any"));
  EXPECT_THAT(
      TestConfigError(tls + "authorization:\n  spiffe_ids: [\"spiffe://a.test/x*\"]\n"),
      HasSubstr("web.yml:7:15: authorization.spiffe_ids: \"spiffe://a.test/x*\": expected"));
  EXPECT_THAT(TestConfigError(tls + "authorization: {}\n"),
              HasSubstr("expected spiffe_ids, trust_domains"));
  EXPECT_THAT(TestConfigError("authorization:\n  trust_domains: [b.test]\n"),
              HasSubstr("client_auth_type that verifies"));
}

TEST(WebConfigTest, ErrorsNameThePlaceAndWhatWasExpected) {
  const struct {
    std::string text, expected;
  } cases[] = {
      {"tls_server_confg: {}\n",
       "web.yml:1:1: tls_server_confg: unknown key: did you mean "
       "\"tls_server_config\"?"},
      {"tls_server_config:\n  cert_fil: x\n",
       "web.yml:2:3: tls_server_config.cert_fil: unknown key"},
      {"tls_server_config:\n  cert_file: x\n", "tls_server_config.key_file: expected"},
      {"tls_server_config:\n  key_file: x\n", "tls_server_config.cert_file: expected"},
      {std::string(kTls) + "  cert: x\n", "tls_server_config.cert: expected this or cert_file"},
      {std::string(kTls) + "  client_auth_type: Sometimes\n", "client_auth_type"},
      {std::string(kTls) + "  client_auth_type: RequireAndVerifyClientCert\n",
       "client_ca_file: expected roots"},
      {std::string(kTls) + "  client_ca_file: x\n", "client_auth_type: expected Require"},
      {std::string(kTls) + "  client_allowed_sans: [x]\n", "client_allowed_sans: expected"},
      {std::string(kTls) + "  min_version: TLS10\n", "min_version"},
      {std::string(kTls) + "  min_version: TLS13\n  max_version: TLS12\n", "max_version"},
      {std::string(kTls) + "  cipher_suites: [NONE]\n", "\"NONE\" is no cipher suite"},
      {std::string(kTls) + "  curve_preferences: [P256]\n", "\"P256\" is no curve"},
      {"http_server_config:\n  headers:\n    X-Frame-Options: allow\n",
       "web.yml:3:22: http_server_config.headers.X-Frame-Options: expected deny or sameorigin"},
      {"http_server_config:\n  headers:\n    X-Content-Type-Options: sniff\n", "expected nosniff"},
      {"http_server_config:\n  headers:\n    X-Other: a\n", "unknown key"},
      {"basic_auth_users: [a]\n", "basic_auth_users: expected a map"},
      {"basic_auth_users:\n  \"a:b\": x\n", "cannot have a colon"},
      {"rate_limit: {interval: 1s, burst: 0}\n", "rate_limit.burst: expected at least 1"},
      {"rate_limit: {interval: fast}\n", "rate_limit.interval"},
  };
  for (const auto& one : cases)
    EXPECT_THAT(TestConfigError(one.text), HasSubstr(one.expected)) << one.text;
}

TEST(WebConfigTest, ErrorsNeverShowAHash) {
  const std::string hash = "$2y$99$thisisasecretthisisasecretthisisasecretthisisasecret..";
  const std::string error = TestConfigError("basic_auth_users:\n  alice: " + hash + "\n");
  EXPECT_THAT(error, HasSubstr("web.yml:2:10: basic_auth_users.alice: expected a bcrypt"));
  EXPECT_THAT(error, Not(HasSubstr("thisisasecret")));
}

}  // namespace
}  // namespace spire_exporter
