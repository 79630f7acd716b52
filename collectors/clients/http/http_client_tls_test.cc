#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "collectors/clients/http/http_client.h"
#include "collectors/clients/http/test_tls_peer.h"

namespace spire_exporter {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class HttpClientTlsTest : public ::testing::Test {
 protected:
  HttpClientTlsTest() {
    std::string pattern = ::testing::TempDir() + "http_client_tls_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    WriteCertificate(ca_, Path("ca.pem"));
    // The server side of these tests writes through OpenSSL's own sockets, which raise it.
    std::signal(SIGPIPE, SIG_IGN);
  }
  ~HttpClientTlsTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  TestCertificate Leaf(const std::string& names, long valid_seconds = 3600) const {
    return MakeCertificate("leaf", names, &ca_, valid_seconds);
  }
  HttpClientOptions WithCa() const {
    HttpClientOptions options;
    options.tls.ca_file = Path("ca.pem");
    return options;
  }
  Result<HttpReply> Get(HttpClient& client, const std::string& url, Duration timeout = 10s) {
    return client.Get(*ParseUrl(url), Deadline::After(clock_, timeout), clock_, {});
  }
  Result<HttpReply> Get(const TestPeer& peer, HttpClientOptions options) {
    HttpClient client(std::move(options));
    return Get(client, peer.url("https"));
  }
  void ExpectFailure(const Result<HttpReply>& reply, Code code, const char* text) {
    ASSERT_FALSE(reply.ok());
    EXPECT_EQ(reply.error().code, code) << reply.error().what;
    EXPECT_THAT(reply.error().what, HasSubstr(text));
  }

