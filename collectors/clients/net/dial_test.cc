#include "collectors/clients/net/dial.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>
#include <thread>

#include "collectors/clients/net/test_names.h"

namespace spire_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The last byte of the only address.
int Host(const Result<std::vector<SocketAddress>>& addresses) {
  if (!addresses.ok() || addresses->size() != 1) return -1;
  sockaddr_in in = {};
  std::memcpy(&in, &addresses->front().storage, sizeof in);
  return static_cast<int>(ntohl(in.sin_addr.s_addr) & 0xff);
}

class ResolverTest : public testing::Test {
 protected:
  void TearDown() override {
    while (CountResolvers() > 0) std::this_thread::yield();
  }
  Result<std::vector<SocketAddress>> Resolve(Duration within) {
    return resolver_.Resolve("a.test", 80, Waiter(Deadline::After(clock_, within), clock_, {}));
  }

  const RealClock clock_;
  TestNames names_;
  Resolver resolver_;
};

TEST_F(ResolverTest, ResolvesAName) {
  EXPECT_EQ(Resolve(seconds(20)).error().code, Code::kUnavailable);
  names_.Answer("a.test", "127.0.0.1");
  EXPECT_EQ(Host(Resolve(seconds(20))), 1);
}

TEST_F(ResolverTest, TakesNoAnswerThatCameWhileNobodyWaited) {
  names_.Hang("a.test");
  EXPECT_EQ(Resolve(milliseconds(20)).error().code, Code::kDeadlineExceeded);
  while (CountResolvers() == 0) std::this_thread::yield();
  // The second question is the first one's, as long as that goes on.
  EXPECT_EQ(Resolve(milliseconds(20)).error().code, Code::kDeadlineExceeded);
  EXPECT_EQ(CountResolvers(), 1u);
  names_.Answer("a.test", "127.0.0.1");
  while (CountResolvers() > 0) std::this_thread::yield();
  names_.Answer("a.test", "127.0.0.2");
  EXPECT_EQ(Host(Resolve(seconds(20))), 2);
}

}  // namespace
}  // namespace spire_exporter
