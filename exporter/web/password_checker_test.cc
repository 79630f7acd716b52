#include "exporter/web/password_checker.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>

#include "exporter/web/test_hashes.h"

namespace spire_exporter {
namespace {

using Answer = PasswordChecker::Answer;

class PasswordCheckerTest : public ::testing::Test {
 protected:
  PasswordCheckerTest() { checker_.SetUsers({{"prom", kHashOfSecret}}); }

  // The connections that were named, once there are any.
  std::vector<uint64_t> Wait() {
    pollfd ready{checker_.ready_fd(), POLLIN, 0};
    EXPECT_EQ(poll(&ready, 1, 20'000), 1);
    return checker_.TakeReady();
  }
  Answer CheckWhole(std::string_view user, std::string_view password) {
    const Answer first = checker_.Check("peer", user, password, 1);
    if (first != Answer::kLater) return first;
    EXPECT_EQ(Wait(), std::vector<uint64_t>{1});
    return checker_.Check("peer", user, password, 1);
  }

  PasswordChecker checker_;
};

TEST_F(PasswordCheckerTest, ChecksOnceAndRemembers) {
  EXPECT_EQ(checker_.Check("peer", "prom", "secret", 7), Answer::kLater);
  EXPECT_EQ(Wait(), std::vector<uint64_t>{7});
  EXPECT_EQ(checker_.Check("peer", "prom", "secret", 7), Answer::kRight);
  EXPECT_EQ(checker_.Check("other peer", "prom", "secret", 8), Answer::kRight);
}

TEST_F(PasswordCheckerTest, SaysNoToWrongPasswordsAndUnknownUsers) {
  EXPECT_EQ(CheckWhole("prom", "wrong"), Answer::kWrong);
  EXPECT_EQ(CheckWhole("nobody", "secret"), Answer::kWrong);
  // What reads the same when put together is not the same.
  EXPECT_EQ(CheckWhole("pro", "msecret"), Answer::kWrong);
  EXPECT_EQ(CheckWhole("", "promsecret"), Answer::kWrong);
  EXPECT_EQ(CheckWhole("prom", "secret"), Answer::kRight);
}

TEST_F(PasswordCheckerTest, ForgetsWhenUsersChange) {
  ASSERT_EQ(CheckWhole("prom", "secret"), Answer::kRight);
  checker_.SetUsers({{"prom", kHashOfOther}});
  EXPECT_EQ(CheckWhole("prom", "secret"), Answer::kWrong);
  EXPECT_EQ(CheckWhole("prom", "other"), Answer::kRight);
  checker_.SetUsers({});
  EXPECT_EQ(checker_.Check("peer", "prom", "other", 1), Answer::kWrong);
}

TEST_F(PasswordCheckerTest, ChecksTheSameOnceForAllThatAsk) {
  checker_.SetUsers({{"prom", kCostlyHashOfSecret}});
  for (uint64_t connection = 1; connection <= 100; ++connection) {
    ASSERT_EQ(checker_.Check("peer", "prom", "secret", connection), Answer::kLater);
  }
  EXPECT_EQ(Wait().size(), 100u);
}

TEST_F(PasswordCheckerTest, OneAddressCannotTakeAllPlacesNorAllTurns) {
  checker_.SetUsers({{"prom", kCostlyHashOfSecret}});
  int later = 0;
  int busy = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    const Answer answer = checker_.Check("attacker", "prom", "wrong" + std::to_string(i), 1000 + i);
    (answer == Answer::kLater ? later : busy) += 1;
  }
  EXPECT_LE(later, 9);  // eight that wait and one that runs
  EXPECT_GE(busy, 91);
  ASSERT_EQ(checker_.Check("honest", "prom", "secret", 1), Answer::kLater);
  // At most the one that ran and one more come before it.
  std::vector<uint64_t> done;
  while (std::find(done.begin(), done.end(), 1) == done.end()) {
    for (const uint64_t connection : Wait()) done.push_back(connection);
  }
  EXPECT_LE(done.size(), 3u);
  EXPECT_EQ(checker_.Check("honest", "prom", "secret", 1), Answer::kRight);
}

TEST_F(PasswordCheckerTest, WrongPasswordsDoNotPushRightOnesOutOfMemory) {
  ASSERT_EQ(CheckWhole("prom", "secret"), Answer::kRight);
  for (int i = 0; i < 1200; ++i) {
    ASSERT_EQ(CheckWhole("prom", "wrong" + std::to_string(i)), Answer::kWrong);
  }
  EXPECT_EQ(checker_.Check("peer", "prom", "secret", 1), Answer::kRight);
  // The oldest wrong one is forgotten and checked anew.
  EXPECT_EQ(checker_.Check("peer", "prom", "wrong0", 1), Answer::kLater);
}

}  // namespace
}  // namespace spire_exporter
