#include "collectors/postgres/locks_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spire_exporter::postgres {
namespace {

using testing::ElementsAre;
using testing::FieldsAre;
using testing::IsEmpty;

std::vector<LockWaiter> Chain(int64_t length) {
  std::vector<LockWaiter> waiters;
  for (int64_t i = 0; i < length; ++i) waiters.push_back({100 + i, {99 + i}});
  return waiters;
}

TEST(LocksTreeTest, NobodyWaitsMakesNoTree) {
  const BlockingForest forest = GrowForest({});
  EXPECT_THAT(forest.roots, IsEmpty());
  EXPECT_EQ(forest.deadlocked, 0u);
  EXPECT_FALSE(forest.cut_short);
}

TEST(LocksTreeTest, CountsWhoWaitsBehindOthers) {
  // 1 <- 2 <- 3, 1 <- 4, and 9 <- 8.
  const std::vector<LockWaiter> waiters = {{2, {1}}, {3, {2}}, {4, {1}}, {8, {9}}};
  EXPECT_THAT(GrowForest(waiters).roots, ElementsAre(FieldsAre(1, 3), FieldsAre(9, 1)));
}

TEST(LocksTreeTest, CountsASessionBehindTwoRootsForBoth) {
  const std::vector<LockWaiter> waiters = {{3, {1, 2}}, {4, {3}}};
  const BlockingForest forest = GrowForest(waiters);
  EXPECT_THAT(forest.roots, ElementsAre(FieldsAre(1, 2), FieldsAre(2, 2)));
  EXPECT_EQ(forest.blocked, 2u);
}

TEST(LocksTreeTest, CountsASessionOnceThatIsReachedOnTwoWays) {
  const std::vector<LockWaiter> waiters = {{2, {1}}, {3, {1}}, {4, {2, 3, 3, 1}}};
  EXPECT_THAT(GrowForest(waiters).roots, ElementsAre(FieldsAre(1, 3)));
}

TEST(LocksTreeTest, PreparedTransactionIsARoot) {
  const std::vector<LockWaiter> waiters = {{2, {kPreparedPid}}, {3, {2, kPreparedPid}}};
  EXPECT_THAT(GrowForest(waiters).roots, ElementsAre(FieldsAre(kPreparedPid, 2)));
}

TEST(LocksTreeTest, ACircleIsNoRootAndEnds) {
  // 1 and 2 wait for each other, 3 waits for them; 5 waits for 4.
  const std::vector<LockWaiter> waiters = {{1, {2}}, {2, {1}}, {3, {2}}, {5, {4}}};
  const BlockingForest forest = GrowForest(waiters);
  EXPECT_THAT(forest.roots, ElementsAre(FieldsAre(4, 1)));
  EXPECT_EQ(forest.blocked, 1u);
  EXPECT_EQ(forest.deadlocked, 3u);
}

TEST(LocksTreeTest, ACircleThatARootBlocksTooIsBehindIt) {
  const std::vector<LockWaiter> waiters = {{1, {2, 7}}, {2, {1}}};
  const BlockingForest forest = GrowForest(waiters);
  EXPECT_THAT(forest.roots, ElementsAre(FieldsAre(7, 2)));
  EXPECT_EQ(forest.deadlocked, 0u);
}

TEST(LocksTreeTest, ASessionThatWaitsForItselfWaitsForNobody) {
  const std::vector<LockWaiter> waiters = {{1, {1}}};
  const BlockingForest forest = GrowForest(waiters);
  EXPECT_THAT(forest.roots, IsEmpty());
  EXPECT_EQ(forest.deadlocked, 0u);
}

TEST(LocksTreeTest, AWaiterWithoutKnownBlockersIsNoRoot) {
  const std::vector<LockWaiter> waiters = {{1, {}}, {2, {1}}};
  const BlockingForest forest = GrowForest(waiters);
  EXPECT_THAT(forest.roots, IsEmpty());
  EXPECT_EQ(forest.deadlocked, 0u);
}

TEST(LocksTreeTest, TenThousandInARow) {
  const BlockingForest forest = GrowForest(Chain(10'000));
  EXPECT_THAT(forest.roots, ElementsAre(FieldsAre(99, 10'000)));
  EXPECT_FALSE(forest.cut_short);
}

TEST(LocksTreeTest, TenThousandInACircle) {
  std::vector<LockWaiter> waiters = Chain(10'000);
  waiters.front().blockers = {waiters.back().pid};
  const BlockingForest forest = GrowForest(waiters);
  EXPECT_THAT(forest.roots, IsEmpty());
  EXPECT_EQ(forest.deadlocked, 10'000u);
}

// A queue: everyone waits for all in front of him, as pg_blocking_pids() tells it.
TEST(LocksTreeTest, AQueueHasOneRoot) {
  std::vector<LockWaiter> waiters;
  for (int64_t i = 1; i <= 500; ++i) {
    waiters.push_back({i, {}});
    for (int64_t front = 0; front < i; ++front) waiters.back().blockers.push_back(front + 1000);
    for (int64_t& pid : waiters.back().blockers) pid = pid == 1000 ? 9999 : pid - 1000;
  }
  EXPECT_THAT(GrowForest(waiters).roots, ElementsAre(FieldsAre(9999, 500)));
}

TEST(LocksTreeTest, SaysWhenTheWorkHadAnEndFirst) {
  const BlockingForest forest = GrowForest(Chain(1'000), 100);
  EXPECT_TRUE(forest.cut_short);
  EXPECT_EQ(forest.deadlocked, 0u);
}

}  // namespace
}  // namespace spire_exporter::postgres
