#include "collectors/clients/http/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <memory>
#include <vector>

#include "collectors/clients/http/test_peer.h"

namespace spire_exporter {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
  Result<HttpReply> reply;
  Duration late;  // how long after its deadline the call came back; negative when before
};

class HttpClientTest : public ::testing::Test {
 protected:
  Outcome Get(const std::string& url, Duration timeout = 10s, HttpClientOptions options = {},
              std::stop_token stop = {}) {
    const auto parsed = ParseUrl(url);
    EXPECT_TRUE(parsed.ok());
    HttpClient client(std::move(options));
    const Deadline deadline = Deadline::After(clock_, timeout);
    auto reply = client.Get(*parsed, deadline, clock_, std::move(stop));
    return {std::move(reply), clock_.Steady() - deadline.at()};
  }

  void ExpectGivesUpInTime(const std::string& url) {
    const Outcome outcome = Get(url, 150ms);
    ASSERT_FALSE(outcome.reply.ok());
    EXPECT_EQ(outcome.reply.error().code, Code::kDeadlineExceeded) << outcome.reply.error().what;
    EXPECT_LT(outcome.late, 100ms);
    EXPECT_GE(outcome.late, -1ms);
  }

  RealClock clock_;
};

TEST_F(HttpClientTest, GetsAPage) {
  std::string request;
  {
    const TestPeer peer([&](int fd) {
      request = ReadRequest(fd);
      SendAll(fd, kHello);
    });
    HttpClientOptions options;
    options.accept = "text/plain;version=0.0.4";
    const Outcome outcome = Get(peer.url() + "x?y=z", 10s, options);
    ASSERT_TRUE(outcome.reply.ok()) << outcome.reply.error().what;
    EXPECT_EQ(outcome.reply->body, "hello");
  }
  EXPECT_THAT(request, StartsWith("GET /x?y=z HTTP/1.1\r\nHost: 127.0.0.1:"));
  EXPECT_THAT(request, HasSubstr("\r\nAccept: text/plain;version=0.0.4\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nConnection: close\r\n"));
}

TEST_F(HttpClientTest, SpeaksIpv6) {
  const TestPeer peer(Answers(kHello), true);
  const Outcome outcome = Get(peer.url("http", "[::1]"));
  ASSERT_TRUE(outcome.reply.ok()) << outcome.reply.error().what;
}

TEST_F(HttpClientTest, ResolvesNames) {
  const TestPeer peer(Answers(kHello));
  const Outcome outcome = Get(peer.url("http", "localhost"));
  ASSERT_TRUE(outcome.reply.ok()) << outcome.reply.error().what;
}

TEST_F(HttpClientTest, TellsAStatusOtherThanOk) {
  const TestPeer peer(Answers("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"));
  const Outcome outcome = Get(peer.url());
  ASSERT_TRUE(outcome.reply.ok());
  EXPECT_EQ(outcome.reply->status, 503);
}

TEST_F(HttpClientTest, RefusedIsUnavailable) {
  uint16_t port = 0;
  {
    const TestListener listener;
    port = listener.port();
  }
  const Outcome outcome = Get("http://127.0.0.1:" + std::to_string(port) + "/");
  ASSERT_FALSE(outcome.reply.ok());
  EXPECT_EQ(outcome.reply.error().code, Code::kUnavailable);
  EXPECT_THAT(outcome.reply.error().what, HasSubstr("refused"));
}

TEST_F(HttpClientTest, UnknownNameIsUnavailable) {
  const Outcome outcome = Get("http://no-such-host.invalid/", 2s);
  ASSERT_FALSE(outcome.reply.ok());
  EXPECT_THAT(outcome.reply.error().code,
              testing::AnyOf(Code::kUnavailable, Code::kDeadlineExceeded));
  EXPECT_LT(outcome.late, 100ms);
}

TEST_F(HttpClientTest, ResetIsUnavailable) {
  const TestPeer peer(Resets);
  const Outcome outcome = Get(peer.url());
  ASSERT_FALSE(outcome.reply.ok());
  EXPECT_EQ(outcome.reply.error().code, Code::kUnavailable);
}

