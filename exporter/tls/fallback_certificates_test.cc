#include <gtest/gtest.h>

#include "exporter/tls/fake_workload_source.h"
#include "exporter/tls/tls_server.h"

namespace spire_exporter {
namespace {

class FallbackCertificatesTest : public ::testing::Test {
 protected:
  FallbackCertificatesTest() : clock_(RealClock().System()) {
    settings_.spiffe.emplace();
    TlsSettings files;
    files.certificate.inline_text = PemOf(other_);
    files.key.inline_text = KeyPemOf(other_);
    second_ = std::make_shared<FileCertificates>(files);
  }
  CertificateOrigin OriginNow() {
    EXPECT_TRUE(server_.Refresh().ok());
    return server_.state().origin;
  }

  ManualClock clock_;
  const TestCertificate root_ = MakeCertificate("root", "", nullptr);
  const TestCertificate svid_ =
      MakeCertificate("svid", "URI:spiffe://example.org/exporter", &root_, 100);
  const TestCertificate other_ = MakeCertificate("other", "DNS:exporter.test", nullptr);
  std::shared_ptr<FakeWorkloadSource> first_ = std::make_shared<FakeWorkloadSource>();
  std::shared_ptr<CertificateSource> second_;
  TlsSettings settings_;
  TlsServer server_{clock_};
};

TEST_F(FallbackCertificatesTest, ServesBeforeTheFirstSvidAndAfterTheLast) {
  const auto both = std::make_shared<FallbackCertificates>(first_, second_, clock_);
  ASSERT_TRUE(server_.Apply(settings_, both).ok());
  EXPECT_EQ(OriginNow(), CertificateOrigin::kFallback);
  first_->Serve(SvidMaterial(svid_, root_));
  EXPECT_EQ(OriginNow(), CertificateOrigin::kWorkloadApi);
  clock_.Advance(std::chrono::seconds(99));
  EXPECT_EQ(OriginNow(), CertificateOrigin::kWorkloadApi);
  clock_.Advance(std::chrono::seconds(2));
  EXPECT_EQ(OriginNow(), CertificateOrigin::kFallback);
  clock_.StepSystem(std::chrono::seconds(-60));  // the clock was wrong, not the SVID
  EXPECT_EQ(OriginNow(), CertificateOrigin::kWorkloadApi);
  clock_.StepSystem(std::chrono::hours(1));
  EXPECT_EQ(OriginNow(), CertificateOrigin::kFallback);
  const TestCertificate fresh =
      MakeCertificate("fresh", "URI:spiffe://example.org/exporter", &root_, 7200);
  first_->Serve(SvidMaterial(fresh, root_));
  EXPECT_EQ(OriginNow(), CertificateOrigin::kWorkloadApi);
}

TEST_F(FallbackCertificatesTest, KeepsTheBundlesThatCameLast) {
  FallbackCertificates both(first_, second_, clock_);
  first_->Serve(SvidMaterial(svid_, root_));
  clock_.Advance(std::chrono::hours(1));
  const Result<TlsMaterial> now = both.Load();
  ASSERT_TRUE(now.ok());
  EXPECT_EQ(now->certificate, PemOf(other_));
  EXPECT_EQ(now->trust_domain, "example.org");
  EXPECT_EQ(now->spiffe_roots.at("example.org"), PemOf(root_));
}

TEST_F(FallbackCertificatesTest, AnEndedSvidIsBetterThanNothing) {
  TlsSettings missing;
  missing.certificate.file = missing.key.file = "/nonexistent/tls.crt";
  FallbackCertificates both(first_, std::make_shared<FileCertificates>(missing), clock_);
  first_->Serve(SvidMaterial(svid_, root_));
  clock_.Advance(std::chrono::hours(1));
  const Result<TlsMaterial> now = both.Load();
  ASSERT_TRUE(now.ok());
  EXPECT_EQ(now->origin, CertificateOrigin::kWorkloadApi);
}

TEST_F(FallbackCertificatesTest, ASourceThatWaitsIsTakenAndNothingIsAccepted) {
  ASSERT_TRUE(server_.Apply(settings_, first_).ok());
  EXPECT_TRUE(server_.Refresh().ok());
  EXPECT_EQ(server_.state().generation, 0u);
  EXPECT_EQ(server_.Accept(0), nullptr);
  first_->Serve(SvidMaterial(svid_, root_));
  EXPECT_TRUE(server_.Refresh().ok());
  EXPECT_EQ(server_.state().generation, 1u);
  EXPECT_NE(server_.Accept(0), nullptr);
  EXPECT_NEAR(server_.state().not_after_seconds, UnixSeconds(clock_.System()) + 100, 5);
}

TEST_F(FallbackCertificatesTest, WhatCannotBeServedLeavesTheLastSvidInForce) {
  ASSERT_TRUE(server_.Apply(settings_, first_).ok());
  first_->Serve(SvidMaterial(svid_, root_));
  ASSERT_TRUE(server_.Refresh().ok());
  TlsMaterial bad = SvidMaterial(svid_, root_);
  bad.key = KeyPemOf(other_);
  first_->Serve(bad);
  EXPECT_FALSE(server_.Refresh().ok());
  EXPECT_FALSE(server_.state().refreshed);
  EXPECT_EQ(server_.state().generation, 1u);
  EXPECT_NE(server_.Accept(0), nullptr);
}

}  // namespace
}  // namespace spire_exporter
