#include "collectors/clients/spiffe/x509_svid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/clients/spiffe/test_identity.h"

namespace spire_exporter::spiffe {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr sys_seconds kStart{seconds(1'800'000'000)};
constexpr sys_seconds kNow = kStart + seconds(600);
constexpr sys_seconds kYear1{seconds(-62'135'596'800)};
constexpr sys_seconds kYear9999{seconds(253'402'300'799)};

TestCertificateOptions Authority(const std::string& name = "SPIRE") {
  TestCertificateOptions options;
  options.common_name = name;
  options.uris = {"spiffe://example.org"};
  options.ca = true;
  options.not_before = kStart - seconds(10);
  options.not_after = kStart + seconds(86'400);
  return options;
}

TestCertificateOptions Workload() {
  TestCertificateOptions options;
  options.common_name = "shop";
  options.uris = {"spiffe://example.org/ns/shop"};
  options.not_before = kStart;
  options.not_after = kStart + seconds(3600);
  return options;
}

class X509SvidTest : public testing::Test {
 protected:
  Verdict Judge(const TestCertificateOptions& leaf, SystemTime now = kNow) const {
    return VerifyX509Svid(std::vector{IssueTestCertificate(leaf, &root_).der},
                          std::vector{root_.der}, now);
  }

  const TestIssued root_ = IssueTestCertificate(Authority());
};

TEST_F(X509SvidTest, AcceptsWhatSpireIssues) {
  EXPECT_EQ(Judge(Workload()), Verdict::kGood);
}

TEST_F(X509SvidTest, AcceptsNamesOfOtherKindsBesideTheId) {
  auto leaf = Workload();
  leaf.dns_names = {"shop.example.org"};
  EXPECT_EQ(Judge(leaf), Verdict::kGood);
}

TEST_F(X509SvidTest, GoesByTheTimeItIsGiven) {
  EXPECT_EQ(Judge(Workload(), kStart - seconds(1)), Verdict::kNotYetValid);
  EXPECT_EQ(Judge(Workload(), kStart + seconds(1)), Verdict::kGood);
  EXPECT_EQ(Judge(Workload(), kStart + seconds(3599)), Verdict::kGood);
  EXPECT_EQ(Judge(Workload(), kStart + seconds(3601)), Verdict::kExpired);
  EXPECT_EQ(Judge(Workload(), SystemTime(seconds(0))), Verdict::kNotYetValid);
}

TEST_F(X509SvidTest, SaysExpiredWhenTheAuthorityIs) {
  auto leaf = Workload();
  leaf.not_after = kYear9999;
  EXPECT_EQ(Judge(leaf, kStart + seconds(86'401)), Verdict::kExpired);
  EXPECT_EQ(Judge(leaf, kNow), Verdict::kGood);
}

TEST_F(X509SvidTest, SurvivesAbsurdLifetimes) {
  auto leaf = Workload();
  leaf.not_before = kYear1;
  leaf.not_after = kYear9999;
  EXPECT_EQ(Judge(leaf), Verdict::kGood);
  const auto facts = ReadLeaf(IssueTestCertificate(leaf, &root_).der);
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts->not_before, sys_seconds());
  EXPECT_EQ(facts->not_after, kYear9999);

  leaf.not_before = kStart + seconds(3600);
  leaf.not_after = kStart;  // ends before it begins
  EXPECT_THAT(Judge(leaf), testing::AnyOf(Verdict::kExpired, Verdict::kNotYetValid));
}

TEST_F(X509SvidTest, FindsTheWayThroughIntermediates) {
  auto middle = Authority("intermediate");
  const TestIssued upper = IssueTestCertificate(middle, &root_);
  middle.common_name = "lower";
  const TestIssued lower = IssueTestCertificate(middle, &upper);
  const TestIssued leaf = IssueTestCertificate(Workload(), &lower);
  EXPECT_EQ(
      VerifyX509Svid(std::vector{leaf.der, lower.der, upper.der}, std::vector{root_.der}, kNow),
      Verdict::kGood);
  EXPECT_EQ(VerifyX509Svid(std::vector{leaf.der, lower.der}, std::vector{root_.der}, kNow),
            Verdict::kUntrusted);
  // What a bundle holds is trusted, its own root or not.
  EXPECT_EQ(VerifyX509Svid(std::vector{leaf.der}, std::vector{lower.der}, kNow), Verdict::kGood);
}

TEST_F(X509SvidTest, SaysExpiredWhenAnIntermediateIs) {
  auto middle = Authority("intermediate");
  middle.not_after = kNow - seconds(1);
  const TestIssued upper = IssueTestCertificate(middle, &root_);
  const TestIssued leaf = IssueTestCertificate(Workload(), &upper);
  EXPECT_EQ(VerifyX509Svid(std::vector{leaf.der, upper.der}, std::vector{root_.der}, kNow),
            Verdict::kExpired);
}

TEST_F(X509SvidTest, ALeafSignedByALeafIsUntrusted) {
  const TestIssued first = IssueTestCertificate(Workload(), &root_);
  auto options = Workload();
  options.uris = {"spiffe://example.org/ns/admin"};
  const TestIssued second = IssueTestCertificate(options, &first);
  EXPECT_EQ(VerifyX509Svid(std::vector{second.der, first.der}, std::vector{root_.der}, kNow),
            Verdict::kUntrusted);
}

TEST_F(X509SvidTest, TrustsNobodyElse) {
  const TestIssued leaf = IssueTestCertificate(Workload(), &root_);
  const TestIssued stranger = IssueTestCertificate(Authority());  // of the same name
  EXPECT_EQ(VerifyX509Svid(std::vector{leaf.der}, std::vector{stranger.der}, kNow),
            Verdict::kUntrusted);
  EXPECT_EQ(VerifyX509Svid(std::vector{leaf.der}, {}, kNow), Verdict::kUntrusted);
  // A chain does not vouch for itself.
  EXPECT_EQ(VerifyX509Svid(std::vector{leaf.der, root_.der}, std::vector{stranger.der}, kNow),
            Verdict::kUntrusted);
}

TEST_F(X509SvidTest, ALeafThatWasTamperedWithIsUntrusted) {
  std::string der = IssueTestCertificate(Workload(), &root_).der;
  der[der.rfind("shop")] = 'S';
  EXPECT_EQ(VerifyX509Svid(std::vector{der}, std::vector{root_.der}, kNow), Verdict::kUntrusted);
}

TEST_F(X509SvidTest, PicksTheRightRootOfManyThatLookAlike) {
  auto options = Authority();
  options.key_ids = false;
  std::vector<std::string> roots;
  std::vector<TestIssued> made;
  for (unsigned i = 0; i < 8; ++i) {
    options.serial = 100 + i;
    made.push_back(IssueTestCertificate(options));
    roots.push_back(made.back().der);
  }
  auto leaf = Workload();
  leaf.key_ids = false;
  for (const TestIssued& root : made) {
    EXPECT_EQ(VerifyX509Svid(std::vector{IssueTestCertificate(leaf, &root).der}, roots, kNow),
              Verdict::kGood);
  }
  EXPECT_EQ(VerifyX509Svid(std::vector{IssueTestCertificate(leaf, &made[5]).der}, roots,
                           kStart + seconds(3601)),
            Verdict::kExpired);
}

TEST_F(X509SvidTest, ExpiredAndBrokenRootsBesideTheRightOneDoNotHurt) {
  auto old = Authority();
  old.not_after = kStart - seconds(1);
  const TestIssued expired = IssueTestCertificate(old);
  old.key = &root_;  // the same key, certified anew since
  const TestIssued predecessor = IssueTestCertificate(old);
  const TestIssued leaf = IssueTestCertificate(Workload(), &root_);
  EXPECT_EQ(VerifyX509Svid(std::vector{leaf.der},
                           std::vector{expired.der, predecessor.der, std::string("garbage"),
                                       std::string(), root_.der},
                           kNow),
            Verdict::kGood);
}

TEST_F(X509SvidTest, KnowsWhatIsNoSvid) {
  const auto malformed = [&](auto change) {
    auto leaf = Workload();
    change(&leaf);
    return Judge(leaf) == Verdict::kMalformed;
  };
  EXPECT_TRUE(malformed([](auto* leaf) { leaf->uris.clear(); }));
  EXPECT_TRUE(malformed([](auto* leaf) { leaf->uris.push_back("spiffe://example.org/other"); }));
  EXPECT_TRUE(malformed([](auto* leaf) { leaf->uris.push_back("https://example.org/"); }));
  EXPECT_TRUE(malformed([](auto* leaf) { leaf->uris = {"spiffe://example.org"}; }));
  EXPECT_TRUE(malformed([](auto* leaf) { leaf->uris = {"https://example.org/ns/shop"}; }));
  EXPECT_TRUE(malformed([](auto* leaf) { leaf->ca = true; }));
  EXPECT_TRUE(malformed([](auto* leaf) { leaf->key_usage = ""; }));
  EXPECT_TRUE(malformed([](auto* leaf) { leaf->key_usage = "critical,keyAgreement"; }));
  EXPECT_TRUE(
      malformed([](auto* leaf) { leaf->key_usage = "critical,digitalSignature,keyCertSign"; }));
  EXPECT_TRUE(malformed([](auto* leaf) { leaf->key_usage = "critical,digitalSignature,cRLSign"; }));
  EXPECT_FALSE(malformed([](auto* leaf) { leaf->key_usage = "critical,digitalSignature"; }));
}

TEST_F(X509SvidTest, RefusesACriticalExtensionThatNobodyKnows) {
  auto leaf = Workload();
  leaf.unknown_critical = "1.3.6.1.4.1.55555.1";
  EXPECT_EQ(Judge(leaf), Verdict::kUntrusted);
}

TEST_F(X509SvidTest, GarbageIsMalformed) {
  const std::string leaf = IssueTestCertificate(Workload(), &root_).der;
  const std::vector roots{root_.der};
  EXPECT_EQ(VerifyX509Svid({}, roots, kNow), Verdict::kMalformed);
  EXPECT_EQ(VerifyX509Svid(std::vector<std::string>{"garbage"}, roots, kNow), Verdict::kMalformed);
  EXPECT_EQ(VerifyX509Svid(std::vector{leaf.substr(0, leaf.size() - 1)}, roots, kNow),
            Verdict::kMalformed);
  EXPECT_EQ(VerifyX509Svid(std::vector{leaf + "x"}, roots, kNow), Verdict::kMalformed);
  EXPECT_EQ(VerifyX509Svid(std::vector{leaf, std::string("x")}, roots, kNow), Verdict::kMalformed);
  EXPECT_EQ(VerifyX509Svid(std::vector<std::string>(17, leaf), roots, kNow), Verdict::kMalformed);
}

TEST_F(X509SvidTest, TellsWhatALeafSays) {
  const auto facts = ReadLeaf(IssueTestCertificate(Workload(), &root_).der + root_.der);
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts->spiffe_id, "spiffe://example.org/ns/shop");
  EXPECT_EQ(facts->not_before, kStart);
  EXPECT_EQ(facts->not_after, kStart + seconds(3600));
  EXPECT_EQ(facts->authority_key_id.size(), 40U);
  EXPECT_FALSE(facts->ca);

  const auto authority = ReadLeaf(root_.der);
  ASSERT_TRUE(authority.ok());
  EXPECT_EQ(authority->spiffe_id, "spiffe://example.org");
  EXPECT_EQ(authority->authority_key_id, "");
  EXPECT_TRUE(authority->ca);

  auto two = Workload();
  two.uris.push_back("spiffe://example.org/other");
  EXPECT_EQ(ReadLeaf(IssueTestCertificate(two).der)->spiffe_id, "");
  EXPECT_EQ(ReadLeaf("garbage").error().code, Code::kDataLoss);
  EXPECT_EQ(ReadLeaf("").error().code, Code::kDataLoss);
}

TEST_F(X509SvidTest, TakesARowOfCertificatesApart) {
  const std::string leaf = IssueTestCertificate(Workload(), &root_).der;
  const auto split = SplitCertificates(leaf + root_.der + leaf);
  ASSERT_TRUE(split.ok());
  EXPECT_THAT(*split, testing::ElementsAre(leaf, root_.der, leaf));
  EXPECT_TRUE(SplitCertificates("")->empty());
  EXPECT_EQ(SplitCertificates(leaf + "x").error().code, Code::kDataLoss);
  EXPECT_EQ(SplitCertificates(leaf + leaf.substr(1)).error().code, Code::kDataLoss);
}

TEST_F(X509SvidTest, BoundsWhatItTakesApart) {
  std::string row;
  for (int i = 0; i < 100; ++i) row += root_.der;
  EXPECT_EQ(SplitCertificates(row)->size(), 100U);
  EXPECT_EQ(SplitCertificates(row + root_.der).error().code, Code::kResourceExhausted);

  auto fat = Workload();
  for (int i = 0; i < 2000; ++i) fat.dns_names.push_back(std::string(40, 'a') + ".example.org");
  const std::string der = IssueTestCertificate(fat, &root_).der;
  ASSERT_GT(der.size(), size_t{64} << 10);
  EXPECT_EQ(SplitCertificates(der).error().code, Code::kResourceExhausted);
  EXPECT_EQ(Judge(fat), Verdict::kMalformed);
}

TEST(TrustFingerprintTest, IsOfTheSetAndNotOfItsOrder) {
  const std::string ab = TrustFingerprint(std::vector<std::string>{"a", "b"});
  EXPECT_EQ(ab.size(), 12U);
  EXPECT_EQ(ab.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(TrustFingerprint(std::vector<std::string>{"b", "a", "b"}), ab);
  EXPECT_NE(TrustFingerprint(std::vector<std::string>{"a"}), ab);
  EXPECT_NE(TrustFingerprint(std::vector<std::string>{"ab"}), ab);
  EXPECT_NE(TrustFingerprint(std::vector<std::string>{"a", "b", "c"}), ab);
  EXPECT_NE(TrustFingerprint({}), ab);
}

TEST(VerdictTest, HasNamesForLabels) {
  EXPECT_EQ(VerdictName(Verdict::kGood), "good");
  EXPECT_EQ(VerdictName(Verdict::kExpired), "expired");
  EXPECT_EQ(VerdictName(Verdict::kNotYetValid), "not_yet_valid");
  EXPECT_EQ(VerdictName(Verdict::kUntrusted), "untrusted");
  EXPECT_EQ(VerdictName(Verdict::kMalformed), "malformed");
}

}  // namespace
}  // namespace spire_exporter::spiffe
