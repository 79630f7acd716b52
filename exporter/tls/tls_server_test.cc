#include "exporter/tls/tls_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "exporter/tls/test_certificates.h"

namespace spire_exporter {
namespace {

using ::testing::HasSubstr;

class TlsServerTest : public ::testing::Test {
 protected:
  TlsServerTest() {
    std::string pattern = "/tmp/tls-test-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    settings_.certificate.file = folder_ + "/tls.crt";
    settings_.key.file = folder_ + "/tls.key";
    Write(authority_, first_);
  }
  ~TlsServerTest() override {
    [[maybe_unused]] const int gone = std::system(("rm -rf " + folder_).c_str());
  }

  // The chain, and the key of the leaf.
  void Write(const TestCertificate& root, const TestCertificate& leaf) {
    WriteCertificate(leaf, settings_.certificate.file);
    const std::string more = folder_ + "/root.crt";
    WriteCertificate(root, more);
    std::ifstream in(more);
    std::ofstream(settings_.certificate.file, std::ios::app)
        << std::string(std::istreambuf_iterator<char>(in), {});
    WriteKey(leaf, settings_.key.file);
  }
  void Put(const std::string& file, const std::string& text) { std::ofstream(file) << text; }
  std::string Take(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string folder_;
  TestCertificate authority_ = MakeCertificate("authority", "", nullptr);
  TestCertificate first_ = MakeCertificate("first", "DNS:first.test", &authority_, 1000);
  TestCertificate second_ = MakeCertificate("second", "DNS:second.test", &authority_, 5000);
  TlsSettings settings_;
  RealClock clock_;
  TlsServer server_{clock_};
};

TEST_F(TlsServerTest, SaysHowLongTheLeafInForceIsGood) {
  ASSERT_TRUE(server_.Apply(settings_).ok());
  const TlsServer::State state = server_.state();
  EXPECT_TRUE(state.refreshed);
  EXPECT_EQ(state.generation, 1u);
  EXPECT_NEAR(state.not_after_seconds, UnixSeconds(clock_.System()) + 1000, 5);
  EXPECT_NEAR(state.not_before_seconds, UnixSeconds(clock_.System()) - 7200, 5);
}

TEST_F(TlsServerTest, ChangesWhenTheContentDoesAndNotOtherwise) {
  ASSERT_TRUE(server_.Apply(settings_).ok());
  ASSERT_TRUE(server_.Refresh().ok());
  EXPECT_EQ(server_.state().generation, 1u);
  Write(authority_, second_);
  ASSERT_TRUE(server_.Refresh().ok());
  EXPECT_EQ(server_.state().generation, 2u);
  EXPECT_NEAR(server_.state().not_after_seconds, UnixSeconds(clock_.System()) + 5000, 5);
}

TEST_F(TlsServerTest, KeepsTheLastGoodPairWhenAFileIsBad) {
  ASSERT_TRUE(server_.Apply(settings_).ok());
  const std::string certificate = Take(settings_.certificate.file);
  const std::string key = Take(settings_.key.file);
  const struct {
    std::string file, text, expected;
  } cases[] = {
      {settings_.certificate.file, "", "tls.crt: no certificate in PEM"},
      {settings_.certificate.file, certificate.substr(0, certificate.size() / 4), "tls.crt: "},
      {settings_.certificate.file, certificate.substr(0, certificate.size() - 100),
       "tls.crt: the chain is torn"},
      {settings_.key.file, key.substr(0, key.size() / 2), "tls.key: no private key"},
      {settings_.key.file, "", "tls.key: no private key"},
  };
  for (const auto& one : cases) {
    Put(one.file, one.text);
    const Status refreshed = server_.Refresh();
    ASSERT_FALSE(refreshed.ok()) << one.expected;
    EXPECT_THAT(refreshed.error().what, HasSubstr(one.expected));
    EXPECT_FALSE(server_.state().refreshed);
    EXPECT_EQ(server_.state().generation, 1u);
    EXPECT_NE(server_.Accept(0), nullptr);
    Put(settings_.certificate.file, certificate);
    Put(settings_.key.file, key);
    EXPECT_TRUE(server_.Refresh().ok());
  }
}

TEST_F(TlsServerTest, RefusesAKeyThatIsNotTheCertificates) {
  ASSERT_TRUE(server_.Apply(settings_).ok());
  WriteKey(second_, settings_.key.file);
  const Status refreshed = server_.Refresh();
  ASSERT_FALSE(refreshed.ok());
  EXPECT_THAT(refreshed.error().what, HasSubstr("tls.key: not the key of " + folder_ + "/tls.crt"));
}

TEST_F(TlsServerTest, NamesTheFileThatIsNotThere) {
  settings_.key.file = folder_ + "/none.key";
  const Status applied = server_.Apply(settings_);
  ASSERT_FALSE(applied.ok());
  EXPECT_THAT(applied.error().what, HasSubstr("none.key: No such file"));
  EXPECT_EQ(server_.Accept(0), nullptr);
}

TEST_F(TlsServerTest, DoesNotAskForAPassphrase) {
  WriteKey(first_, settings_.key.file, "secret");
  const Status applied = server_.Apply(settings_);
  ASSERT_FALSE(applied.ok());
  EXPECT_THAT(applied.error().what, HasSubstr("without a passphrase"));
}

TEST_F(TlsServerTest, TakesTextInPlaceOfFiles) {
  settings_.certificate = {"", Take(settings_.certificate.file)};
  settings_.key = {"", Take(settings_.key.file)};
  EXPECT_TRUE(server_.Apply(settings_).ok());
  settings_.key.inline_text = "nothing";
  const Status applied = server_.Apply(settings_);
  ASSERT_FALSE(applied.ok());
  EXPECT_THAT(applied.error().what, HasSubstr("tls_server_config.key: no private key"));
}

TEST_F(TlsServerTest, NamesWhatItDoesNotKnow) {
  settings_.curves = {"CurveP256", "P-256"};
  EXPECT_THAT(CheckTlsSettings(settings_).error().what,
              HasSubstr("\"P-256\" is no curve: expected one of CurveP256, CurveP384"));
  settings_.curves = {};
  settings_.cipher_suites = {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-SHA"};
  EXPECT_THAT(CheckTlsSettings(settings_).error().what, HasSubstr("is no cipher suite"));
  settings_.cipher_suites = {"TLS_AES_128_GCM_SHA256"};
  EXPECT_TRUE(CheckTlsSettings(settings_).ok());
  settings_.min_version = TlsVersion::kTls13;
  settings_.max_version = TlsVersion::kTls12;
  EXPECT_FALSE(CheckTlsSettings(settings_).ok());
}

TEST_F(TlsServerTest, RefusesRootsThatAreNone) {
  settings_.client_auth = ClientAuth::kRequireAndVerifyClientCert;
  settings_.client_ca.file = folder_ + "/ca.crt";
  Put(settings_.client_ca.file, "nothing");
  const Status applied = server_.Apply(settings_);
  ASSERT_FALSE(applied.ok());
  EXPECT_THAT(applied.error().what, HasSubstr("ca.crt: no certificates in PEM"));
}

}  // namespace
}  // namespace spire_exporter
