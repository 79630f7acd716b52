// The server behind TLS, with real clients of every kind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "exporter/http/http_test_server.h"
#include "exporter/http/wire_test_client.h"
#include "exporter/tls/tls_test_client.h"

namespace spire_exporter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Lets everybody in and remembers the last certificate.
class LookingGate final : public HttpGate {
 public:
  Verdict Judge(const Visitor& visitor) override {
    const MutexLock lock(mutex_);
    last_.reset();
    if (visitor.certificate != nullptr) last_ = *visitor.certificate;
    return {};
  }
  int ready_fd() const override { return ready_.get(); }
  std::vector<uint64_t> TakeReady() override { return {}; }
  HttpFields Headers() const override { return {}; }
  std::optional<PeerCertificate> last() {
    const MutexLock lock(mutex_);
    return last_;
  }

 private:
  const UniqueFd ready_{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  Mutex mutex_;
  std::optional<PeerCertificate> last_ GUARDED_BY(mutex_);
};

class HttpTlsTest : public ::testing::Test {
 protected:
  HttpTlsTest() {
    settings_.certificate.file = folder_.path() + "/tls.crt";
    settings_.key.file = folder_.path() + "/tls.key";
    settings_.client_ca.file = folder_.path() + "/ca.crt";
    WriteCertificate(client_authority_, settings_.client_ca.file);
    WriteServer(server_certificate_);
  }
  void WriteServer(const TestCertificate& leaf) {
    WriteCertificate(leaf, settings_.certificate.file);
    WriteKey(leaf, settings_.key.file);
  }
  TestServer& Start(HttpServerOptions options = {}) {
    if (settings_.client_auth == ClientAuth::kNoClientCert) settings_.client_ca = {};
    const Status applied = tls_.Apply(settings_);
    EXPECT_TRUE(applied.ok()) << (applied.ok() ? "" : applied.error().ToString());
    options.tls = &tls_;
    options.gate = &gate_;
    test_ = std::make_unique<TestServer>(options);
    EXPECT_TRUE(test_->status.ok());
    return *test_;
  }
  int Get(const TlsClientOptions& options) {
    return TlsTestClient(test_->address(), options).Get("/metrics");
  }

  TempDirectory folder_;
  TestCertificate authority_ = MakeCertificate("authority", "", nullptr);
  TestCertificate client_authority_ = MakeCertificate("client authority", "", nullptr);
  TestCertificate server_certificate_ = MakeCertificate("server", "IP:127.0.0.1", &authority_);
  TlsSettings settings_;
  RealClock clock_;
  TlsServer tls_{clock_};
  LookingGate gate_;
  std::unique_ptr<TestServer> test_;  // goes first
};

TEST_F(HttpTlsTest, ServesOverBothVersionsAndNoOlderOne) {
  Start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsTestClient client(test_->address(), {.root = &authority_, .max_version = version});
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(SSL_version(client.ssl()), version);
    std::string body;
    EXPECT_EQ(client.Get("/metrics", &body), 200);
    EXPECT_EQ(body, "metric 1\n");
    EXPECT_EQ(client.Get("/nothing"), 404);  // on the same connection
  }
  EXPECT_FALSE(TlsTestClient(test_->address(), {.max_version = TLS1_1_VERSION}).connected());
  EXPECT_TRUE(Eventually([&] { return test_->server->Stats().rejections.tls_failed == 1; }));
}

TEST_F(HttpTlsTest, SendsWhatIsLongerThanTheSocketTakes) {
  Start();
  TlsTestClient client(test_->address(), {});
  std::string body;
  EXPECT_EQ(client.Get("/big", &body), 200);
  EXPECT_EQ(body, std::string(size_t{8} << 20, 'b'));
}

// False when the server has ended the connection.
bool RenewKeys(const TlsTestClient& client, int times) {
  for (int i = 0; i < times; ++i) {
    if (SSL_key_update(client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED) != 1) return false;
    if (SSL_do_handshake(client.ssl()) != 1) return false;
  }
  return true;
}

TEST_F(HttpTlsTest, TakesNewKeysButNoStreamOfThem) {
  Start();
  TlsTestClient usual(test_->address(), {.root = &authority_});
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(RenewKeys(usual, 100));
    EXPECT_EQ(usual.Get("/metrics"), 200);
  }
  // Some 30 bytes each. It would go on for ever, and nobody else would be heard meanwhile.
  TlsTestClient greedy(test_->address(), {.root = &authority_});
  ASSERT_TRUE(greedy.connected());
  EXPECT_FALSE(RenewKeys(greedy, 1'000'000));
  EXPECT_EQ(usual.Get("/metrics"), 200);
}