// A full queue of connections: the kernel drops what more comes, as a firewall would.
TEST_F(HttpClientTest, BlackHoleDoesNotOutlastTheDeadline) {
  const TestListener listener(false, 0);
  const std::string url = "http://127.0.0.1:" + std::to_string(listener.port()) + "/";
  std::vector<UniqueFd> queued;
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(listener.port());
  for (int i = 0; i < 4; ++i) {
    queued.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    connect(queued.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  const Outcome outcome = Get(url, 150ms);
  ASSERT_FALSE(outcome.reply.ok());
  EXPECT_EQ(outcome.reply.error().code, Code::kDeadlineExceeded);
  EXPECT_THAT(outcome.reply.error().what, HasSubstr("connect"));
  EXPECT_LT(outcome.late, 100ms);
}

TEST_F(HttpClientTest, PeerThatOnlyAcceptsDoesNotOutlastTheDeadline) {
  const TestPeer peer(WaitForClose);
  ExpectGivesUpInTime(peer.url());
}

TEST_F(HttpClientTest, DrippingHeadDoesNotOutlastTheDeadline) {
  const TestPeer peer(Drips("HTTP/1.1 200 OK\r\nX: ", "x"));
  ExpectGivesUpInTime(peer.url());
}

TEST_F(HttpClientTest, DrippingBodyDoesNotOutlastTheDeadline) {
  const TestPeer peer(Drips("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", "x"));
  ExpectGivesUpInTime(peer.url());
}

// Bytes are always there to read, so that nothing ever waits.
TEST_F(HttpClientTest, FloodOfTinyChunksDoesNotOutlastTheDeadline) {
  const TestPeer peer([](int fd) {
    ReadRequest(fd);
    std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    while (SendAll(fd, chunks)) chunks = "1;" + std::string(1000, 'x') + "\r\ny\r\n";
  });
  HttpClientOptions options;
  options.max_body = uint64_t{1} << 40;
  const Outcome outcome = Get(peer.url(), 150ms, options);
  ASSERT_FALSE(outcome.reply.ok());
  EXPECT_EQ(outcome.reply.error().code, Code::kDeadlineExceeded);
  EXPECT_LT(outcome.late, 100ms);
}

TEST_F(HttpClientTest, StoppedProcessDoesNotOutlastTheDeadline) {
  TestListener listener;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    for (;;) pause();
  }
  kill(child, SIGSTOP);
  int status = 0;
  waitpid(child, &status, WUNTRACED);
  listener.Close();  // the child alone holds it
  ExpectGivesUpInTime("http://127.0.0.1:" + std::to_string(listener.port()) + "/");
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
}

TEST_F(HttpClientTest, StopEndsAWaitAtOnce) {
  std::stop_source stop;
  const TestPeer peer([&](int fd) {
    ReadRequest(fd);
    stop.request_stop();
    WaitForClose(fd);
  });
  const Outcome outcome = Get(peer.url(), 60s, {}, stop.get_token());
  ASSERT_FALSE(outcome.reply.ok());
  EXPECT_EQ(outcome.reply.error().code, Code::kCancelled);
  EXPECT_LT(outcome.late, -50s);
}

TEST_F(HttpClientTest, HundredMegabytesAreCutOff) {
  for (const char* head :
       {"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"}) {
    size_t sent = 0;
    {
      const TestPeer peer([&](int fd) {
        ReadRequest(fd);
        if (!SendAll(fd, head)) return;
        const std::string block(64 * 1024, 'x');
        while (sent < 100 * 1024 * 1024 && SendAll(fd, block)) sent += block.size();
      });
      HttpClientOptions options;
      options.max_body = 1 << 20;
      const Outcome outcome = Get(peer.url(), 10s, options);
      ASSERT_FALSE(outcome.reply.ok());
      EXPECT_EQ(outcome.reply.error().code, Code::kResourceExhausted);
      EXPECT_THAT(outcome.reply.error().what, HasSubstr("over the limit of 1MiB"));
    }
    EXPECT_LT(sent, 50u * 1024 * 1024) << "the rest was read all the same";
  }
}

}  // namespace
}  // namespace spire_exporter
