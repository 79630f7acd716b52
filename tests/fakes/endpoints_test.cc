#include "tests/fakes/endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/fakes/dial.h"

namespace spire_exporter::fakes {
namespace {

using std::chrono::milliseconds;

// Driven by hand: whatever waits for an answer pumps the endpoints.
class EndpointsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto simulator = Simulator::Start({}, clock_, nullptr);
    ASSERT_TRUE(simulator.ok());
    simulator_ = std::move(simulator).value();
    auto endpoints = Endpoints::Open({"127.0.0.1:0", "[::1]:0", "127.0.0.1:0"}, simulator_.get());
    ASSERT_TRUE(endpoints.ok()) << endpoints.error().ToString();
    endpoints_ = std::move(endpoints).value();
  }

  std::string Address(std::string_view name) const {
    const std::string all = ' ' + endpoints_->Addresses() + ' ';
    const size_t at = all.find(' ' + std::string(name) + '=') + name.size() + 2;
    return all.substr(at, all.find(' ', at) - at);
  }

  // Pumps until the connection has something to read; false after `timeout`.
  bool PumpUntilReadable(const UniqueFd& fd, milliseconds timeout = std::chrono::seconds(10)) {
    const RealClock real;
    const Deadline deadline = Deadline::After(real, timeout);
    while (!deadline.Passed(real)) {
      std::vector<pollfd> fds = {pollfd{fd.get(), POLLIN, 0}};
      endpoints_->AppendPoll(&fds);
      ::poll(fds.data(), fds.size(), deadline.RemainingPollMs(real));
      if (fds[0].revents != 0) return true;
      endpoints_->Pump(clock_.Steady());
    }
    return false;
  }

  std::string Ask(std::string_view name, const std::string& request) {
    const UniqueFd fd = Dial(Address(name));
    EXPECT_TRUE(fd.valid());
    ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
    std::string answer;
    std::string buffer(65536, '\0');
    while (PumpUntilReadable(fd)) {
      const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      answer.append(buffer, 0, static_cast<size_t>(got));
    }
    return answer;
  }
  std::string Get(std::string_view name, const std::string& path, const std::string& more = "") {
    return Ask(name,
               "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + more + "Connection: close\r\n\r\n");
  }
  std::string Post(const std::string& body) {
    return Ask("control", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                              std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body);
  }

  ManualClock clock_;
  std::unique_ptr<Simulator> simulator_;
  std::unique_ptr<Endpoints> endpoints_;
};

TEST_F(EndpointsTest, AnyPathHasThePage) {
  for (const std::string path : {"/", "/metrics", "/foo?bar"}) {
    const std::string answer = Get("prometheus", path);
    EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; "
                                            "version=0.0.4; charset=utf-8; "
                                            "escaping=underscores\r\n"));
    EXPECT_THAT(answer, testing::HasSubstr("\nspire_server_uptime_in_ms{host=\"vm\"} 7\n"));
    EXPECT_THAT(answer, testing::HasSubstr("\ngo_goroutines "));
  }
}

TEST_F(EndpointsTest, ThePageIsPackedWhenThePeerTakesGzip) {
  const std::string plain = Get("prometheus", "/");
  const std::string packed = Get("prometheus", "/", "Accept-Encoding: deflate, gzip\r\n");
  EXPECT_THAT(packed, testing::HasSubstr("Content-Encoding: gzip\r\n"));
  EXPECT_THAT(packed, testing::HasSubstr("\r\n\r\n\x1f\x8b"));
  EXPECT_LT(packed.size(), plain.size() / 3);
}

TEST_F(EndpointsTest, OneConnectionServesSeveralRequests) {
  const std::string answer =
      Ask("health",
          "GET /live HTTP/1.1\r\n\r\nHEAD /ready HTTP/1.1\r\n\r\nGET /x HTTP/1.1\r\n"
          "Connection: close\r\n\r\n");
  EXPECT_THAT(answer, testing::HasSubstr("{\"catalog.datastore\":{},\"server\":{}"));
  EXPECT_THAT(answer, testing::HasSubstr("HTTP/1.1 404 Not Found"));
  size_t answers = 0;
  for (size_t at = answer.find("HTTP/1.1 "); at != std::string::npos;
       at = answer.find("HTTP/1.1 ", at + 1)) {
    ++answers;
  }
  EXPECT_EQ(answers, 3U);
}

