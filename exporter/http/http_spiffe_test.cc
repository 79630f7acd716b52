// The server behind SPIFFE mTLS, with a Workload API that serves what the test says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "exporter/http/http_test_server.h"
#include "exporter/http/wire_test_client.h"
#include "exporter/tls/fake_workload_source.h"
#include "exporter/tls/tls_server.h"
#include "exporter/tls/tls_test_client.h"

namespace spire_exporter {
namespace {

constexpr const char* kExporter = "URI:spiffe://example.org/exporter";
constexpr const char* kPrometheus = "URI:spiffe://example.org/prometheus";
constexpr const char* kPartner = "URI:spiffe://partner.test/prometheus";

// Runs as the real one, with a calendar that can be put forward.
class CalendarClock final : public Clock {
 public:
  SteadyTime Steady() const override { return real_.Steady(); }
  SystemTime System() const override {
    return real_.System() + std::chrono::seconds(ahead_seconds_.load());
  }
  void PutForward(int seconds) { ahead_seconds_ = seconds; }

 private:
  RealClock real_;
  std::atomic<int> ahead_seconds_{0};
};

class HttpSpiffeTest : public ::testing::Test {
 protected:
  HttpSpiffeTest() {
    settings_.spiffe.emplace().foreign_trust_domains = {"partner.test"};
    settings_.client_auth = ClientAuth::kRequireAndVerifyClientCert;
  }
  void Start() {
    EXPECT_TRUE(tls_.Apply(settings_, source_).ok());
    HttpServerOptions options;
    options.tls = &tls_;
    options.probe_listen_addresses = {"127.0.0.1:0"};
    test_ = std::make_unique<TestServer>(options, &clock_);
    ASSERT_TRUE(test_->status.ok());
  }
  void Serve(const TestCertificate& leaf, const TestCertificate& root) {
    TlsMaterial material = SvidMaterial(leaf, root);
    material.spiffe_roots["partner.test"] = PemOf(partner_);
    source_->Serve(std::move(material));
    EXPECT_TRUE(tls_.Refresh().ok());
  }
  int Get(const TestCertificate* client, const TestCertificate* root = nullptr) {
    return TlsTestClient(test_->address(), {.root = root, .certificate = client}).Get("/metrics");
  }