TEST_F(HttpTlsTest, TellsAPlainClientWhatThePortSpeaks) {
  Start();
  WireClient plain(test_->address());
  ASSERT_TRUE(plain.Send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
  std::string answer;
  ASSERT_TRUE(plain.ReadToEnd(&answer));
  EXPECT_THAT(answer, HasSubstr("400 Bad Request"));
  EXPECT_THAT(answer, HasSubstr("This port speaks HTTPS.\n"));
}

TEST_F(HttpTlsTest, ProbeListenersStayPlain) {
  HttpServerOptions options;
  options.probe_listen_addresses = {"127.0.0.1:0"};
  Start(options);
  const std::string probe = test_->server->probe_addresses().at(0);
  EXPECT_EQ(spire_exporter::Get(probe, "/-/healthy").status, 200);
  EXPECT_EQ(spire_exporter::Get(probe, "/metrics").status, 404);
}

struct AuthCase {
  ClientAuth auth;
  bool without, right, other_root, expired;  // who comes in
};

class ClientAuthTest : public HttpTlsTest, public ::testing::WithParamInterface<AuthCase> {};

TEST_P(ClientAuthTest, LetsInWhomItShould) {
  settings_.client_auth = GetParam().auth;
  Start();
  const auto right = MakeCertificate("right", "URI:spiffe://a.test/x", &client_authority_);
  const auto expired = MakeCertificate("old", "URI:spiffe://a.test/x", &client_authority_, -60);
  const auto other = MakeCertificate("other", "URI:spiffe://a.test/x", &authority_);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    EXPECT_EQ(Get({.max_version = version}) == 200, GetParam().without);
    EXPECT_EQ(Get({.certificate = &right, .max_version = version}) == 200, GetParam().right);
    EXPECT_EQ(Get({.certificate = &other, .max_version = version}) == 200, GetParam().other_root);
    EXPECT_EQ(Get({.certificate = &expired, .max_version = version}) == 200, GetParam().expired);
  }
}

TEST_P(ClientAuthTest, SaysVerifiedOnlyOfWhatWasVerified) {
  settings_.client_auth = GetParam().auth;
  Start();
  const auto right =
      MakeCertificate("right", "URI:spiffe://a.test/x,DNS:b.test", &client_authority_);
  ASSERT_EQ(Get({.certificate = &right}), 200);
  const auto seen = gate_.last();
  ASSERT_EQ(seen.has_value(), GetParam().auth != ClientAuth::kNoClientCert);
  if (!seen) return;
  EXPECT_EQ(seen->verified, !GetParam().other_root);
  EXPECT_EQ(SpiffeIdOf(*seen), "spiffe://a.test/x");
  EXPECT_THAT(seen->dns_names, ElementsAre("b.test"));
}

INSTANTIATE_TEST_SUITE_P(
    All, ClientAuthTest,
    ::testing::Values(AuthCase{ClientAuth::kNoClientCert, true, true, true, true},
                      AuthCase{ClientAuth::kRequestClientCert, true, true, true, true},
                      AuthCase{ClientAuth::kRequireAnyClientCert, false, true, true, true},
                      AuthCase{ClientAuth::kVerifyClientCertIfGiven, true, true, false, false},
                      AuthCase{ClientAuth::kRequireAndVerifyClientCert, false, true, false,
                               false}));

TEST_F(HttpTlsTest, TakesTheCiphersAndCurvesItIsToldAndNoOthers) {
  settings_.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"};
  settings_.curves = {"CurveP256"};
  Start();
  const TlsClientOptions right{
      .max_version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384", .groups = "P-256"};
  EXPECT_EQ(Get(right), 200);
  TlsClientOptions other = right;
  other.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
  EXPECT_EQ(Get(other), 0);
  other = right;
  other.groups = "X25519";
  EXPECT_EQ(Get(other), 0);
}

TEST_F(HttpTlsTest, ResumesSessionsButNotAcrossAChangeOfRoots) {
  settings_.client_auth = ClientAuth::kRequireAndVerifyClientCert;
  Start();
  const auto right = MakeCertificate("right", "URI:spiffe://a.test/x", &client_authority_);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsClientOptions options{.certificate = &right, .max_version = version};
    TlsTestClient first(test_->address(), options);
    ASSERT_EQ(first.Get("/metrics"), 200);
    TlsClientOptions again = options;
    again.resume = first.TakeSession();
    TlsTestClient second(test_->address(), again);
    EXPECT_EQ(second.Get("/metrics"), 200);
    EXPECT_TRUE(second.resumed());
    ASSERT_TRUE(gate_.last().has_value());
    EXPECT_TRUE(gate_.last()->verified);  // what the ticket says of it

    WriteCertificate(authority_, settings_.client_ca.file);
    ASSERT_TRUE(tls_.Refresh().ok());
    TlsTestClient third(test_->address(), again);
    EXPECT_EQ(third.Get("/metrics"), 0);
    SSL_SESSION_free(again.resume);
    WriteCertificate(client_authority_, settings_.client_ca.file);
    ASSERT_TRUE(tls_.Refresh().ok());
  }
}

