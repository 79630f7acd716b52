#include "exporter/tls/spiffe_roots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509.h>

#include "exporter/tls/fake_workload_source.h"

namespace spire_exporter {
namespace {

using ::testing::HasSubstr;
using Peer = SpiffeRoots::Peer;

constexpr const char* kOurs = "URI:spiffe://example.org/ns/a/sa/b";
constexpr const char* kTheirs = "URI:spiffe://partner.test/ns/a/sa/b";

class SpiffeRootsTest : public ::testing::Test {
 protected:
  SpiffeRootsTest() { material_.spiffe_roots["partner.test"] = PemOf(partner_); }
  long Verify(const TestCertificate& leaf, const std::vector<std::string>& foreign = {},
              const TestCertificate* between = nullptr) {
    const auto roots = SpiffeRoots::Make(material_, foreign);
    EXPECT_TRUE(roots.ok());
    const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> chain(
        sk_X509_new_null(), [](STACK_OF(X509) * all) { sk_X509_free(all); });
    if (between != nullptr) sk_X509_push(chain.get(), between->certificate.get());
    id_.clear();
    return (*roots)->Verify(leaf.certificate.get(), chain.get(), Peer::kClient, &id_);
  }

  const TestCertificate root_ = MakeCertificate("root", "", nullptr);
  const TestCertificate partner_ = MakeCertificate("partner", "", nullptr);
  TlsMaterial material_ = SvidMaterial(MakeCertificate("us", kOurs, &root_), root_);
  std::string id_;
};

TEST_F(SpiffeRootsTest, TakesAnSvidOfTheTrustDomain) {
  EXPECT_EQ(Verify(MakeCertificate("leaf", kOurs, &root_)), X509_V_OK);
  EXPECT_EQ(id_, "spiffe://example.org/ns/a/sa/b");
}

TEST_F(SpiffeRootsTest, TakesForeignTrustDomainsOnlyWhereTheyAreNamed) {
  const TestCertificate leaf = MakeCertificate("leaf", kTheirs, &partner_);
  EXPECT_EQ(Verify(leaf), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
  EXPECT_EQ(id_, "");
  EXPECT_EQ(Verify(leaf, {"partner.test"}), X509_V_OK);
  EXPECT_EQ(id_, "spiffe://partner.test/ns/a/sa/b");
}

// The point of it all: being trusted for one's own names is not being trusted for others'.
TEST_F(SpiffeRootsTest, NoRootVouchesForAnotherTrustDomain) {
  EXPECT_NE(Verify(MakeCertificate("leaf", kOurs, &partner_), {"partner.test"}), X509_V_OK);
  EXPECT_NE(Verify(MakeCertificate("leaf", kTheirs, &root_), {"partner.test"}), X509_V_OK);
  EXPECT_NE(Verify(MakeCertificate("leaf", "URI:spiffe://other.test/x", &root_)), X509_V_OK);
}

TEST_F(SpiffeRootsTest, TakesAWayOverAnIntermediateAuthority) {
  const TestCertificate between = MakeCertificate("between", "", &root_, 3600, true);
  const TestCertificate leaf = MakeCertificate("leaf", kOurs, &between);
  EXPECT_EQ(Verify(leaf, {}, &between), X509_V_OK);
  EXPECT_NE(Verify(leaf), X509_V_OK);
}

TEST_F(SpiffeRootsTest, RefusesWhatIsNoSvidOfAWorkload) {
  const TestCertificate leaf = MakeCertificate("workload", kOurs, &root_);
  for (const char* names : {"", "DNS:a.test", "URI:https://example.org/a",
                            "URI:spiffe://example.org/a,URI:spiffe://example.org/b"}) {
    EXPECT_EQ(Verify(MakeCertificate("leaf", names, &root_)), X509_V_ERR_INVALID_PURPOSE) << names;
  }
  EXPECT_EQ(Verify(MakeCertificate("ca", kOurs, &root_, 3600, true)), X509_V_ERR_INVALID_PURPOSE);
  EXPECT_NE(Verify(MakeCertificate("below a leaf", kOurs, &leaf), {}, &leaf), X509_V_OK);
}

TEST_F(SpiffeRootsTest, RefusesWhatHasEndedOrNotBegun) {
  EXPECT_EQ(Verify(MakeCertificate("old", kOurs, &root_, -1)), X509_V_ERR_CERT_HAS_EXPIRED);
  TestCertificate early = MakeCertificate("early", kOurs, &root_);
  X509_gmtime_adj(X509_getm_notBefore(early.certificate.get()), 600);
  X509_sign(early.certificate.get(), root_.key.get(), EVP_sha256());
  EXPECT_EQ(Verify(early), X509_V_ERR_CERT_NOT_YET_VALID);
}

TEST_F(SpiffeRootsTest, NamesTheBundleThatCannotBeRead) {
  material_.spiffe_roots["example.org"] = "nothing";
  const auto roots = SpiffeRoots::Make(material_, {});
  ASSERT_FALSE(roots.ok());
  EXPECT_THAT(roots.error().what, HasSubstr("bundle of example.org: no certificates"));
  material_.spiffe_roots["example.org"] = PemOf(root_);
  material_.spiffe_roots["partner.test"] = "nothing";
  EXPECT_TRUE(SpiffeRoots::Make(material_, {}).ok()) << "who is not let in does not matter";
}

}  // namespace
}  // namespace spire_exporter