  RealClock clock_;
  std::string folder_;
  const TestCertificate ca_ = MakeCertificate("ca", "", nullptr);
};

TEST_F(HttpClientTlsTest, VerifiesTheAddressOfTheHost) {
  const TestPeer peer(AnswersOverTls({Leaf("IP:127.0.0.1")}, kHello));
  const auto reply = Get(peer, WithCa());
  ASSERT_TRUE(reply.ok()) << reply.error().what;
  EXPECT_EQ(reply->body, "hello");
}

TEST_F(HttpClientTlsTest, VerifiesTheServerNameOfTheOptions) {
  const TestPeer peer(AnswersOverTls({Leaf("DNS:spire.test")}, kHello));
  HttpClientOptions options = WithCa();
  options.tls.server_name = "spire.test";
  const auto reply = Get(peer, options);
  ASSERT_TRUE(reply.ok()) << reply.error().what;
}

TEST_F(HttpClientTlsTest, RefusesAnotherName) {
  const TestPeer peer(AnswersOverTls({Leaf("DNS:other.test")}, kHello));
  ExpectFailure(Get(peer, WithCa()), Code::kUnauthenticated, "IP address mismatch");
  HttpClientOptions options = WithCa();
  options.tls.server_name = "spire.test";
  ExpectFailure(Get(peer, options), Code::kUnauthenticated, "hostname mismatch");
}

TEST_F(HttpClientTlsTest, RefusesAnUnknownAuthority) {
  const TestPeer peer(AnswersOverTls({Leaf("IP:127.0.0.1")}, kHello));
  ExpectFailure(Get(peer, {}), Code::kUnauthenticated, "unable to get local issuer");
}

TEST_F(HttpClientTlsTest, RefusesAnExpiredCertificate) {
  const TestPeer peer(AnswersOverTls({Leaf("IP:127.0.0.1", -60)}, kHello));
  ExpectFailure(Get(peer, WithCa()), Code::kUnauthenticated, "expired");
}

TEST_F(HttpClientTlsTest, RefusesOldVersions) {
  TestTlsOptions old = {Leaf("IP:127.0.0.1")};
  old.max_version = TLS1_1_VERSION;
  const TestPeer peer(AnswersOverTls(old, kHello));
  EXPECT_FALSE(Get(peer, WithCa()).ok());
}

TEST_F(HttpClientTlsTest, SaysSoWhenThePeerSpeaksPlainHttp) {
  const TestPeer peer([](int fd) {
    SendAll(fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    WaitForClose(fd);
  });
  ExpectFailure(Get(peer, WithCa()), Code::kFailedPrecondition, "does not speak TLS");
}

TEST_F(HttpClientTlsTest, ShowsItsCertificateWhenAsked) {
  TestTlsOptions asking = {Leaf("IP:127.0.0.1")};
  asking.client_ca = &ca_;
  const TestPeer peer(AnswersOverTls(asking, kHello));
  ExpectFailure(Get(peer, WithCa()), Code::kPermissionDenied, "another certificate of ours");

  const TestCertificate ours = Leaf("DNS:client");
  WriteCertificate(ours, Path("client.pem"));
  WriteKey(ours, Path("client.key"));
  HttpClientOptions options = WithCa();
  options.tls.cert_file = Path("client.pem");
  options.tls.key_file = Path("client.key");
  const auto reply = Get(peer, options);
  ASSERT_TRUE(reply.ok()) << reply.error().what;
}

TEST_F(HttpClientTlsTest, NamesTheFileThatItCannotUse) {
  const TestPeer peer(AnswersOverTls({Leaf("IP:127.0.0.1")}, kHello));
  HttpClientOptions options;
  options.tls.ca_file = Path("missing.pem");
  ExpectFailure(Get(peer, options), Code::kFailedPrecondition, "missing.pem");

  options = WithCa();
  options.tls.cert_file = Path("ca.pem");
  WriteKey(Leaf("DNS:x"), Path("foreign.key"));
  options.tls.key_file = Path("foreign.key");
  ExpectFailure(Get(peer, options), Code::kFailedPrecondition, "foreign.key");
}

// A prompt would hang on the terminal.
TEST_F(HttpClientTlsTest, DoesNotAskForAPassphrase) {
  const TestPeer peer(AnswersOverTls({Leaf("IP:127.0.0.1")}, kHello));
  HttpClientOptions options = WithCa();
  options.tls.cert_file = Path("ca.pem");
  WriteKey(ca_, Path("locked.key"), "secret");
  options.tls.key_file = Path("locked.key");
  ExpectFailure(Get(peer, options), Code::kFailedPrecondition, "locked.key");
}

TEST_F(HttpClientTlsTest, ReadsARotatedFileAgain) {
  const TestCertificate next = MakeCertificate("next", "", nullptr);
  const TestPeer peer(AnswersOverTls({MakeCertificate("leaf", "IP:127.0.0.1", &next)}, kHello));
  HttpClient client(WithCa());
  ExpectFailure(Get(client, peer.url("https")), Code::kUnauthenticated, "certificate");
  WriteCertificate(next, Path("next.pem"));
  std::filesystem::rename(Path("next.pem"), Path("ca.pem"));
  const auto reply = Get(client, peer.url("https"));
  EXPECT_TRUE(reply.ok()) << reply.error().what;
}

TEST_F(HttpClientTlsTest, HungHandshakeDoesNotOutlastTheDeadline) {
  const TestPeer peer(WaitForClose);
  HttpClient client(WithCa());
  const SteadyTime start = clock_.Steady();
  ExpectFailure(Get(client, peer.url("https"), 150ms), Code::kDeadlineExceeded, "TLS handshake");
  EXPECT_LT(clock_.Steady() - start, 250ms);
}

// OpenSSL has 128 of them in a process.
TEST_F(HttpClientTlsTest, ManyConnectionsTakeOneMethodNumberInAll) {
  const TestPeer peer(AnswersOverTls({Leaf("IP:127.0.0.1")}, kHello));
  ASSERT_TRUE(Get(peer, WithCa()).ok());
  const int before = BIO_get_new_index();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Get(peer, WithCa()).ok());
  EXPECT_EQ(BIO_get_new_index(), before + 1);
}

TEST_F(HttpClientTlsTest, EarlyEndIsNoWholeReply) {
  const TestPeer peer(
      AnswersOverTls({Leaf("IP:127.0.0.1")}, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell"));
  ExpectFailure(Get(peer, WithCa()), Code::kUnavailable, "closed by the peer");
}

}  // namespace
}  // namespace spire_exporter