// One byte, a whole greeting without what comes after, and nothing at all.
TEST_F(HttpTlsTest, AConnectionOutlivesOurCertificateAndNotItsOwnRoot) {
  settings_.client_auth = ClientAuth::kRequireAndVerifyClientCert;
  Start();
  const TestCertificate client = MakeCertificate("client", "DNS:client.test", &client_authority_);
  TlsTestClient kept(test_->address(), {.certificate = &client});
  ASSERT_EQ(kept.Get("/metrics"), 200);
  WriteServer(MakeCertificate("renewed", "IP:127.0.0.1", &authority_));
  ASSERT_TRUE(tls_.Refresh().ok());
  EXPECT_EQ(kept.Get("/metrics"), 200);
  WriteCertificate(authority_, settings_.client_ca.file);
  ASSERT_TRUE(tls_.Refresh().ok());
  EXPECT_EQ(kept.Get("/metrics"), 403);
  EXPECT_EQ(kept.Get("/metrics"), 0) << "closed";
}

TEST_F(HttpTlsTest, AConnectionWithoutACertificateEndsWhereOneIsRequiredNow) {
  settings_.client_auth = ClientAuth::kVerifyClientCertIfGiven;
  Start();
  TlsTestClient kept(test_->address(), {});
  ASSERT_EQ(kept.Get("/metrics"), 200);
  settings_.client_auth = ClientAuth::kRequireAndVerifyClientCert;
  ASSERT_TRUE(tls_.Apply(settings_).ok());
  EXPECT_EQ(kept.Get("/metrics"), 403);
}

TEST_F(HttpTlsTest, UnfinishedHandshakesDoNotKeepScrapesWaiting) {
  HttpServerOptions options;
  options.request_timeout = std::chrono::milliseconds(1500);
  Start(options);
  // The first flight of a client, taken from a client.
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_client_method()),
                                                             SSL_CTX_free);
  const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context.get()), SSL_free);
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_connect(ssl.get());
  char* hello = nullptr;
  const long hello_size = BIO_get_mem_data(SSL_get_wbio(ssl.get()), &hello);
  ASSERT_GT(hello_size, 100);

  std::vector<WireClient> hanging;
  for (int i = 0; i < 450; ++i) {
    hanging.emplace_back(test_->address(), "127.0.0.2");
    ASSERT_TRUE(hanging.back().connected());
    if (i % 3 == 1) hanging.back().Send("\x16");
    if (i % 3 == 2) hanging.back().Send({hello, static_cast<size_t>(hello_size)});
    if (i % 90 == 0) {
      EXPECT_EQ(Get({.root = &authority_}), 200);
    }
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Get({.root = &authority_}), 200);
  EXPECT_TRUE(Eventually([&] {
    const HttpRejections seen = test_->server->Stats().rejections;
    return seen.tls_timeout == 450;
  })) << test_->server->Stats().rejections.tls_timeout;
}

TEST_F(HttpTlsTest, NoScrapeFailsWhileCertificatesAreRotatedAHundredTimes) {
  Start();
  std::atomic<bool> over{false};
  std::atomic<int> failed{0};
  std::atomic<int> fresh{0};
  std::atomic<int> kept{0};
  std::thread on_new_connections([&] {
    while (!over.load()) {
      failed += Get({.root = &authority_}) != 200;
      ++fresh;
    }
  });
  std::thread on_one_connection([&] {
    TlsTestClient client(test_->address(), {.root = &authority_});
    while (!over.load()) {
      failed += client.Get("/metrics") != 200;
      ++kept;
    }
  });
  for (int i = 0; i < 100; ++i) {
    // As a careful writer does not: first one file, then the other, so that they do not fit
    // meanwhile.
    const auto next = MakeCertificate("server", "IP:127.0.0.1", &authority_);
    WriteCertificate(next, settings_.certificate.file);
    EXPECT_FALSE(tls_.Refresh().ok());
    WriteKey(next, settings_.key.file);
    EXPECT_TRUE(tls_.Refresh().ok());
    const int before = fresh.load();
    ASSERT_TRUE(Eventually([&] { return fresh.load() > before; }));
  }
  over = true;
  on_new_connections.join();
  on_one_connection.join();
  EXPECT_EQ(failed.load(), 0);
  EXPECT_EQ(tls_.state().generation, 101u);
  EXPECT_GT(kept.load(), 100);
}

}  // namespace
}  // namespace spire_exporter