  const TestCertificate root_ = MakeCertificate("root", "", nullptr);
  const TestCertificate partner_ = MakeCertificate("partner", "", nullptr);
  const TestCertificate svid_ = MakeCertificate("svid", kExporter, &root_);
  const TestCertificate client_ = MakeCertificate("client", kPrometheus, &root_);
  CalendarClock clock_;
  TlsSettings settings_;
  std::shared_ptr<FakeWorkloadSource> source_ = std::make_shared<FakeWorkloadSource>();
  TlsServer tls_{clock_};
  std::unique_ptr<TestServer> test_;  // goes first
};

TEST_F(HttpSpiffeTest, AnswersHandshakesFromTheFirstSvidOn) {
  Start();
  EXPECT_EQ(Get(&client_), 0);
  EXPECT_EQ(spire_exporter::Get(test_->server->probe_addresses().at(0), "/-/healthy").status, 200);
  Serve(svid_, root_);
  EXPECT_EQ(Get(&client_, &root_), 200);
}

TEST_F(HttpSpiffeTest, LetsInSvidsOfTheRightRootsOnly) {
  Start();
  Serve(svid_, root_);
  const TestCertificate foreign = MakeCertificate("foreign", kPartner, &partner_);
  const TestCertificate posing = MakeCertificate("posing", kPrometheus, &partner_);
  const TestCertificate claimed = MakeCertificate("claimed", kPartner, &root_);
  const TestCertificate expired = MakeCertificate("expired", kPrometheus, &root_, -1);
  const TestCertificate nameless = MakeCertificate("nameless", "DNS:prometheus.test", &root_);
  EXPECT_EQ(Get(&client_), 200);
  EXPECT_EQ(Get(&foreign), 200);
  for (const TestCertificate* bad : {&posing, &claimed, &expired, &nameless}) {
    EXPECT_EQ(Get(bad), 0);
  }
  EXPECT_EQ(Get(nullptr), 0);
}

TEST_F(HttpSpiffeTest, ARootThatLeavesTheBundleLetsNobodyInAnyMore) {
  Start();
  Serve(svid_, root_);
  TlsClientOptions options{.certificate = &client_};
  TlsTestClient before(test_->address(), options);
  ASSERT_EQ(before.Get("/metrics"), 200);
  options.resume = before.TakeSession();
  TlsTestClient again(test_->address(), options);
  EXPECT_EQ(again.Get("/metrics"), 200);
  EXPECT_FALSE(again.resumed()) << "a ticket would outlive an SVID";
  SSL_SESSION_free(options.resume);

  const TestCertificate next_root = MakeCertificate("next root", "", nullptr);
  Serve(MakeCertificate("svid", kExporter, &next_root), next_root);
  EXPECT_EQ(Get(&client_), 0);
  const TestCertificate next_client = MakeCertificate("client", kPrometheus, &next_root);
  EXPECT_EQ(Get(&next_client, &next_root), 200);
}

TEST_F(HttpSpiffeTest, AnEndedSvidIsRefusedOnAConnectionThatLives) {
  Start();
  Serve(svid_, root_);
  TlsTestClient kept(test_->address(), {.certificate = &client_});
  // Before an answer, after which the connection would be closed as an idle one.
  clock_.PutForward(3700);
  std::string says;
  EXPECT_EQ(kept.Get("/metrics", &says), 403);
  EXPECT_THAT(says, ::testing::HasSubstr("has ended"));
  EXPECT_EQ(kept.Get("/metrics"), 0) << "closed";
  EXPECT_EQ(test_->server->Stats().rejections.denied, 1u);
  EXPECT_EQ(test_->metrics.calls(), 0);
}

// So that who has a new one by then shows it, and no scrape is refused.
TEST_F(HttpSpiffeTest, AnIdleConnectionIsClosedWhenItsSvidEnds) {
  Start();
  Serve(svid_, root_);
  TlsTestClient kept(test_->address(), {.certificate = &client_});
  ASSERT_EQ(kept.Get("/metrics"), 200);
  clock_.PutForward(3597);
  EXPECT_EQ(kept.Get("/metrics"), 200);
  char none = 0;
  EXPECT_LE(SSL_read(kept.ssl(), &none, 1), 0) << "far sooner than an idle connection is closed";
  EXPECT_EQ(test_->server->Stats().rejections.denied, 0u);
  EXPECT_EQ(test_->server->Stats().rejections.idle_timeout, 1u);
}

TEST_F(HttpSpiffeTest, AConnectionLivesAsLongAsTheRootThatVerifiedItIsTrusted) {
  Start();
  Serve(svid_, root_);
  TlsTestClient kept(test_->address(), {.certificate = &client_});
  const TestCertificate partner_client = MakeCertificate("federated", kPartner, &partner_);
  TlsTestClient federated(test_->address(), {.certificate = &partner_client});
  ASSERT_EQ(kept.Get("/metrics"), 200);
  ASSERT_EQ(federated.Get("/metrics"), 200);
  Serve(MakeCertificate("svid", kExporter, &root_), root_);
  EXPECT_EQ(kept.Get("/metrics"), 200) << "renewed";
  const TestCertificate next_root = MakeCertificate("next root", "", nullptr);
  TlsMaterial next = SvidMaterial(MakeCertificate("svid", kExporter, &next_root), next_root);
  next.spiffe_roots["example.org"] += PemOf(root_);
  next.spiffe_roots["partner.test"] = PemOf(partner_);
  source_->Serve(next);
  ASSERT_TRUE(tls_.Refresh().ok());
  EXPECT_EQ(kept.Get("/metrics"), 200) << "the old root is still in the bundle";
  Serve(MakeCertificate("svid", kExporter, &next_root), next_root);
  EXPECT_EQ(kept.Get("/metrics"), 403);
  EXPECT_EQ(kept.Get("/metrics"), 0) << "closed";
  EXPECT_EQ(federated.Get("/metrics"), 200) << "another trust domain's root has not changed";
}

// Whoever looks without verifying sees the page; whoever verifies does not.
TEST_F(HttpSpiffeTest, ServesAnEndedSvidRatherThanNothing) {
  settings_.client_auth = ClientAuth::kVerifyClientCertIfGiven;
  Start();
  Serve(MakeCertificate("svid", kExporter, &root_, -60), root_);
  EXPECT_EQ(Get(nullptr), 200);
  EXPECT_EQ(Get(nullptr, &root_), 0);
}

TEST_F(HttpSpiffeTest, AFallbackBringsRootsOfItsOwnWhileItIsInForce) {
  const TestCertificate backup_root = MakeCertificate("backup root", "", nullptr);
  const TestCertificate backup_client =
      MakeCertificate("backup", "DNS:prometheus.test", &backup_root);
  TlsMaterial fallback = SvidMaterial(MakeCertificate("x", "DNS:x.test", &backup_root), root_);
  fallback.client_ca = PemOf(backup_root);
  Start();
  source_->Serve(fallback);
  ASSERT_TRUE(tls_.Refresh().ok());
  EXPECT_EQ(Get(&backup_client, &backup_root), 200);
  EXPECT_EQ(Get(&client_), 200) << "the bundle holds as well";
  Serve(svid_, root_);
  EXPECT_EQ(Get(&backup_client), 0);
  EXPECT_EQ(Get(&client_, &root_), 200);
}

// What is trusted for its own names is not trusted for a trust domain's.
TEST_F(HttpSpiffeTest, AFallbackVouchesForNobodyOfATrustDomain) {
  const TestCertificate backup_root = MakeCertificate("backup root", "", nullptr);
  TlsMaterial fallback = SvidMaterial(MakeCertificate("x", "DNS:x.test", &backup_root), root_);
  fallback.client_ca = PemOf(backup_root);
  Start();
  source_->Serve(fallback);
  ASSERT_TRUE(tls_.Refresh().ok());
  const auto get_as = [&](const std::string& names) {
    const TestCertificate client = MakeCertificate("client", names, &backup_root);
    return Get(&client);
  };
  EXPECT_EQ(get_as(kPrometheus), 0);
  EXPECT_EQ(get_as(kPartner), 0) << "named by a rule, and without a bundle as yet";
  EXPECT_EQ(get_as(std::string(kPrometheus) + ",URI:https://x.test"), 0) << "no SVID, and says so";
  EXPECT_EQ(get_as("URI:spiffe://mesh.test/prometheus"), 200) << "an ID that nobody asks for";
  EXPECT_EQ(get_as("DNS:prometheus.test"), 200);
}

TEST_F(HttpSpiffeTest, NoScrapeFailsWhileSvidAndRootsAreRotatedAHundredTimes) {
  Start();
  Serve(svid_, root_);
  std::atomic<bool> over{false};
  std::atomic<int> failed{0};
  std::atomic<int> fresh{0};
  std::atomic<int> kept{0};
  std::thread on_new_connections([&] {
    while (!over.load()) {
      failed += Get(&client_, &root_) != 200;
      ++fresh;
    }
  });
  std::thread on_one_connection([&] {
    TlsTestClient client(test_->address(), {.root = &root_, .certificate = &client_});
    while (!over.load()) {
      failed += client.Get("/metrics") != 200;
      ++kept;
    }
  });
  for (int i = 0; i < 100; ++i) {
    // The bundle gains and loses a root beside the one in use, as when an authority is prepared.
    TlsMaterial next = SvidMaterial(MakeCertificate("svid", kExporter, &root_), root_);
    if (i % 2 == 0) next.spiffe_roots["example.org"] += PemOf(partner_);
    source_->Serve(std::move(next));
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
