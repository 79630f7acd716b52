#include "collectors/svid/reach_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

#include "collectors/svid/test_servers.h"

namespace spire_exporter::svid {
namespace {

using spire::ServerStage;

SocketAddress Address(uint32_t host) {
  sockaddr_in in = {};
  in.sin_family = AF_INET;
  in.sin_port = htons(8081);
  in.sin_addr.s_addr = htonl(0x0a000000 + host);
  SocketAddress address;
  std::memcpy(&address.storage, &in, sizeof in);
  address.size = sizeof in;
  return address;
}

class ReachMemoryTest : public testing::Test {
 protected:
  // Looks at all places; whether something changed.
  bool LookAtAll(const ReachProbe& probe) {
    std::vector<size_t> places;
    memory_.Tasks(std::vector<bool>(memory_.size(), true), kTestNow, &places);
    bool changed = false;
    for (const size_t place : places) {
      changed = memory_.Learn(place, probe, kTestNow, SteadyTime()) || changed;
    }
    return changed;
  }
  std::vector<ReachTask> Due(bool picked, SystemTime now = kTestNow) {
    std::vector<size_t> places;
    return memory_.Tasks(std::vector<bool>(memory_.size(), picked), now, &places);
  }

  ReachMemory memory_;
  const TestServer server_ = MakeTestServer(), other_ = MakeTestServer();
};

TEST_F(ReachMemoryTest, KnowsAnAddressWhateverTheOrder) {
  EXPECT_TRUE(memory_.Resolved({Address(1), Address(2)}));
  EXPECT_TRUE(LookAtAll(Serving(server_)));
  EXPECT_FALSE(memory_.Resolved({Address(2), Address(1)}));
  EXPECT_FALSE(LookAtAll(Serving(server_)));
  EXPECT_EQ(memory_.States().size(), 2U);
}

TEST_F(ReachMemoryTest, ForgetsAddressesThatAreGoneAndLooksAtNewOnesAtOnce) {
  memory_.Resolved({Address(1), Address(2)});
  LookAtAll(Serving(server_));
  EXPECT_TRUE(memory_.Resolved({Address(1)}));
  EXPECT_EQ(memory_.States().size(), 1U);
  EXPECT_TRUE(Due(false).empty());
  EXPECT_TRUE(memory_.Resolved({Address(1), Address(3)}));
  EXPECT_EQ(Due(false).size(), 1U);
}

TEST_F(ReachMemoryTest, LooksAgainAtOnceWhereACertificateHasEnded) {
  memory_.Resolved({Address(1)});
  LookAtAll(Serving(server_));
  EXPECT_EQ(memory_.States().at(0).seen, kTestNow);
  EXPECT_TRUE(Due(false, kTestNow + std::chrono::seconds(2999)).empty());
  EXPECT_EQ(Due(false, kTestNow + std::chrono::seconds(3000)).size(), 1U);
}

TEST_F(ReachMemoryTest, BoundsTheAddresses) {
  std::vector<SocketAddress> many;
  for (uint32_t i = 0; i < 100; ++i) many.push_back(Address(i));
  memory_.Resolved(many);
  EXPECT_EQ(memory_.size(), ReachMemory::kAddressesMax);
  EXPECT_FALSE(memory_.Resolved(many));
}

TEST_F(ReachMemoryTest, AsksThoseThatServedForTheirBundleAtOnce) {
  memory_.Resolved({Address(1)});
  EXPECT_FALSE(Due(true).at(0).served_before);
  memory_.Learn(0, Serving(server_), kTestNow, SteadyTime());
  EXPECT_TRUE(Due(true).at(0).served_before);
  memory_.Learn(0, Ended(ServerStage::kTls, Code::kDeadlineExceeded), kTestNow, SteadyTime());
  EXPECT_FALSE(Due(true).at(0).served_before);
}

TEST_F(ReachMemoryTest, LooksAtAHandshakeByItselfNowAndThen) {
  memory_.Resolved({Address(1)});
  size_t handshakes = 0;
  for (int i = 0; i < 100; ++i) {
    if (!Due(true).at(0).served_before) ++handshakes;
    memory_.Learn(0, Serving(server_), kTestNow, SteadyTime());
  }
  EXPECT_EQ(handshakes, 10U);
}

TEST_F(ReachMemoryTest, TellsChanges) {
  memory_.Resolved({Address(1)});
  LookAtAll(Serving(server_));
  EXPECT_FALSE(LookAtAll(Serving(server_, {}, 2)));  // the same authorities
  EXPECT_TRUE(LookAtAll(Serving(server_, {other_}, 3)));
  EXPECT_TRUE(LookAtAll(Ended(ServerStage::kBundle, Code::kInternal)));
  EXPECT_FALSE(LookAtAll(Ended(ServerStage::kBundle, Code::kInternal)));
  EXPECT_TRUE(LookAtAll(Ended(ServerStage::kBundle, Code::kDeadlineExceeded)));
  EXPECT_TRUE(LookAtAll(Serving(server_)));
}

}  // namespace
}  // namespace spire_exporter::svid
