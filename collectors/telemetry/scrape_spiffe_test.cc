// SPIRE's endpoint where it asks for an SVID (SPIRE 1.15.2 and newer: use_spire_svid,
// authorized_spiffe_ids).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <csignal>

#include "collectors/clients/http/test_tls_peer.h"
#include "collectors/telemetry/scrape_collector.h"
#include "exporter/base/mutex.h"

namespace spire_exporter::telemetry {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr char kPage[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: 23\r\n\r\n"
    "spire_server_started 1\n";

class IgnoringSink final : public ScrapeSink {
 public:
  void Deliver(std::shared_ptr<const ScrapedPage>) override {}
};

class ScrapeSpiffeTest : public ::testing::Test {
 protected:
  ScrapeSpiffeTest() {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL's own sockets, at the other side
    options_.spiffe_socket = "/run/a.sock";
    options_.spiffe_server_id = "spiffe://example.org/spire/agent/**";
  }
  spire::X509Context Context() const {
    const TestCertificate us = MakeCertificate("us", "URI:spiffe://example.org/us", &root_);
    spire::X509Context context;
    context.svids.push_back({"spiffe://example.org/us", DerOf(us), KeyDerOf(us), DerOf(root_), ""});
    return context;
  }
  // The agent's first word is `message`, and then none.
  OpenWorkload Agent(Result<spire::X509Context> message) {
    return [this, message](const std::string& socket, const Clock& clock) {
      opened_.push_back(socket);
      return Result<std::shared_ptr<WorkloadCertificates>>(std::make_shared<WorkloadCertificates>(
          [message](const std::stop_token& stop, const auto& handler) {
            handler(message);
            Mutex mutex;
            std::condition_variable_any never;
            const MutexLock lock(mutex);
            never.wait(mutex, stop, [] { return false; });
          },
          clock, std::function<void()>()));
    };
  }
  TestPeer Endpoint(const char* id) const {
    return TestPeer(AnswersOverTls({MakeCertificate("spire", id, &root_), &root_}, kPage));
  }
  Status Collect(const TestPeer& endpoint, OpenWorkload agent) {
    options_.url = endpoint.url("https");
    const auto collector = MakeScrapeCollector(options_, sink_, std::move(agent));
    const auto reading = collector->Collect({Deadline::After(clock_, 10s), {}, clock_, facts_});
    return reading.ok() ? Status() : Status(reading.error());
  }

  RealClock clock_;
  FactsBoard facts_;
  IgnoringSink sink_;
  const TestCertificate root_ = MakeCertificate("root", "", nullptr);
  ScrapeOptions options_;
  std::vector<std::string> opened_;
};

TEST_F(ScrapeSpiffeTest, ReadsThePageWithAnSvidAtTheFirstCall) {
  const TestPeer endpoint = Endpoint("URI:spiffe://example.org/spire/agent/join_token/x");
  const Status collected = Collect(endpoint, Agent(Context()));
  EXPECT_TRUE(collected.ok()) << collected.error().what;
  EXPECT_THAT(opened_, ::testing::ElementsAre("/run/a.sock"));
}

TEST_F(ScrapeSpiffeTest, TakesNobodyElseForSpire) {
  const TestPeer endpoint = Endpoint("URI:spiffe://example.org/ns/a/sa/b");
  const Status collected = Collect(endpoint, Agent(Context()));
  ASSERT_FALSE(collected.ok());
  EXPECT_EQ(collected.error().code, Code::kUnauthenticated);
  EXPECT_THAT(collected.error().what, HasSubstr("another SPIFFE ID"));
}

TEST_F(ScrapeSpiffeTest, SaysWhatTheWorkloadApiSaid) {
  const TestPeer endpoint = Endpoint("URI:spiffe://example.org/spire/agent/join_token/x");
  const Status collected =
      Collect(endpoint, Agent(Error{Code::kPermissionDenied, "no identity issued", "", true}));
  ASSERT_FALSE(collected.ok());
  EXPECT_THAT(collected.error().what, HasSubstr("no SVID from the Workload API: no identity"));
}

}  // namespace
}  // namespace spire_exporter::telemetry
