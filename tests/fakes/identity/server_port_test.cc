#include "tests/fakes/identity/server_port.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/clients/spiffe/x509_svid.h"
#include "collectors/clients/spire/server_port.h"

namespace spire_exporter::fakes {
namespace {

using spire::ServerStage;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

class ServerPortTest : public testing::Test {
 protected:
  ServerPortTest() {
    auto started = FakeServerPort::Start("127.0.0.1:0", authority_.SignServer(now_, hours(1)),
                                         BundleAnswer::Of({&authority_}));
    if (!started.ok()) throw std::runtime_error(started.error().ToString());
    fake_ = std::move(started).value();
    address_ = ParseAddress(fake_->port());
  }

  static SocketAddress ParseAddress(uint16_t port);
  spire::Call Soon(Duration timeout = seconds(20)) const {
    return {Deadline::After(clock_, timeout), {}, clock_};
  }
  spiffe::Verdict Verify(const std::vector<std::string>& chain, const Authority& authority) const {
    const std::vector<std::string> roots = {authority.root()};
    return spiffe::VerifyX509Svid(chain, roots, clock_.System());
  }

  const RealClock clock_;
  const sys_seconds now_ = std::chrono::floor<seconds>(clock_.System());
  const Authority authority_{{.now = now_}};
  std::unique_ptr<FakeServerPort> fake_;
  SocketAddress address_;
};

SocketAddress ServerPortTest::ParseAddress(uint16_t port) {
  SocketAddress address;
  auto* const inet = reinterpret_cast<sockaddr_in*>(&address.storage);
  inet->sin_family = AF_INET;
  inet->sin_port = htons(port);
  inet->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.size = sizeof(sockaddr_in);
  return address;
}

TEST_F(ServerPortTest, ShakesHandsWithItsSvid) {
  const spire::HandshakeOutcome outcome = ShakeHands(address_, Soon());
  ASSERT_TRUE(outcome.result.ok()) << outcome.result.error().ToString();
  EXPECT_EQ(outcome.ended, ServerStage::kDone);
  EXPECT_EQ(outcome.result.value().protocol, "TLSv1.3");
  EXPECT_EQ(outcome.result.value().alpn, "h2");
  const auto& chain = outcome.result.value().chain;
  ASSERT_EQ(chain.size(), 1U);
  EXPECT_EQ(spiffe::ReadLeaf(chain[0]).value().spiffe_id, "spiffe://example.org/spire/server");
  EXPECT_EQ(Verify(chain, authority_), spiffe::Verdict::kGood);
}

TEST_F(ServerPortTest, ServesItsBundleToEverybody) {
  const auto served = GetBundle(address_, Soon());
  ASSERT_TRUE(served.ok()) << served.error().ToString();
  EXPECT_EQ(served.value().bundle.trust_domain, "example.org");
  EXPECT_THAT(served.value().certificates, testing::ElementsAre(authority_.root()));
  ASSERT_EQ(served.value().bundle.authorities.size(), 2U);
  EXPECT_EQ(served.value().bundle.authorities[0].id, authority_.id());
  EXPECT_EQ(served.value().bundle.authorities[1].id, authority_.jwt_key().id);
  EXPECT_EQ(served.value().bundle.authorities[1].not_after, authority_.not_after());
  EXPECT_EQ(fake_->bundles_asked(), 1U);
}

TEST_F(ServerPortTest, ShowsAnotherChainFromTheNextConnectionOn) {
  const Authority root({.now = now_});
  const Authority below({.now = now_}, &root);
  fake_->Show(below.SignServer(now_, hours(1)));
  const auto outcome = ShakeHands(address_, Soon());
  ASSERT_TRUE(outcome.result.ok());
  EXPECT_EQ(outcome.result.value().chain.size(), 2U);
  EXPECT_EQ(Verify(outcome.result.value().chain, authority_), spiffe::Verdict::kUntrusted);
  EXPECT_EQ(Verify(outcome.result.value().chain, root), spiffe::Verdict::kGood);
}

TEST_F(ServerPortTest, TheBundleFailsAndHangsWhileHandsAreShaken) {
  fake_->FailBundle(Code::kInternal, "failed to fetch bundle");
  EXPECT_EQ(GetBundle(address_, Soon()).error().code, Code::kInternal);
  fake_->FailBundle(Code::kOk);
  fake_->HangBundle(true);
  EXPECT_EQ(GetBundle(address_, Soon(milliseconds(300))).error().code, Code::kDeadlineExceeded);
  EXPECT_TRUE(ShakeHands(address_, Soon()).result.ok());
  fake_->HangBundle(false);
  EXPECT_TRUE(GetBundle(address_, Soon()).ok());
}

TEST_F(ServerPortTest, FailsBelowGrpc) {
  ASSERT_TRUE(fake_->wire().Fail(WireFault::kRefuse).ok());
  auto outcome = ShakeHands(address_, Soon());
  EXPECT_EQ(outcome.ended, ServerStage::kConnect);
  EXPECT_EQ(outcome.result.error().code, Code::kUnavailable);
  for (const WireFault fault : {WireFault::kAcceptOnly, WireFault::kDrip}) {
    ASSERT_TRUE(fake_->wire().Fail(fault).ok());
    outcome = ShakeHands(address_, Soon(milliseconds(300)));
    EXPECT_EQ(outcome.ended, ServerStage::kTls);
    EXPECT_EQ(outcome.result.error().code, Code::kDeadlineExceeded);
  }
  ASSERT_TRUE(fake_->wire().Fail(WireFault::kReset).ok());
  EXPECT_EQ(ShakeHands(address_, Soon()).result.error().code, Code::kUnavailable);
  ASSERT_TRUE(fake_->wire().Fail(WireFault::kNone).ok());
  EXPECT_TRUE(GetBundle(address_, Soon()).ok());
}

TEST_F(ServerPortTest, LongBundlesAreRefused) {
  BundleAnswer answer = BundleAnswer::Of({&authority_});
  answer.padding = size_t{100} << 20;
  fake_->Serve(std::move(answer));
  EXPECT_EQ(GetBundle(address_, Soon()).error().code, Code::kResourceExhausted);
}

TEST_F(ServerPortTest, OtherMethodsAreDenied) {
  // Of the many, one that is open to nobody without a certificate.
  EXPECT_EQ(fake_->Ask("/spire.api.server.entry.v1.Entry/ListEntries"), Code::kPermissionDenied);
  EXPECT_EQ(fake_->denied(), 1U);
}

}  // namespace
}  // namespace spire_exporter::fakes
