#include "tests/fakes/hung_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>

#include "tests/fakes/dial.h"

namespace spire_exporter::fakes {
namespace {

using std::chrono::milliseconds;

class HungServerTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    // Short: a socket path has 107 bytes at most.
    std::string name = "/tmp/hung-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<HungServer> Start(HangWay way, Duration drip = milliseconds(1)) {
    std::string address = GetParam();
    if (address == "unix") address = "unix:" + folder_ + "/s.sock";
    auto server = HungServer::Start(address, way, drip);
    EXPECT_TRUE(server.ok()) << server.error().ToString();
    return std::move(server).value();
  }
  bool is_unix() const { return std::string(GetParam()) == "unix"; }

  std::string folder_;
};

// Bytes until the end or an error, which `code` tells (0: an orderly end). At most ten seconds
// between two of them.
uint64_t ReadToEnd(const UniqueFd& fd, int* code) {
  uint64_t total = 0;
  std::string buffer(1 << 20, '\0');
  while (WaitFor(fd, POLLIN, std::chrono::seconds(10))) {
    const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) {
      *code = got == 0 ? 0 : errno;
      return total;
    }
    total += static_cast<uint64_t>(got);
  }
  *code = ETIMEDOUT;
  return total;
}

TEST_P(HungServerTest, NoAcceptLeavesAConnectWithoutAnswer) {
  const auto server = Start(HangWay::kNoAccept);
  int code = 0;
  const UniqueFd fd = StartDial(server->address(), &code);
  if (is_unix()) {
    EXPECT_EQ(code, EAGAIN);
    return;
  }
  EXPECT_EQ(code, EINPROGRESS);
  EXPECT_FALSE(WaitFor(fd, POLLOUT, milliseconds(200)));
  EXPECT_EQ(server->accepted(), 0U);
}

TEST_P(HungServerTest, AcceptOnlyTakesAConnectionAndASentenceAndSaysNothing) {
  const auto server = Start(HangWay::kAcceptOnly);
  const UniqueFd fd = Dial(server->address());
  ASSERT_TRUE(fd.valid());
  EXPECT_EQ(::send(fd.get(), "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL), 18);
  EXPECT_FALSE(WaitFor(fd, POLLIN, milliseconds(200)));
  EXPECT_EQ(server->accepted(), 1U);
}

TEST_P(HungServerTest, DripSendsAnEndlessAnswerByteByByte) {
  const auto server = Start(HangWay::kDrip);
  const UniqueFd fd = Dial(server->address());
  ASSERT_TRUE(fd.valid());
  std::string answer;
  char byte = 0;
  while (answer.size() < 40 && WaitFor(fd, POLLIN, std::chrono::seconds(10))) {
    ASSERT_EQ(::recv(fd.get(), &byte, 1, 0), 1);
    answer += byte;
  }
  EXPECT_EQ(answer.substr(0, 17), "HTTP/1.1 200 OK\r\n");
}

TEST_P(HungServerTest, DripKeepsItsInterval) {
  const auto server = Start(HangWay::kDrip, std::chrono::hours(1));
  const UniqueFd fd = Dial(server->address());
  ASSERT_TRUE(WaitFor(fd, POLLIN, std::chrono::seconds(10))) << "the first byte comes at once";
  char bytes[8];
  EXPECT_EQ(::recv(fd.get(), bytes, sizeof(bytes), 0), 1);
  EXPECT_FALSE(WaitFor(fd, POLLIN, milliseconds(100)));
}

TEST_P(HungServerTest, ResetEndsAConnectionAtOnce) {
  const auto server = Start(HangWay::kReset);
  int code = 0;
  const UniqueFd fd = StartDial(server->address(), &code);
  ASSERT_TRUE(code == 0 || code == EINPROGRESS);
  EXPECT_EQ(ReadToEnd(fd, &code), 0U);
  // A unix socket knows no RST.
  EXPECT_EQ(code, is_unix() ? 0 : ECONNRESET);
}

TEST_P(HungServerTest, FloodSendsAHundredMegabytesAndEnds) {
  const auto server = Start(HangWay::kFlood);
  const UniqueFd fd = Dial(server->address());
  ASSERT_TRUE(fd.valid());
  int code = -1;
  const uint64_t total = ReadToEnd(fd, &code);
  EXPECT_EQ(code, 0);
  EXPECT_GT(total, HungPeers::kFloodBytes);
  EXPECT_LT(total, HungPeers::kFloodBytes + 1000);
}

TEST_P(HungServerTest, EndsWithConnectionsOpen) {
  UniqueFd fd;
  {
    const auto server = Start(HangWay::kAcceptOnly);
    fd = Dial(server->address());
    ASSERT_TRUE(fd.valid());
  }
  int code = -1;
  EXPECT_EQ(ReadToEnd(fd, &code), 0U);
}

std::string TransportName(const testing::TestParamInfo<const char*>& transport) {
  const std::string address = transport.param;
  return address == "unix" ? "Unix" : address.front() == '[' ? "IPv6" : "IPv4";
}

INSTANTIATE_TEST_SUITE_P(Transports, HungServerTest,
                         testing::Values("127.0.0.1:0", "[::1]:0", "unix"), TransportName);

TEST(HungServerStartTest, AnAddressThatCannotBeIsAnError) {
  EXPECT_FALSE(HungServer::Start("nowhere", HangWay::kReset).ok());
  EXPECT_FALSE(HungServer::Start("unix:" + std::string(200, 'x'), HangWay::kReset).ok());
  EXPECT_FALSE(ParseHangWay("sulk").ok());
}

}  // namespace
}  // namespace spire_exporter::fakes
