#include "collectors/clients/spire/guarded_relay.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <utility>

#include "collectors/clients/spire/socket_pair.h"

namespace spire_exporter::spire {
namespace {

constexpr int kPatienceMs = 20'000;
const std::string kSettings("\0\0\0\4\0\0\0\0\0", 9);

// What comes until the end, or until there is `wanted` of it.
std::string Read(int fd, size_t wanted) {
  std::string out;
  char buffer[4096];
  while (out.size() < wanted) {
    pollfd ready = {fd, POLLIN, 0};
    if (poll(&ready, 1, kPatienceMs) != 1) break;
    const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) break;
    out.append(buffer, static_cast<size_t>(got));
  }
  return out;
}

bool Ends(int fd) {
  pollfd ready = {fd, POLLRDHUP, 0};
  return poll(&ready, 1, kPatienceMs) == 1;
}

class GuardedRelayTest : public testing::Test {
 protected:
  GuardedRelayTest() {
    auto server = MakeSocketPair(), client = MakeSocketPair();
    server_ = std::move(server.value()[0]);
    client_ = std::move(client.value()[0]);
    relay_.emplace(std::move(server.value()[1]), std::move(client.value()[1]), 1000);
  }

  void Send(const UniqueFd& from, const std::string& bytes) {
    ASSERT_EQ(send(from.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), ssize_t(bytes.size()));
  }

  UniqueFd server_, client_;
  std::optional<GuardedRelay> relay_;
};

TEST_F(GuardedRelayTest, PassesBothWaysUntilTheServerLeaves) {
  Send(client_, "preface");
  EXPECT_EQ(Read(server_.get(), 7), "preface");
  Send(server_, kSettings);
  EXPECT_EQ(Read(client_.get(), kSettings.size()), kSettings);
  EXPECT_FALSE(relay_->Ended());
  server_.Reset();
  EXPECT_TRUE(relay_->Ended());  // at once, whatever the thread does
  EXPECT_TRUE(Ends(client_.get()));
  EXPECT_EQ(relay_->Refused(), Code::kOk);
}

TEST_F(GuardedRelayTest, LeavesTheServerWhenTheClientDoes) {
  client_.Reset();
  EXPECT_TRUE(Ends(server_.get()));
}

TEST_F(GuardedRelayTest, SaysWhyItRefused) {
  Send(server_, kSettings + std::string("\0\0\5\0\0\0\0\0\1\0\xff\xff\xff\xff", 14));
  EXPECT_TRUE(Ends(client_.get()));
  EXPECT_EQ(relay_->Refused(), Code::kResourceExhausted);
  EXPECT_TRUE(relay_->Ended());
}

TEST_F(GuardedRelayTest, KnowsWhatIsNoHttp2) {
  Send(server_, "HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_TRUE(Ends(client_.get()));
  EXPECT_EQ(relay_->Refused(), Code::kDataLoss);
}

TEST_F(GuardedRelayTest, GoesWhileNobodyReads) {
  const std::string much(1000, 'x');
  const auto fill = [&](const UniqueFd& from) {
    for (;;) {
      pollfd ready = {from.get(), POLLOUT, 0};
      if (poll(&ready, 1, 100) != 1) return;  // full, and the relay behind it
      if (send(from.get(), much.data(), much.size(), MSG_NOSIGNAL) < 0 && errno != EAGAIN) return;
    }
  };
  fill(client_);
  relay_.reset();
  EXPECT_TRUE(Ends(client_.get()));
}

}  // namespace
}  // namespace spire_exporter::spire
