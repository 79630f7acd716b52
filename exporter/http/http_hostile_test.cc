// The server under clients that mean it harm, or are broken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "exporter/http/http_server.h"
#include "exporter/http/http_test_server.h"
#include "exporter/http/wire_test_client.h"

namespace spire_exporter {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kGetBig = "GET /big HTTP/1.1\r\nHost: x\r\n\r\n";
// What an operator is promised for a scrape, whatever other clients do.
constexpr std::chrono::seconds kScrapeDeadline{1};

void ExpectScrapesWork(const std::string& address, int times) {
  for (int i = 0; i < times; ++i) {
    ASSERT_EQ(Get(address, "/metrics", kScrapeDeadline).status, 200) << "scrape " << i;
  }
}

TEST(HttpHostileTest, IdleAndHalfSentConnectionsDoNotKeepScrapesWaiting) {
  TestServer test;
  std::vector<WireClient> hanging;
  for (int i = 0; i < 700; ++i) {
    hanging.emplace_back(test.address(), "127.0.0.2");
    ASSERT_TRUE(hanging.back().connected());
    if (i >= 500) hanging.back().Send("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: ");
    if (i % 100 == 0) ExpectScrapesWork(test.address(), 5);
  }
  ExpectScrapesWork(test.address(), 100);
  const HttpStats stats = test.server->Stats();
  EXPECT_GT(stats.waiting, 300U);
  EXPECT_EQ(stats.rejections.refused, 0U);
}

TEST(HttpHostileTest, AnIdleCrowdOfTheScrapersOwnAddressDoesNotKeepItOut) {
  HttpServerOptions options;
  options.max_connections_per_peer = 50;
  TestServer test(options);
  std::vector<WireClient> idle;
  for (int i = 0; i < 200; ++i) idle.emplace_back(test.address());
  ExpectScrapesWork(test.address(), 20);
  EXPECT_GE(test.server->Stats().rejections.evicted_for_peer, 150U);
}

TEST(HttpHostileTest, WhenAllPlacesAreTakenTheBusiestAddressPays) {
  HttpServerOptions options;
  options.max_connections = 60;
  TestServer test(options);
  WireClient steady(test.address());
  steady.Send(kGet);
  ASSERT_EQ(steady.Read().status, 200);
  std::vector<WireClient> idle;
  for (int i = 0; i < 300; ++i) idle.emplace_back(test.address(), "127.0.0.2");
  ExpectScrapesWork(test.address(), 20);
  EXPECT_GE(test.server->Stats().rejections.evicted_for_total, 200U);
  steady.Send(kGet);
  EXPECT_EQ(steady.Read().status, 200) << "the quiet address lost its connection";
}

TEST(HttpHostileTest, WhenEveryPlaceIsBusyNewcomersGet503) {
  HttpServerOptions options;
  options.max_connections = 2;
  TestServer test(options);
  WireClient first(test.address());
  WireClient second(test.address());
  for (WireClient* one : {&first, &second}) one->Send("GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return test.gate.inside() == 2; }));
  WireClient third(test.address());
  EXPECT_EQ(third.Read().status, 503);
  EXPECT_EQ(test.server->Stats().rejections.refused, 1U);
  test.gate.Open();
  EXPECT_EQ(first.Read().status, 200);
}

TEST(HttpHostileTest, UnfinishedRequestsMeetTheirDeadlineHoweverTheyDrip) {
  HttpServerOptions options;
  options.request_timeout = std::chrono::milliseconds(300);
  TestServer test(options);
  WireClient silent(test.address());
  WireClient half(test.address());
  half.Send("GET /metr");
  WireClient body(test.address());
  body.Send("POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12");
  WireClient dripping(test.address());
  // One byte at a time for as long as the server lets it.
  bool open = dripping.Send("GET /metrics HTTP/1.1\r\nX: ");
  std::string answer;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (open && std::chrono::steady_clock::now() < until) {
    open = dripping.Send("x") && !dripping.ReadToEnd(&answer, std::chrono::milliseconds(20)) &&
           answer.empty();
  }
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 408 "));
  EXPECT_EQ(half.Read().status, 408);
  EXPECT_EQ(body.Read().status, 408);
  EXPECT_TRUE(silent.ReadToEnd(&answer));
  EXPECT_EQ(answer, "");
  EXPECT_EQ(test.server->Stats().rejections.request_timeout, 3U);
  EXPECT_EQ(test.server->Stats().rejections.idle_timeout, 1U);
}

TEST(HttpHostileTest, ARequestThatGetsNoWorkerInTimeIsToldSo) {
  HttpServerOptions options;
  options.workers = 1;
  options.request_timeout = std::chrono::milliseconds(200);
  TestServer test(options);
  WireClient running(test.address());
  running.Send("GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return test.gate.inside() == 1; }));
  WireClient queued(test.address());
  queued.Send(kGet);
  EXPECT_EQ(queued.Read().status, 503);
  test.gate.Open();
  EXPECT_EQ(running.Read().status, 200) << "a running request has no deadline";
  queued.Send(kGet);
  EXPECT_EQ(queued.Read().status, 200);
}

// Takes every descriptor that the process may still open.
class NoDescriptorsLeft {
 public:
  NoDescriptorsLeft() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = std::min<rlim_t>(before_.rlim_cur, 512);
    setrlimit(RLIMIT_NOFILE, &low);
    for (UniqueFd fd(dup(0)); fd.valid(); fd.Reset(dup(0))) taken_.emplace_back(fd.Release());
  }
  ~NoDescriptorsLeft() { setrlimit(RLIMIT_NOFILE, &before_); }
  void GiveOneBack() { taken_.pop_back(); }

 private:
  rlimit before_{};
  std::vector<UniqueFd> taken_;
};

TEST(HttpHostileTest, OutOfDescriptorsItNeitherSpinsNorForgetsToListen) {
  TestServer test;
  WireClient idle(test.address());
  ASSERT_TRUE(Eventually([&] { return test.server->Stats().waiting == 1; }));
  // Judged afterwards: sanitizers need descriptors of their own to look at what a check prints.
  bool idle_closed = false;
  bool accepted = false;
  {
    NoDescriptorsLeft none;
    none.GiveOneBack();
    WireClient first(test.address());  // takes the last one here, so accepting needs the idle one's
    std::string nothing;
    idle_closed = idle.ReadToEnd(&nothing);
    accepted = Eventually([&] { return test.server->Stats().accepted == 2; });
  }
  EXPECT_TRUE(idle_closed);
  EXPECT_TRUE(accepted);
  EXPECT_EQ(test.server->Stats().rejections.evicted_for_total, 1U);
  ExpectScrapesWork(test.address(), 5);
}

TEST(HttpHostileTest, KeptConnectionsAreClosedWhenTheyIdleTooLong) {
  HttpServerOptions options;
  options.idle_timeout = std::chrono::milliseconds(100);
  TestServer test(options);
  WireClient client(test.address());
  client.Send(kGet);
  ASSERT_EQ(client.Read().status, 200);
  std::string rest;
  EXPECT_TRUE(client.ReadToEnd(&rest));
  EXPECT_EQ(rest, "");
}

TEST(HttpHostileTest, ReadersThatDoNotReadBlockNobody) {
  HttpServerOptions options;
  options.max_requests = 100;
  TestServer test(options);
  std::vector<WireClient> slow;
  for (int i = 0; i < 50; ++i) {
    slow.emplace_back(test.address(), "", 4096);
    slow.back().Send(kGetBig);
  }
  ASSERT_TRUE(Eventually([&] { return test.big.calls() >= 50; }));
  ExpectScrapesWork(test.address(), 50);
  // 50 times 8 MiB are wanted, 32 MiB may be held: most were let go.
  ASSERT_TRUE(Eventually([&] { return test.server->Stats().unsent_bytes <= size_t{32} << 20; }));
  EXPECT_GT(test.server->Stats().rejections.evicted_for_bytes, 40U);
}

TEST(HttpHostileTest, AReaderOfOneByteAtATimeStillGetsItsAnswerUntilItsDeadline) {
  HttpServerOptions options;
  options.write_timeout = std::chrono::milliseconds(300);
  TestServer test(options);
  WireClient slow(test.address(), "", 4096);
  slow.Send(kGetBig);
  char byte = 0;
  int taken = 0;
  while (recv(slow.fd(), &byte, 1, 0) == 1) {
    ++taken;
    if (taken % 100 == 0 && taken <= 1000) ExpectScrapesWork(test.address(), 1);
    if (test.server->Stats().rejections.write_timeout == 1) break;
  }
  EXPECT_GT(taken, 0);
  EXPECT_EQ(test.server->Stats().rejections.write_timeout, 1U);
  ASSERT_TRUE(Eventually([&] { return test.server->Stats().unsent_bytes == 0; }));
}

TEST(HttpHostileTest, GarbageIsRefusedAndNeverRepeated) {
  TestServer test;
  struct Case {
    std::string bytes;
    int status;
  };
  const Case cases[] = {
      {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), 400},  // a TLS hello
      {std::string("\0\0\0\0", 4), 400},
      {"\xff\xfe GARBAGE\r\n\r\n", 400},
      {"GET\r\n\r\n", 400},
      {"GET /metrics\r\n\r\n", 400},
      {"GET  /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /met\x01rics HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /metrics HTTP/1.1\r\n\r\n", 400},
      {"GET /metrics HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
      {"GET /metrics HTTP/1.1\r\nHost: x\r\nEvil : y\r\n\r\n", 400},
      {"GET /metrics HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n", 400},
      {"GET /metrics HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", 400},
      {"GET /metrics EVIL/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /metrics HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
      {"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"POST /-/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411},
      {"POST /-/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n"
       "\r\n0\r\n\r\n",
       400},
      {"GET /metrics HTTP/1.1\r\nHost: x\r\nExpect: EVIL\r\n\r\n", 417},
      {"GET /" + std::string(2000, 'E') + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
      {"GET /metrics?" + std::string(9000, 'E') + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
      {"GET /metrics HTTP/1.1\r\nHost: x\r\nA: " + std::string(17000, 'E') + "\r\n\r\n", 431},
  };
  for (const Case& one : cases) {
    WireClient client(test.address());
    client.Send(one.bytes);
    std::string answer;
    EXPECT_TRUE(client.ReadToEnd(&answer)) << one.bytes;
    EXPECT_EQ(answer.substr(0, 13), "HTTP/1.1 " + std::to_string(one.status) + " ") << one.bytes;
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("EVIL")));
    EXPECT_THAT(answer, Not(HasSubstr("EEEE")));
  }
  EXPECT_EQ(test.metrics.calls(), 0);
  ExpectScrapesWork(test.address(), 1);
}

TEST(HttpHostileTest, ManyHeaderLinesAreRefusedAndTheAnswerArrivesThoughTheClientKeepsSending) {
  TestServer test;
  WireClient client(test.address());
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += "A: b\r\n";
  client.Send("GET /metrics HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n");
  EXPECT_EQ(client.Read().status, 431);
  WireClient endless(test.address());
  endless.Send("GET /metrics HTTP/1.1\r\nHost: x\r\nA: " + std::string(150'000, 'a'));
  EXPECT_EQ(endless.Read().status, 431);
}

TEST(HttpHostileTest, AClientThatLeavesWhileItsRequestRunsIsForgotten) {
  TestServer test;
  {
    WireClient client(test.address());
    client.Send("GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(Eventually([&] { return test.gate.inside() == 1; }));
    const linger reset{1, 0};
    setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  }
  ASSERT_TRUE(Eventually([&] { return test.server->Stats().running == 0; }));
  test.gate.Open();
  ExpectScrapesWork(test.address(), 10);
}

TEST(HttpHostileTest, TheMemoryOfUnfinishedHeadsIsBounded) {
  TestServer test;
  std::vector<WireClient> hanging;
  // 400 heads of 16,000 bytes would be 6.4 MB; 4 MiB may be held.
  for (int i = 0; i < 400; ++i) {
    hanging.emplace_back(test.address(), "127.0.0.2");
    hanging.back().Send("GET /metrics HTTP/1.1\r\nA: " + std::string(15'950, 'a'));
  }
  ASSERT_TRUE(Eventually([&] {
    const HttpStats stats = test.server->Stats();
    return stats.accepted == 400 && stats.rejections.evicted_for_total >= 100;
  }));
  ExpectScrapesWork(test.address(), 10);
}

}  // namespace
}  // namespace spire_exporter
