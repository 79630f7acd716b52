#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "collectors/agent/health_collector.h"
#include "collectors/clients/http/test_peer.h"

namespace spire_exporter::agent {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::string Reply(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " x\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

// Answers each of the two paths on its own.
std::function<void(int)> ByPath(std::string live, std::string ready) {
  return [live = std::move(live), ready = std::move(ready)](int fd) {
    SendAll(fd, ReadRequest(fd).starts_with("GET /live ") ? live : ready);
  };
}

constexpr char kWell[] = "{\"agent\":{}}\n";
constexpr char kNotAttested[] =
    "{\"agent\":{\"make_new_x509_err\":\"workload api is unavailable\"}}";

class HealthWireTest : public ::testing::Test {
 protected:
  // The state of `live` and of `ready`, `live/ready`.
  std::string Collect(std::string url, Duration timeout = 10s) {
    AgentOptions options;
    url.pop_back();
    options.health_url = std::move(url);
    const auto collector = MakeHealthCollector(options);
    const Deadline deadline = Deadline::After(clock_, timeout);
    auto reading = collector->Collect({deadline, {}, clock_, facts_});
    late_ = clock_.Steady() - deadline.at();
    if (!reading.ok()) return reading.error().what;
    problem_ = reading->problem.ok() ? std::nullopt : std::optional(reading->problem.error());
    std::map<std::string, std::string> states;
    for (const Family& family : reading->families.Take()) {
      for (const Series& series : family.series) {
        if (series.value == 0) continue;
        states[std::string(series.labels->Get("check"))] = series.labels->Get("state");
      }
    }
    return states["live"] + "/" + states["ready"];
  }

  RealClock clock_;
  FactsBoard facts_;
  Duration late_{};
  std::optional<Error> problem_;
};

TEST_F(HealthWireTest, TellsBothEndpointsApart) {
  const TestPeer peer(ByPath(Reply(200, kWell), Reply(500, kNotAttested)));
  EXPECT_EQ(Collect(peer.url()), "ok/not_attested");
  EXPECT_FALSE(problem_.has_value()) << "an agent that is not well is no failure of ours";
}

TEST_F(HealthWireTest, AskedOnThePathsOfTheConfiguration) {
  std::string requests;
  {
    const TestPeer peer([&requests](int fd) {
      requests += ReadRequest(fd);
      SendAll(fd, Reply(200, kWell));
    });
    EXPECT_EQ(Collect(peer.url()), "ok/ok");
  }
  EXPECT_THAT(requests, HasSubstr("GET /live HTTP/1.1"));
  EXPECT_THAT(requests, HasSubstr("GET /ready HTTP/1.1"));
}

TEST_F(HealthWireTest, NobodyThere) {
  uint16_t port = 0;
  {
    const TestListener listener;
    port = listener.port();
  }
  EXPECT_EQ(Collect("http://127.0.0.1:" + std::to_string(port) + "/"), "unreachable/unreachable");
  ASSERT_TRUE(problem_.has_value());
  EXPECT_EQ(problem_->code, Code::kUnavailable);
}

TEST_F(HealthWireTest, AHundredMegabytesEndAtTheLimit) {
  const TestPeer peer([](int fd) {
    ReadRequest(fd);
    SendAll(fd, "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n");
    const std::string block(1 << 20, 'x');
    for (int i = 0; i < 100 && SendAll(fd, block); ++i) continue;
  });
  EXPECT_EQ(Collect(peer.url()), "foreign/foreign");
  EXPECT_LT(late_, -5s) << "long before the deadline";
}

TEST_F(HealthWireTest, AHundredMegabytesWithoutALengthEndAtTheLimit) {
  const TestPeer peer([](int fd) {
    ReadRequest(fd);
    SendAll(fd, "HTTP/1.1 200 OK\r\n\r\n");
    const std::string block(1 << 20, '{');
    for (int i = 0; i < 100 && SendAll(fd, block); ++i) continue;
  });
  EXPECT_EQ(Collect(peer.url()), "foreign/foreign");
}

TEST_F(HealthWireTest, ADrippingEndpointEndsAtTheDeadlineAndDoesNotHideTheOther) {
  const TestPeer dripping(Drips("HTTP/1.1 200 OK\r\n\r\n", "x"));
  EXPECT_EQ(Collect(dripping.url(), 200ms), "timeout/timeout");
  EXPECT_LT(late_, 100ms);
  const auto drips = Drips("HTTP/1.1 200 OK\r\n", "y");
  int asked = 0;
  const TestPeer half([&](int fd) {
    if (++asked == 1) {
      drips(fd);
    } else {
      ReadRequest(fd);
      SendAll(fd, Reply(200, kWell));
    }
  });
  EXPECT_EQ(Collect(half.url(), 400ms), "timeout/ok");
  EXPECT_EQ(problem_->code, Code::kDeadlineExceeded);
}

TEST_F(HealthWireTest, SilenceAndResets) {
  const TestPeer silent([](int fd) { WaitForClose(fd); });
  EXPECT_EQ(Collect(silent.url(), 200ms), "timeout/timeout");
  EXPECT_LT(late_, 100ms);
  const TestPeer resets(Resets);
  EXPECT_EQ(Collect(resets.url()), "unreachable/unreachable");
}

TEST_F(HealthWireTest, StopsAtOnce) {
  const TestPeer silent([](int fd) { WaitForClose(fd); });
  AgentOptions options;
  options.health_url = "http://127.0.0.1:" + std::to_string(silent.port());
  std::stop_source stop;
  stop.request_stop();
  const auto reading = MakeHealthCollector(options)->Collect(
      {Deadline::After(clock_, 60s), stop.get_token(), clock_, facts_});
  ASSERT_FALSE(reading.ok());
  EXPECT_EQ(reading.error().code, Code::kCancelled);
}

TEST_F(HealthWireTest, ChecksSayWhatMends) {
  AgentOptions options;
  const TestPeer peer(Answers(Reply(500, kNotAttested)));
  options.health_url = "http://127.0.0.1:" + std::to_string(peer.port());
  const CheckLine line = CheckHealth(options, clock_, Deadline::After(clock_, 5s));
  EXPECT_FALSE(line.good);
  EXPECT_THAT(line.remedy, HasSubstr("not attested"));
  const TestPeer web(Answers(Reply(200, "<html>")));
  options.health_url = "http://127.0.0.1:" + std::to_string(web.port());
  EXPECT_THAT(CheckHealth(options, clock_, Deadline::After(clock_, 5s)).remedy,
              HasSubstr("health_checks"));
  const TestPeer well(Answers(Reply(200, kWell)));
  options.health_url = "http://127.0.0.1:" + std::to_string(well.port());
  EXPECT_TRUE(CheckHealth(options, clock_, Deadline::After(clock_, 5s)).good);
}

}  // namespace
}  // namespace spire_exporter::agent
