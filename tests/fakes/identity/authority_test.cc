#include "tests/fakes/identity/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "collectors/clients/spiffe/jwt_svid.h"
#include "collectors/clients/spiffe/x509_svid.h"

namespace spire_exporter::fakes {
namespace {

using spiffe::Verdict;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_seconds;

const sys_seconds kNow{seconds(1'800'000'000)};

Verdict Verify(const Svid& svid, const std::string& root, sys_seconds now) {
  const auto chain = spiffe::SplitCertificates(svid.chain);
  const std::vector<std::string> roots = {root};
  return spiffe::VerifyX509Svid(chain.value(), roots, now);
}

TEST(AuthorityTest, SignsWhatItsRootVerifies) {
  const Authority authority({.now = kNow});
  const Svid svid = authority.Sign(authority.Id("web"), kNow, minutes(4));
  EXPECT_EQ(svid.spiffe_id, "spiffe://example.org/web");
  EXPECT_EQ(Verify(svid, authority.root(), kNow), Verdict::kGood);
  EXPECT_EQ(spiffe::ReadLeaf(svid.chain).value().spiffe_id, svid.spiffe_id);
  EXPECT_EQ(spiffe::ReadLeaf(svid.chain).value().authority_key_id, authority.id());
  EXPECT_EQ(authority.id().size(), 40U);

  const Authority stranger({.now = kNow});
  EXPECT_EQ(Verify(svid, stranger.root(), kNow), Verdict::kUntrusted);
}

TEST(AuthorityTest, BackdatesByTenSecondsAndEndsAtNowPlusTtl) {
  const Authority authority({.now = kNow});
  const Svid svid = authority.SignAgent("a", kNow, minutes(6));
  const spiffe::LeafFacts facts = spiffe::ReadLeaf(svid.chain).value();
  EXPECT_EQ(facts.spiffe_id, "spiffe://example.org/spire/agent/a");
  EXPECT_EQ(facts.not_before, kNow - seconds(10));
  EXPECT_EQ(facts.not_after, kNow + minutes(6));
  EXPECT_EQ(svid.not_after, facts.not_after);
  EXPECT_EQ(Verify(svid, authority.root(), kNow - seconds(10)), Verdict::kGood);
  EXPECT_EQ(Verify(svid, authority.root(), kNow - seconds(11)), Verdict::kNotYetValid);
  EXPECT_EQ(Verify(svid, authority.root(), kNow + minutes(6) + seconds(1)), Verdict::kExpired);
}

TEST(AuthorityTest, NothingOutlivesTheAuthority) {
  const Authority authority({.now = kNow, .ttl = minutes(5)});
  EXPECT_EQ(authority.Sign(authority.Id("web"), kNow, hours(1)).not_after, authority.not_after());
}

TEST(AuthorityTest, AnIntermediateComesWithTheLeaf) {
  const Authority root({.now = kNow});
  const Authority below({.now = kNow}, &root);
  const Svid svid = below.SignServer(kNow, hours(1));
  EXPECT_EQ(spiffe::SplitCertificates(svid.chain).value().size(), 2U);
  EXPECT_EQ(below.root(), root.root());
  EXPECT_EQ(Verify(svid, root.root(), kNow), Verdict::kGood);
}

TEST(AuthorityTest, SignsTokensThatItsKeySetVerifies) {
  const Authority authority({.now = kNow});
  const std::string token = authority.SignJwt(authority.Id("web"), "probe", kNow, minutes(2));
  const spiffe::JwtFacts facts = spiffe::ReadJwt(token).value();
  EXPECT_EQ(facts.subject, "spiffe://example.org/web");
  EXPECT_EQ(facts.key_id, authority.jwt_key().id);
  EXPECT_EQ(facts.issued_at, kNow);
  EXPECT_EQ(facts.expires_at, kNow + minutes(2));
  EXPECT_EQ(spiffe::VerifyJwtSvid(token, authority.Jwks(), "probe", kNow), Verdict::kGood);
  const Authority stranger({.now = kNow});
  EXPECT_EQ(spiffe::VerifyJwtSvid(token, stranger.Jwks(), "probe", kNow), Verdict::kUntrusted);
}

TEST(AuthorityTest, AFileCarriesItWhole) {
  char pattern[] = "/tmp/authority_XXXXXX";
  const std::string folder = mkdtemp(pattern);
  const std::string path = folder + "/server-0.authority";
  const Authority root({.now = kNow});
  const Authority authority({.now = kNow}, &root);
  ASSERT_TRUE(authority.Save(path).ok());
  const auto loaded = Authority::Load(path);
  ASSERT_TRUE(loaded.ok()) << loaded.error().ToString();
  const Svid svid = loaded.value()->Sign(authority.Id("web"), kNow, minutes(4));
  EXPECT_EQ(Verify(svid, root.root(), kNow), Verdict::kGood);
  EXPECT_EQ(loaded.value()->id(), authority.id());
  EXPECT_EQ(loaded.value()->not_after(), authority.not_after());
  const std::string token = loaded.value()->SignJwt(svid.spiffe_id, "probe", kNow, minutes(2));
  EXPECT_EQ(spiffe::VerifyJwtSvid(token, authority.Jwks(), "probe", kNow), Verdict::kGood);

  std::ofstream(path, std::ios::trunc) << "no authority\n";
  EXPECT_EQ(Authority::Load(path).error().code, Code::kDataLoss);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace spire_exporter::fakes
