#include "exporter/http/ready_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace spire_exporter {
namespace {

class ReadyQueueTest : public ::testing::Test {
 protected:
  Connection& Make(Peer& peer, bool probe = false) {
    connections_.push_back(std::make_unique<Connection>(HeadLimits{}));
    connections_.back()->peer = &peer;
    connections_.back()->probe = probe;
    return *connections_.back();
  }

  Peer greedy_;
  Peer modest_;
  std::vector<std::unique_ptr<Connection>> connections_;
  ReadyQueue queue_;
};

TEST_F(ReadyQueueTest, AddressesTakeTurnsAndProbesGoFirst) {
  Connection& a1 = Make(greedy_);
  Connection& a2 = Make(greedy_);
  Connection& a3 = Make(greedy_);
  Connection& b1 = Make(modest_);
  Connection& probe = Make(greedy_, true);
  for (Connection* one : {&a1, &a2, &a3, &b1, &probe}) queue_.Push(*one);
  EXPECT_EQ(queue_.size(), 4U);
  for (Connection* expected : {&probe, &a1, &b1, &a2, &a3}) EXPECT_EQ(queue_.Pop(), expected);
  EXPECT_EQ(queue_.Pop(), nullptr);
  EXPECT_EQ(queue_.size(), 0U);
}

TEST_F(ReadyQueueTest, ARemovedRequestLosesItsTurn) {
  Connection& a1 = Make(greedy_);
  Connection& b1 = Make(modest_);
  Connection& probe = Make(modest_, true);
  for (Connection* one : {&a1, &b1, &probe}) queue_.Push(*one);
  queue_.Remove(a1);
  queue_.Remove(a1);  // a second time changes nothing
  queue_.Remove(probe);
  EXPECT_EQ(queue_.size(), 1U);
  EXPECT_EQ(queue_.Pop(), &b1);
  EXPECT_EQ(queue_.Pop(), nullptr);
}

TEST_F(ReadyQueueTest, OnlyAnAddressWithClearlyMoreMakesRoom) {
  Connection& a1 = Make(greedy_);
  Connection& a2 = Make(greedy_);
  queue_.Push(a1);
  EXPECT_EQ(queue_.Displaceable(modest_), nullptr) << "one each is fair";
  queue_.Push(a2);
  EXPECT_EQ(queue_.Displaceable(modest_), &a2);
  EXPECT_EQ(queue_.Displaceable(greedy_), nullptr);
}

}  // namespace
}  // namespace spire_exporter
