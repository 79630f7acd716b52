// Who is served when, told by the order in which the gate is asked.
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <condition_variable>
#include <string>
#include <vector>

#include "exporter/http/http_test_server.h"
#include "exporter/http/wire_test_client.h"

namespace spire_exporter {
namespace {

// Holds the door's own thread at the first question until it is opened, and notes who was asked
// for.
class HoldingGate final : public HttpGate {
 public:
  Verdict Judge(const Visitor& visitor) override {
    mutex_.lock();
    order_.emplace_back(visitor.peer);
    changed_.notify_all();
    while (!open_) changed_.wait(mutex_);
    mutex_.unlock();
    return {};
  }
  int ready_fd() const override { return ready_.get(); }
  std::vector<uint64_t> TakeReady() override { return {}; }
  HttpFields Headers() const override { return {}; }

  void AwaitFirst() {
    mutex_.lock();
    while (order_.empty()) changed_.wait(mutex_);
    mutex_.unlock();
  }
  void Open() {
    const MutexLock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  std::vector<std::string> order() {
    const MutexLock lock(mutex_);
    return order_;
  }

 private:
  const UniqueFd ready_{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  Mutex mutex_;
  std::condition_variable_any changed_;
  bool open_ GUARDED_BY(mutex_) = false;
  std::vector<std::string> order_ GUARDED_BY(mutex_);
};

std::string Repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// Answers that no worker makes cost the door's own time, and come as fast as they can be asked for.
void ExpectAScrapeComesInBetween(std::string_view request, int status) {
  constexpr int kConnections = 8;
  constexpr int kRequests = 100;
  HoldingGate gate;
  HttpServerOptions options;
  options.gate = &gate;
  TestServer test(options);
  ASSERT_TRUE(test.status.ok());

  std::vector<WireClient> flood;
  for (int i = 0; i < kConnections; ++i) {
    flood.emplace_back(test.address(), "127.0.0.2");
    ASSERT_TRUE(flood.back().Send(Repeated(request, kRequests)));
  }
  gate.AwaitFirst();
  WireClient scraper(test.address(), "127.0.0.1");
  ASSERT_TRUE(scraper.Send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
  gate.Open();
  EXPECT_EQ(scraper.Read().status, 200);
  for (WireClient& one : flood) {
    for (int i = 0; i < kRequests; ++i) ASSERT_EQ(one.Read().status, status) << "request " << i;
  }

  const std::vector<std::string> order = gate.order();
  EXPECT_EQ(order.size(), size_t{kConnections * kRequests + 1});
  const auto other = std::find_if(order.begin(), order.end(),
                                  [&](const std::string& peer) { return peer != order.front(); });
  ASSERT_NE(other, order.end());
  EXPECT_LT(other - order.begin(), 20) << "of " << order.size();
}

TEST(HttpTurnsTest, AScrapeComesInBetweenRequestsForNothing) {
  ExpectAScrapeComesInBetween("GET /none HTTP/1.1\r\nHost: x\r\n\r\n", 404);
}

TEST(HttpTurnsTest, AScrapeComesInBetweenRequestsOfAWrongMethod) {
  ExpectAScrapeComesInBetween("DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 405);
}

TEST(HttpTurnsTest, AScrapeComesInBetweenRequestsForAPage) {
  ExpectAScrapeComesInBetween("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n", 200);
}

TEST(HttpTurnsTest, WhatCameBehindARequestIsAnsweredThoughItsClientSaysNoMore) {
  TestServer test;
  WireClient client(test.address());
  ASSERT_TRUE(client.Send(Repeated("GET /none HTTP/1.1\r\nHost: x\r\n\r\n", 50)));
  client.EndWriting();
  for (int i = 0; i < 50; ++i) ASSERT_EQ(client.Read().status, 404);
  std::string rest;
  EXPECT_TRUE(client.ReadToEnd(&rest));
  EXPECT_EQ(rest, "");
}

}  // namespace
}  // namespace spire_exporter
