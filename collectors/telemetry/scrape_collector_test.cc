#include "collectors/telemetry/scrape_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <vector>

#include "collectors/clients/http/test_peer.h"

namespace spire_exporter::telemetry {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class KeepingSink final : public ScrapeSink {
 public:
  void Deliver(std::shared_ptr<const ScrapedPage> page) override { pages.push_back(page); }
  bool StreamSpeaks() override { return speaks; }
  std::vector<std::shared_ptr<const ScrapedPage>> pages;
  bool speaks = false;
};

std::string Captured() {
  std::ifstream file(HOUSE_TESTDATA "/captures/1.15.3/server.metrics.txt", std::ios::binary);
  EXPECT_TRUE(file);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string Reply(const std::string& body, const std::string& type = "text/plain; version=0.0.4") {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class ScrapeCollectorTest : public ::testing::Test {
 protected:
  Result<Reading> Collect(const std::string& url, Duration timeout = 10s,
                          std::stop_token stop = {}) {
    ScrapeOptions options;
    options.url = url;
    options.prefix = prefix_;
    const auto collector = MakeScrapeCollector(options, sink_);
    const Deadline deadline = Deadline::After(clock_, timeout);
    auto reading = collector->Collect({deadline, std::move(stop), clock_, facts_});
    late_ = clock_.Steady() - deadline.at();
    return reading;
  }
  Error Failure(const std::string& url, Duration timeout = 10s) {
    const auto reading = Collect(url, timeout);
    EXPECT_FALSE(reading.ok());
    EXPECT_TRUE(sink_.pages.empty());
    return reading.ok() ? Error{} : reading.error();
  }
  void ExpectGivesUpInTime(const std::string& url) {
    EXPECT_EQ(Failure(url, 150ms).code, Code::kDeadlineExceeded);
    EXPECT_LT(late_, 100ms);
  }

  RealClock clock_;
  FactsBoard facts_;
  KeepingSink sink_;
  std::string prefix_;
  Duration late_{};
};

TEST_F(ScrapeCollectorTest, DeliversSpiresPage) {
  const std::string body = Captured();
  const TestPeer peer(Answers(Reply(body)));
  auto reading = Collect(peer.url());
  ASSERT_TRUE(reading.ok()) << reading.error().what;
  ASSERT_EQ(sink_.pages.size(), 1u);
  const ScrapedPage& page = *sink_.pages[0];
  EXPECT_GT(page.series.size(), 100u);
  EXPECT_LE(page.asked, page.received);
  const FamilyList families = reading->families.Take();
  ASSERT_EQ(families.size(), 4u);
  EXPECT_EQ(families[0].description->name, "spire_exporter_telemetry_scrape_serving_seconds_total");
  EXPECT_EQ(families[0].series[0].value, Seconds(page.received - page.asked));
  EXPECT_EQ(families[1].series[0].value, 15) << "no polling was asked for";
  EXPECT_EQ(families[2].description->name, "spire_exporter_telemetry_scrape_bytes");
  EXPECT_EQ(families[2].series[0].value, static_cast<double>(body.size()));
  EXPECT_EQ(families[3].series[0].value, static_cast<double>(page.series.size()));
}

TEST_F(ScrapeCollectorTest, ReadsThePageMoreOftenWhileTheStreamIsSilent) {
  ScrapeOptions options;
  options.poll = 1s;
  const TestPeer peer(Answers(Reply(Captured())));
  options.url = peer.url();
  const auto collector = MakeScrapeCollector(options, sink_);
  const auto collect = [&] {
    return collector->Collect({Deadline::After(clock_, 10s), {}, clock_, facts_}).ok();
  };
  ASSERT_TRUE(collect());
  // One second where the page took up to 4 ms, which a loaded machine may not keep to.
  EXPECT_GE(collector->Period(), 1s);
  const double took = Seconds(sink_.pages[0]->received - sink_.pages[0]->asked);
  EXPECT_NEAR(Seconds(collector->Period()), std::min(15.0, std::max(1.0, took / 0.004)), 1e-6);
  sink_.speaks = true;
  ASSERT_TRUE(collect());
  EXPECT_EQ(collector->Period(), 15s);
}

TEST_F(ScrapeCollectorTest, KnowsSpireByACustomPrefix) {
  const TestPeer peer(Answers(Reply("# TYPE acme_eu_started gauge\nacme_eu_started 1\n")));
  EXPECT_EQ(Failure(peer.url()).code, Code::kFailedPrecondition);
  prefix_ = "acme-eu";
  EXPECT_TRUE(Collect(peer.url()).ok());
}

TEST_F(ScrapeCollectorTest, SaysSoWhenThePageIsNotSpires) {
  {
    const TestPeer peer(Answers(Reply("<html></html>", "text/html")));
    const Error error = Failure(peer.url());
    EXPECT_EQ(error.code, Code::kFailedPrecondition);
    EXPECT_THAT(error.what, HasSubstr("not SPIRE's metrics page: it is \"text/html\""));
  }
  {
    const TestPeer peer(Answers(Reply("<html></html>")));
    EXPECT_THAT(Failure(peer.url()).what, HasSubstr("line 1: no metric name"));
  }
  {
    const TestPeer peer(Answers(Reply("# TYPE node_load1 gauge\nnode_load1 1\n")));
    EXPECT_THAT(Failure(peer.url()).what, HasSubstr("no spire_server_*"));
  }
  {
    const TestPeer peer(Answers(Reply("")));
    EXPECT_EQ(Failure(peer.url()).code, Code::kFailedPrecondition);
  }
  {
    const TestPeer peer(Answers("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_THAT(Failure(peer.url()).what, HasSubstr("answered 404"));
  }
}

TEST_F(ScrapeCollectorTest, ADamagedPageIsNotDelivered) {
  const TestPeer peer(Answers(Reply(Captured() + "spire_server_x{ 1\n")));
  EXPECT_EQ(Failure(peer.url()).code, Code::kDataLoss);
}

TEST_F(ScrapeCollectorTest, BlackHole) {
  const TestListener listener(false, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(listener.port());
  std::vector<UniqueFd> queued;  // fill the queue, so that the kernel drops what more comes
  for (int i = 0; i < 4; ++i) {
    queued.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    connect(queued.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  ExpectGivesUpInTime("http://127.0.0.1:" + std::to_string(listener.port()) + "/");
}

TEST_F(ScrapeCollectorTest, AcceptsOnly) {
  const TestPeer peer(WaitForClose);
  ExpectGivesUpInTime(peer.url());
}

TEST_F(ScrapeCollectorTest, DripsAPage) {
  const TestPeer peer(Drips("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n", "#"));
  ExpectGivesUpInTime(peer.url());
}

TEST_F(ScrapeCollectorTest, ResetsTheConnection) {
  const TestPeer peer(Resets);
  EXPECT_EQ(Failure(peer.url()).code, Code::kUnavailable);
}

TEST_F(ScrapeCollectorTest, StoppedProcess) {
  TestListener listener;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    for (;;) pause();
  }
  kill(child, SIGSTOP);
  int status = 0;
  waitpid(child, &status, WUNTRACED);
  listener.Close();
  ExpectGivesUpInTime("http://127.0.0.1:" + std::to_string(listener.port()) + "/");
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
}

TEST_F(ScrapeCollectorTest, ShutdownEndsAScrapeAtOnce) {
  std::stop_source stop;
  const TestPeer peer([&](int fd) {
    ReadRequest(fd);
    stop.request_stop();
    WaitForClose(fd);
  });
  const auto reading = Collect(peer.url(), 60s, stop.get_token());
  ASSERT_FALSE(reading.ok());
  EXPECT_EQ(reading.error().code, Code::kCancelled);
  EXPECT_LT(late_, -50s);
}

TEST_F(ScrapeCollectorTest, CutsOffAHugeBody) {
  const TestPeer peer([](int fd) {
    ReadRequest(fd);
    if (!SendAll(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")) return;
    const std::string block(64 * 1024, '#');
    for (size_t sent = 0; sent < 100u << 20 && SendAll(fd, block); sent += block.size()) {
    }
  });
  EXPECT_EQ(Failure(peer.url()).code, Code::kResourceExhausted);
}

TEST_F(ScrapeCollectorTest, FingerprintTellsOptionsApart) {
  ScrapeOptions one;
  one.url = "http://127.0.0.1:1/";
  ScrapeOptions other = one;
  EXPECT_EQ(MakeScrapeCollector(one, sink_)->Fingerprint(),
            MakeScrapeCollector(other, sink_)->Fingerprint());
  other.server_name = "x";
  EXPECT_NE(MakeScrapeCollector(one, sink_)->Fingerprint(),
            MakeScrapeCollector(other, sink_)->Fingerprint());
}

TEST_F(ScrapeCollectorTest, CheckSaysWhatMendsIt) {
  ScrapeOptions options;
  uint16_t port = 0;
  {
    const TestListener listener;
    port = listener.port();
  }
  options.url = "http://127.0.0.1:" + std::to_string(port) + "/";
  const CheckLine bad = CheckScrape(options, clock_, Deadline::After(clock_, 5s));
  EXPECT_FALSE(bad.good);
  EXPECT_THAT(bad.detail, HasSubstr("refused"));
  EXPECT_THAT(bad.remedy, HasSubstr("Prometheus"));

  const TestPeer peer(Answers(Reply(Captured())));
  options.url = peer.url();
  const CheckLine good = CheckScrape(options, clock_, Deadline::After(clock_, 5s));
  EXPECT_TRUE(good.good) << good.detail;
  EXPECT_TRUE(good.remedy.empty());
}

}  // namespace
}  // namespace spire_exporter::telemetry
