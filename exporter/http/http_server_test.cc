// The server as well-behaved clients and its owner see it.
#include "exporter/http/http_server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "exporter/http/http_test_server.h"
#include "exporter/http/wire_test_client.h"

namespace spire_exporter {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

bool HasIpv6() {
  const UniqueFd fd(socket(AF_INET6, SOCK_STREAM, 0));
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  return fd.valid() &&
         bind(fd.get(), reinterpret_cast<const sockaddr*>(&loopback), sizeof(loopback)) == 0;
}

TEST(HttpServerTest, AnswersWithEveryHeaderItOwesAndNoneThatIsForged) {
  TestServer test;
  ASSERT_TRUE(test.status.ok()) << test.status.error().ToString();
  const WireResponse response = Get(test.address(), "/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "metric 1\n");
  EXPECT_EQ(response.headers.at("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(response.headers.at("x-content-type-options"), "nosniff");
  EXPECT_EQ(response.headers.at("x-good"), "yes");
  EXPECT_EQ(response.headers.at("connection"), "keep-alive");
  EXPECT_THAT(response.headers.at("date"), HasSubstr(" GMT"));
  EXPECT_EQ(response.headers.count("x-bad"), 0U);
  EXPECT_EQ(response.headers.count("x-injected"), 0U);
}

TEST(HttpServerTest, HandlerSeesTheRequest) {
  TestServer test;
  WireClient client(test.address());
  client.Send(
      "GET http://x/metrics?a=1&a=two+w%C3%B6rds&b&&c=%zz HTTP/1.1\r\nHost: x\r\n"
      "Accept: one;q=0.5\r\naccept:  two \r\nX-Empty:\r\n\r\n");
  ASSERT_EQ(client.Read().status, 200);
  const HttpRequest request = test.metrics.last();
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/metrics");
  EXPECT_EQ(request.peer, "127.0.0.1");
  EXPECT_EQ(request.Header("ACCEPT"), "one;q=0.5, two");
  EXPECT_TRUE(request.HasHeader("x-empty"));
  EXPECT_FALSE(request.HasHeader("x-none"));
  EXPECT_EQ(request.Query("a"), (std::vector<std::string>{"1", "two w\xc3\xb6rds"}));
  const HttpFields pairs = {{"a", "1"}, {"a", "two w\xc3\xb6rds"}, {"b", ""}, {"c", "%zz"}};
  EXPECT_EQ(request.query, pairs);
}

TEST(HttpServerTest, TabsAreBlanksInAField) {
  TestServer server;
  ASSERT_TRUE(server.status) << server.status.error().what;
  WireClient client(server.address());
  client.Send("GET /metrics HTTP/1.1\r\nHost:\ta\t\r\nX-Words: \tone\ttwo \t\r\n\r\n");
  EXPECT_EQ(client.Read().status, 200);
  EXPECT_EQ(server.metrics.last().Header("X-Words"), "one two");
  EXPECT_EQ(server.metrics.last().Header("Host"), "a");
}

TEST(HttpServerTest, HeadIsGetWithoutItsBody) {
  TestServer test;
  WireClient client(test.address());
  client.Send("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  const WireResponse head = client.Read(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "9");
  // Were there a body, it would stand ahead of this answer.
  client.Send("HEAD /nowhere HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.Read(true).status, 404);
  client.Send(kGet);
  EXPECT_EQ(client.Read().body, "metric 1\n");
}

TEST(HttpServerTest, UnknownPathsAndWrongMethodsAreRefusedWithoutAHandler) {
  TestServer test;
  EXPECT_EQ(Get(test.address(), "/metrics/").status, 404);
  EXPECT_EQ(Get(test.address(), "/%6detrics").status, 200);
  EXPECT_EQ(Get(test.address(), "/<script>alert(1)</script>").body, "404 Not Found\n");
  WireClient client(test.address());
  client.Send("DELETE /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  const WireResponse wrong = client.Read();
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.at("allow"), "GET, HEAD");
  client.Send("BREW /-/reload HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.Read().headers.at("allow"), "POST, PUT");
  client.Send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.Read().status, 404);
  EXPECT_EQ(test.metrics.calls(), 1);
}

TEST(HttpServerTest, BodiesAreReadAndDropped) {
  TestServer test;
  WireClient client(test.address());
  const std::string body(64 * 1024, 'x');
  client.Send("POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n" + body);
  EXPECT_EQ(client.Read().body, "reloaded\n");
  client.Send(
      "PUT /-/reload HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  std::string word(25, ' ');
  ASSERT_EQ(recv(client.fd(), word.data(), word.size(), MSG_WAITALL), 25);
  EXPECT_EQ(word, "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("ab");
  EXPECT_EQ(client.Read().status, 200);
  client.Send("POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n");
  EXPECT_EQ(client.Read().status, 413);
}

TEST(HttpServerTest, KeepsConnectionsOpenAsTheClientWishes) {
  TestServer test;
  struct Case {
    std::string head;
    bool stays_open;
  };
  const Case cases[] = {
      {"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", true},
      {"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n\r\n", false},
      {"GET /metrics HTTP/1.0\r\n\r\n", false},
      {"GET /metrics HTTP/1.0\nConnection: keep-alive\n\n", true},
  };
  for (const Case& one : cases) {
    WireClient client(test.address());
    client.Send(one.head);
    const WireResponse first = client.Read();
    EXPECT_EQ(first.status, 200) << one.head;
    EXPECT_EQ(first.headers.at("connection"), one.stays_open ? "keep-alive" : "close");
    if (one.stays_open) {
      client.Send(kGet);
      EXPECT_EQ(client.Read().status, 200);
    } else {
      std::string rest;
      EXPECT_TRUE(client.ReadToEnd(&rest));
      EXPECT_EQ(rest, "");
    }
  }
}

TEST(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  TestServer test;
  WireClient client(test.address());
  std::string many;
  for (int i = 0; i < 50; ++i) {
    many += kGet;
    many += "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  client.Send(many);
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(client.Read().status, 200) << i;
    ASSERT_EQ(client.Read().status, 404) << i;
  }
}

TEST(HttpServerTest, AnswersAClientThatHasEndedItsSide) {
  TestServer test;
  WireClient client(test.address());
  client.Send(kGet);
  client.EndWriting();
  EXPECT_EQ(client.Read().status, 200);
}

TEST(HttpServerTest, AFailingHandlerIs500AndSaysNothing) {
  TestServer test;
  const WireResponse response = Get(test.address(), "/throw");
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body, "500 Internal Server Error\n");
}

TEST(HttpServerTest, ListensOnBothFamiliesAndOnAUnixSocket) {
  const TempDirectory directory;
  HttpServerOptions options;
  options.listen_addresses = {":0", "unix:" + directory.path() + "/web.sock", "localhost:0"};
  TestServer test(options);
  ASSERT_TRUE(test.status.ok()) << test.status.error().ToString();
  const std::string everywhere = test.server->addresses().at(0);
  const std::string port = everywhere.substr(everywhere.rfind(':'));
  EXPECT_EQ(Get("127.0.0.1" + port, "/metrics").status, 200);
  EXPECT_EQ(test.metrics.last().peer, "127.0.0.1");
  if (HasIpv6()) {
    EXPECT_EQ(everywhere.substr(0, 5), "[::]:");
    EXPECT_EQ(Get("[::1]" + port, "/metrics").status, 200);
    EXPECT_EQ(test.metrics.last().peer, "::1");
  }
  EXPECT_EQ(Get(test.server->addresses().at(1), "/metrics").status, 200);
  EXPECT_EQ(test.metrics.last().peer, "unix");
  EXPECT_EQ(Get(test.server->addresses().at(2), "/metrics").status, 200);
}

TEST(HttpServerTest, ProbeListenersServeProbesAlone) {
  HttpServerOptions options;
  options.listen_addresses = {"127.0.0.1:0"};
  options.probe_listen_addresses = {"127.0.0.1:0"};
  TestServer test(options);
  const std::string probe = test.server->probe_addresses().at(0);
  EXPECT_EQ(Get(probe, "/-/healthy").status, 200);
  EXPECT_EQ(Get(probe, "/metrics").status, 404);
  EXPECT_EQ(Get(test.address(), "/-/healthy").status, 200);
}

TEST(HttpServerTest, StartFailsInOneLineThatNamesTheFlag) {
  TestServer first;
  HttpServerOptions options;
  options.listen_addresses = {first.address()};
  EXPECT_EQ(TestServer(options).status.error().what,
            "--web.listen-address=" + first.address() + ": address already in use");
  options.listen_addresses = {"127.0.0.1:0"};
  options.probe_listen_addresses = {"unix:/nonexistent/x.sock"};
  EXPECT_EQ(TestServer(options).status.error().what,
            "--web.probe-listen-address=unix:/nonexistent/x.sock: No such file or directory");
  options.probe_listen_addresses = {"9926"};
  EXPECT_THAT(TestServer(options).status.error().what,
              HasSubstr("--web.probe-listen-address=\"9926\": the port is missing"));
  options.probe_listen_addresses = {"nosuchhost.invalid:1"};
  EXPECT_THAT(TestServer(options).status.error().what, HasSubstr("cannot resolve the host"));
}

TEST(HttpServerTest, TakesOverASocketThatAKilledProcessLeft) {
  const TempDirectory directory;
  const std::string path = directory.path() + "/web.sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  {
    const UniqueFd left(socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(bind(left.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_EQ(listen(left.get(), 1), 0);
  }
  HttpServerOptions options;
  options.listen_addresses = {"unix:" + path};
  {
    TestServer test(options);
    ASSERT_TRUE(test.status.ok()) << test.status.error().ToString();
    EXPECT_EQ(Get("unix:" + path, "/metrics").status, 200);
    EXPECT_THAT(TestServer(options).status.error().what, HasSubstr("address already in use"));
    EXPECT_EQ(Get("unix:" + path, "/metrics").status, 200);
  }
  struct stat status;
  EXPECT_NE(lstat(path.c_str(), &status), 0) << "the file outlived its server";
}

TEST(HttpServerTest, LeavesAFileThatIsNoSocketAlone) {
  const TempDirectory directory;
  const std::string path = directory.path() + "/precious";
  UniqueFd(open(path.c_str(), O_CREAT | O_WRONLY, 0600)).Reset();
  HttpServerOptions options;
  options.listen_addresses = {"unix:" + path};
  EXPECT_THAT(TestServer(options).status.error().what, HasSubstr("no socket is in the way"));
  struct stat status;
  EXPECT_EQ(lstat(path.c_str(), &status), 0);
}

TEST(HttpServerTest, MoreThanMaxRequestsAtOnceAre503) {
  HttpServerOptions options;
  options.max_requests = 2;
  options.workers = 1;
  options.probe_listen_addresses = {"127.0.0.1:0"};
  TestServer test(options);
  WireClient running(test.address());
  running.Send("GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return test.gate.inside() == 1; }));
  WireClient queued(test.address());
  queued.Send(kGet);
  ASSERT_TRUE(Eventually([&] { return test.server->Stats().queued == 1; }));
  const WireResponse refused = Get(test.address(), "/metrics");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
  EXPECT_EQ(test.server->Stats().rejections.too_many_requests, 1U);
  WireClient probe(test.server->probe_addresses().at(0));
  probe.Send("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return test.server->Stats().queued == 2; }));
  test.gate.Open();
  EXPECT_EQ(running.Read().body, "through\n");
  EXPECT_EQ(queued.Read().status, 200);
  EXPECT_EQ(probe.Read().status, 200);
}

TEST(HttpServerTest, OneAddressCannotTakeAllTurns) {
  HttpServerOptions options;
  options.max_requests = 4;
  options.workers = 1;
  TestServer test(options);
  WireClient running(test.address(), "127.0.0.2");
  running.Send("GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return test.gate.inside() == 1; }));
  WireClient greedy[3] = {WireClient(test.address(), "127.0.0.2"),
                          WireClient(test.address(), "127.0.0.2"),
                          WireClient(test.address(), "127.0.0.2")};
  for (size_t i = 0; i < 3; ++i) {
    greedy[i].Send(kGet);
    ASSERT_TRUE(Eventually([&] { return test.server->Stats().queued == i + 1; }));
  }
  WireClient modest(test.address());
  modest.Send(kGet);
  EXPECT_EQ(greedy[2].Read().status, 503);
  test.gate.Open();
  EXPECT_EQ(modest.Read().status, 200);
  EXPECT_EQ(greedy[0].Read().status, 200);
  EXPECT_EQ(greedy[1].Read().status, 200);
}

TEST(HttpServerTest, TheObserverSeesEveryRequestOnce) {
  TestServer test;
  Get(test.address(), "/metrics");
  Get(test.address(), "/nowhere");
  Get(test.address(), "/throw");
  const auto seen = test.observer.seen();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].label, "metrics");
  EXPECT_EQ(seen[0].status, 200);
  EXPECT_EQ(seen[0].bytes, 9U);
  EXPECT_EQ(seen[1].label, "none");
  EXPECT_EQ(seen[1].status, 404);
  EXPECT_EQ(seen[2].label, "throw");
  EXPECT_EQ(seen[2].status, 500);
}

TEST(HttpServerTest, StopLetsARunningRequestFinish) {
  TestServer test;
  const std::string address = test.address();
  WireClient running(address);
  running.Send("GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return test.gate.inside() == 1; }));
  WireClient idle(address);
  std::thread stopper([&] { test.server->Stop(); });
  std::string nothing;
  EXPECT_TRUE(idle.ReadToEnd(&nothing));  // draining has begun
  EXPECT_FALSE(WireClient(address).connected());
  test.gate.Open();
  EXPECT_EQ(running.Read().body, "through\n");
  stopper.join();
  EXPECT_TRUE(test.server->addresses().empty());
}

TEST(HttpServerTest, StopDoesNotWaitForClientsThatHang) {
  HttpServerOptions options;
  options.drain_timeout = std::chrono::milliseconds(300);
  options.max_unsent_bytes = size_t{1} << 30;
  TestServer test(options);
  std::vector<WireClient> hanging;
  for (int i = 0; i < 20; ++i) {
    hanging.emplace_back(test.address());
    hanging.back().Send("GET /metr");
    hanging.emplace_back(test.address(), "", 4096);
    hanging.back().Send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  ASSERT_TRUE(Eventually([&] { return test.server->Stats().writing == 20; }));
  const auto begin = std::chrono::steady_clock::now();
  test.server->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

}  // namespace
}  // namespace spire_exporter