TEST_F(EndpointsTest, CommandsDoWhatTheySay) {
  EXPECT_THAT(Post("rate 1000\nerrors 0.5 Internal\nlatency 3\nhealth failing\nstop\n"),
              testing::StartsWith("HTTP/1.1 200 OK"));
  EXPECT_EQ(simulator_->disturbance().flood, 1000);
  EXPECT_EQ(simulator_->mood().error_share, 0.5);
  EXPECT_EQ(simulator_->mood().error_status, "Internal");
  EXPECT_EQ(simulator_->mood().latency_factor, 3);
  EXPECT_EQ(simulator_->health, Health::kFailing);
  EXPECT_FALSE(simulator_->running());
  EXPECT_THAT(Get("health", "/live"), testing::StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(Post("resume\nagents 7\n"), testing::StartsWith("HTTP/1.1 200 OK"));
  EXPECT_TRUE(simulator_->running());
  EXPECT_EQ(simulator_->options().load.agents, 7U);
}

TEST_F(EndpointsTest, AWrongCommandNamesWhatIsWrong) {
  const auto error = [this](std::string_view line) {
    const auto result = endpoints_->Command(line);
    return result.ok() ? std::string("none") : result.error().ToString();
  };
  EXPECT_EQ(error("frob 1"), "no such command: \"frob\"");
  EXPECT_EQ(error("rate many"), "rate \"many\": expected a number from 0 to 1e9");
  EXPECT_EQ(error("rate -1"), "rate \"-1\": expected a number from 0 to 1e9");
  EXPECT_EQ(error("errors 2"), "errors: expected a share from 0 to 1");
  EXPECT_EQ(error("hang control drip"),
            "hang \"control\": expected prometheus or health, with a listener");
  EXPECT_EQ(error("hang health sulk"),
            "\"sulk\" is no way to hang: expected no-accept, accept-only, drip, reset or flood");
  EXPECT_THAT(Post("frob"), testing::StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Get("control", "/"), testing::StartsWith("HTTP/1.1 405"));
}

TEST_F(EndpointsTest, OneEndpointHangsInEveryWayWhileTheOthersAnswer) {
  for (const std::string way : {"no-accept", "accept-only", "drip", "reset", "flood"}) {
    ASSERT_TRUE(endpoints_->Command("hang prometheus " + way).ok()) << way;
    EXPECT_THAT(Get("health", "/live"), testing::StartsWith("HTTP/1.1 200 OK")) << way;
    ASSERT_TRUE(endpoints_->Command("hang prometheus none").ok());
    EXPECT_THAT(Get("prometheus", "/"), testing::StartsWith("HTTP/1.1 200 OK")) << way;
  }
}

TEST_F(EndpointsTest, NoAcceptLeavesAConnectWithoutAnswer) {
  ASSERT_TRUE(endpoints_->Command("hang prometheus no-accept").ok());
  int code = 0;
  const UniqueFd fd = StartDial(Address("prometheus"), &code);
  EXPECT_EQ(code, EINPROGRESS);
  EXPECT_FALSE(WaitFor(fd, POLLOUT, milliseconds(200)));
}

TEST_F(EndpointsTest, DripAnswersAByteASecond) {
  ASSERT_TRUE(endpoints_->Command("hang prometheus drip").ok());
  const UniqueFd fd = Dial(Address("prometheus"));
  std::string answer;
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE(PumpUntilReadable(fd));
    char bytes[64];
    const ssize_t got = ::recv(fd.get(), bytes, sizeof(bytes), 0);
    ASSERT_EQ(got, 1);
    answer += bytes[0];
    clock_.Advance(std::chrono::seconds(1));
    endpoints_->Pump(clock_.Steady());
  }
  EXPECT_EQ(answer, "HTTP/1.1 ");
}

TEST_F(EndpointsTest, ResetCutsTheConnection) {
  ASSERT_TRUE(endpoints_->Command("hang prometheus reset").ok());
  int code = 0;
  const UniqueFd fd = StartDial(Address("prometheus"), &code);
  ASSERT_TRUE(PumpUntilReadable(fd));
  char byte = 0;
  EXPECT_EQ(::recv(fd.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

}  // namespace
}  // namespace spire_exporter::fakes
