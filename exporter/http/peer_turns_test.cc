#include "exporter/http/peer_turns.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace spire_exporter {
namespace {

class PeerTurnsTest : public ::testing::Test {
 protected:
  Connection& Make(Peer& peer) {
    connections_.push_back(std::make_unique<Connection>(HeadLimits{}));
    connections_.back()->peer = &peer;
    return *connections_.back();
  }

  Peer greedy_, modest_;
  std::vector<std::unique_ptr<Connection>> connections_;
  PeerTurns turns_{&Peer::due};
};

TEST_F(PeerTurnsTest, AddressesTakeTurns) {
  Connection& a1 = Make(greedy_);
  Connection& a2 = Make(greedy_);
  Connection& b1 = Make(modest_);
  for (Connection* one : {&a1, &a2, &b1}) turns_.Push(*one);
  EXPECT_EQ(turns_.size(), 3U);
  EXPECT_EQ(turns_.addresses().size(), 2U);
  EXPECT_EQ(turns_.Pop(), &a1);
  turns_.Push(a1);  // behind its own and the others'
  for (Connection* expected : {&b1, &a2, &a1}) EXPECT_EQ(turns_.Pop(), expected);
  EXPECT_EQ(turns_.Pop(), nullptr);
  EXPECT_EQ(turns_.size(), 0U);
}

TEST_F(PeerTurnsTest, AnAddressWithoutConnectionsHasNoTurn) {
  Connection& a1 = Make(greedy_);
  Connection& b1 = Make(modest_);
  turns_.Push(a1);
  turns_.Push(b1);
  EXPECT_TRUE(turns_.Remove(a1));
  EXPECT_FALSE(turns_.Remove(a1));
  EXPECT_EQ(turns_.addresses().size(), 1U);
  EXPECT_EQ(turns_.Pop(), &b1);
  EXPECT_EQ(turns_.Pop(), nullptr);
}

TEST_F(PeerTurnsTest, TheLinesOfAnAddressAreApart) {
  PeerTurns others{&Peer::ready};
  Connection& a1 = Make(greedy_);
  turns_.Push(a1);
  EXPECT_FALSE(others.Remove(a1));
  EXPECT_EQ(others.Pop(), nullptr);
  EXPECT_EQ(turns_.Pop(), &a1);
}

}  // namespace
}  // namespace spire_exporter
