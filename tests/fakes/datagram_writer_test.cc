#include "tests/fakes/datagram_writer.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>

#include "tests/fakes/dial.h"

namespace spire_exporter::fakes {
namespace {

using Outcome = DatagramWriter::Outcome;

std::unique_ptr<DatagramWriter> Dialled(const std::string& address,
                                        Release release = Release::k1_15_3) {
  auto writer = DialDatagrams(address, DialectOf(release));
  EXPECT_TRUE(writer.ok()) << writer.error().ToString();
  return std::move(writer).value();
}

std::string Receive(const UniqueFd& fd) {
  if (!WaitFor(fd, POLLIN, std::chrono::seconds(10))) return "nothing";
  std::string buffer(65536, '\0');
  const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
  buffer.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return buffer;
}

// A UDP socket on a port of its own.
UniqueFd ListenUdp(int family, int* port) {
  UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  storage.ss_family = static_cast<sa_family_t>(family);
  socklen_t length = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (family == AF_INET) v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (family == AF_INET6) v6->sin6_addr = in6addr_loopback;
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), length), 0);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length);
  *port = ntohs(family == AF_INET ? v4->sin_port : v6->sin6_port);
  return fd;
}

TEST(DatagramWriterTest, UdpArrivesOverBothFamilies) {
  int port = 0;
  const UniqueFd v4 = ListenUdp(AF_INET, &port);
  EXPECT_EQ(Dialled("127.0.0.1:" + std::to_string(port))->Write("a:1|c"), Outcome::kSent);
  EXPECT_EQ(Receive(v4), "a:1|c");
  const UniqueFd v6 = ListenUdp(AF_INET6, &port);
  EXPECT_EQ(Dialled("udp://[::1]:" + std::to_string(port))->Write("b:1|c"), Outcome::kSent);
  EXPECT_EQ(Receive(v6), "b:1|c");
}

TEST(DatagramWriterTest, EverySecondWriteToAClosedPortSeemsToSucceed) {
  int port = 0;
  UniqueFd listener = ListenUdp(AF_INET, &port);
  const auto writer = Dialled("127.0.0.1:" + std::to_string(port));
  listener.Reset();
  int failed = 0;
  for (int i = 0; i < 100; ++i) {
    if (writer->Write("a:1|c") == Outcome::kFailed) ++failed;
  }
  EXPECT_EQ(failed, 50);
}

class UnixgramWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/gram-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ + "/s.sock";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  UniqueFd Listen() const {
    ::unlink(path_.c_str());
    UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  }

  std::string folder_;
  std::string path_;
};

TEST_F(UnixgramWriterTest, FailsUntilSomebodyListensAndAgainWhenTheyLeave) {
  for (const Release release : {Release::k1_8_0, Release::k1_15_3}) {
    const auto writer = Dialled("unix://" + path_, release);
    EXPECT_EQ(writer->Write("a:1|c"), Outcome::kFailed);
    UniqueFd listener = Listen();
    EXPECT_EQ(writer->Write("b:1|c"), Outcome::kSent);
    EXPECT_EQ(Receive(listener), "b:1|c");
    listener.Reset();
    EXPECT_EQ(writer->Write("c:1|c"), Outcome::kFailed) << "the file is still there";
    listener = Listen();
    EXPECT_EQ(writer->Write("d:1|c"), Outcome::kSent);
    EXPECT_EQ(Receive(listener), "d:1|c");
    std::filesystem::remove(path_);
  }
}

TEST_F(UnixgramWriterTest, BlocksWhenNobodyReads) {
  const UniqueFd listener = Listen();
  const auto writer = Dialled("unix://" + path_);
  Outcome outcome = Outcome::kSent;
  for (int i = 0; i < 100'000 && outcome == Outcome::kSent; ++i) outcome = writer->Write("a:1|c");
  EXPECT_EQ(outcome, Outcome::kBlocked);
  Receive(listener);
  EXPECT_EQ(writer->Write("a:1|c"), Outcome::kSent);
}

TEST(DatagramWriterTest, AnAddressThatCannotBeIsAnErrorAtOnce) {
  const ClientDialect& dialect = DialectOf(Release::k1_15_3);
  EXPECT_FALSE(DialDatagrams("127.0.0.1:port", dialect).ok());
  EXPECT_FALSE(DialDatagrams("unix://", dialect).ok());
  EXPECT_FALSE(DialDatagrams("unix:///" + std::string(200, 'x'), dialect).ok());
}

}  // namespace
}  // namespace spire_exporter::fakes
