#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "collectors/clients/http/http_client.h"
#include "collectors/clients/http/test_tls_peer.h"
#include "exporter/tls/fake_workload_source.h"

namespace spire_exporter {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kServer = "URI:spiffe://example.org/spire/server";
constexpr const char* kExporter = "URI:spiffe://example.org/exporter";

class HttpClientSpiffeTest : public ::testing::Test {
 protected:
  HttpClientSpiffeTest() {
    // The server side of these tests writes through OpenSSL's own sockets, which raise it.
    std::signal(SIGPIPE, SIG_IGN);
    source_->Serve(SvidMaterial(MakeCertificate("us", kExporter, &root_), root_));
    options_.tls.spiffe.source = source_;
    options_.tls.spiffe.trust_domain = "example.org";
    options_.tls.spiffe.is_who = [](std::string_view id) {
      return id == "spiffe://example.org/spire/server";
    };
  }
  Result<HttpReply> Get(HttpClient& client, const TestPeer& peer) {
    return client.Get(*ParseUrl(peer.url("https")), Deadline::After(clock_, 10s), clock_, {});
  }
  Result<HttpReply> GetFrom(const TestCertificate& server) {
    const TestPeer peer(AnswersOverTls({server, &root_}, kHello));
    HttpClient client(options_);
    return Get(client, peer);
  }
  // The code, and no SPIFFE ID in what it says.
  Code FailureFrom(const TestCertificate& server) {
    const auto reply = GetFrom(server);
    if (reply.ok()) return Code::kOk;
    EXPECT_THAT(reply.error().what, Not(HasSubstr("spiffe://")));
    return reply.error().code;
  }

  RealClock clock_;
  const TestCertificate root_ = MakeCertificate("root", "", nullptr);
  const TestCertificate partner_ = MakeCertificate("partner", "", nullptr);
  std::shared_ptr<FakeWorkloadSource> source_ = std::make_shared<FakeWorkloadSource>();
  HttpClientOptions options_;
};

TEST_F(HttpClientSpiffeTest, ShowsTheSvidAndTakesTheServerByItsId) {
  const auto reply = GetFrom(MakeCertificate("server", kServer, &root_));
  ASSERT_TRUE(reply.ok()) << reply.error().what;
  EXPECT_EQ(reply->body, "hello");
}

TEST_F(HttpClientSpiffeTest, RefusesAnotherIdOtherRootsAndTheEnded) {
  EXPECT_EQ(FailureFrom(MakeCertificate("x", "URI:spiffe://example.org/other", &root_)),
            Code::kUnauthenticated);
  EXPECT_EQ(FailureFrom(MakeCertificate("x", kServer, &partner_)), Code::kUnauthenticated);
  EXPECT_EQ(FailureFrom(MakeCertificate("x", kServer, &root_, -1)), Code::kUnauthenticated);
  EXPECT_EQ(FailureFrom(MakeCertificate("x", "IP:127.0.0.1", &root_)), Code::kUnauthenticated);
}

TEST_F(HttpClientSpiffeTest, VerifiesAForeignServerByItsOwnBundle) {
  TlsMaterial material = SvidMaterial(MakeCertificate("us", kExporter, &root_), root_);
  material.spiffe_roots["partner.test"] = PemOf(partner_);
  source_->Serve(std::move(material));
  options_.tls.spiffe.is_who = [](std::string_view) { return true; };
  const TestCertificate theirs = MakeCertificate("x", "URI:spiffe://partner.test/x", &partner_);
  EXPECT_EQ(FailureFrom(theirs), Code::kUnauthenticated) << "not whose server is meant";
  options_.tls.spiffe.trust_domain = "partner.test";
  EXPECT_EQ(FailureFrom(theirs), Code::kOk);
  EXPECT_EQ(FailureFrom(MakeCertificate("x", "URI:spiffe://partner.test/x", &root_)),
            Code::kUnauthenticated);
}

TEST_F(HttpClientSpiffeTest, TakesANewSvidForTheNextConnection) {
  const TestCertificate next = MakeCertificate("next", "", nullptr);
  const TestPeer peer(AnswersOverTls({MakeCertificate("server", kServer, &next), &next}, kHello));
  HttpClient client(options_);
  EXPECT_FALSE(Get(client, peer).ok());
  source_->Serve(SvidMaterial(MakeCertificate("us", kExporter, &next), next));
  const auto reply = Get(client, peer);
  EXPECT_TRUE(reply.ok()) << reply.error().what;
}

TEST_F(HttpClientSpiffeTest, SaysSoWhileThereIsNoSvid) {
  options_.tls.spiffe.source = std::make_shared<FakeWorkloadSource>();
  const auto reply = GetFrom(MakeCertificate("server", kServer, &root_));
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, Code::kUnavailable);
  EXPECT_THAT(reply.error().what, HasSubstr("no SVID"));
}

TEST_F(HttpClientSpiffeTest, SaysSoWhenItsSvidIsNotTaken) {
  source_->Serve(SvidMaterial(MakeCertificate("us", kExporter, &root_, -1), root_));
  const auto reply = GetFrom(MakeCertificate("server", kServer, &root_));
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, Code::kPermissionDenied) << reply.error().what;
}

}  // namespace
}  // namespace spire_exporter
