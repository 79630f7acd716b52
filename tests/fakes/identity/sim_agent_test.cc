#include "tests/fakes/identity/sim_agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace spire_exporter::fakes {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_seconds;

class FixedServers final : public Servers {
 public:
  explicit FixedServers(std::shared_ptr<const Authority> authority)
      : authority_(std::move(authority)) {}
  Result<ReachedServer> Reach(const std::vector<std::string>& roots, Duration) override {
    if (down) return Error{Code::kUnavailable, "down", {}};
    if (roots.empty() || roots[0] != authority_->root()) {
      return Error{Code::kUnauthenticated, "untrusted", {}};
    }
    return ReachedServer{authority_, {authority_->root()}, authority_->Jwks()};
  }
  Status Sign(const Authority&, Duration) override {
    return denied ? Status(Error{Code::kInternal, "denied", {}}) : Status();
  }

  void NewKeys(std::shared_ptr<const Authority> authority) { authority_ = std::move(authority); }

  bool down = false;
  bool denied = false;

 private:
  std::shared_ptr<const Authority> authority_;
};

class Recorder final : public AgentEvents {
 public:
  void Synced(const SyncStory& story) override { syncs.push_back(story); }
  void Retried() override { ++retries; }
  void Rotated(Attestor, std::string_view status, bool first) override {
    (first ? joins : rotations).emplace_back(status);
  }
  void Changed() override { ++changes; }
  void Issued(std::string_view kind, const Svid& svid) override {
    (kind == "agent" ? own : workload).push_back(svid.not_after);
  }

  std::vector<SyncStory> syncs;
  std::vector<std::string> joins, rotations;
  std::vector<sys_seconds> own, workload;
  int changes = 0;
  int retries = 0;
};

class SimAgentTest : public testing::Test {
 protected:
  SimAgentTest() {
    options_.entries = {"a", "b", "c", "d", "e"};
    options_.bootstrap_roots = {authority_->root()};
  }
  void Start() { agent_ = std::make_unique<SimAgent>(options_, clock_, &servers_, &events_); }
  // False once the agent has ended.
  bool Run(Duration span) {
    const SteadyTime end = clock_.Steady() + span;
    while (clock_.Steady() < end) {
      if (!agent_->Step()) return false;
      clock_.Advance(milliseconds(500));
    }
    return true;
  }
  sys_seconds Now() const { return std::chrono::floor<seconds>(clock_.System()); }

  ManualClock clock_;
  const std::shared_ptr<const Authority> authority_ =
      std::make_shared<const Authority>(AuthorityOptions{.now = Now()});
  FixedServers servers_{authority_};
  Recorder events_;
  SimAgentOptions options_;
  std::unique_ptr<SimAgent> agent_;
};

TEST_F(SimAgentTest, JoinsAndHoldsAnSvidForEachEntry) {
  Start();
  ASSERT_TRUE(Run(seconds(1)));
  EXPECT_TRUE(agent_->ready());
  EXPECT_TRUE(agent_->OwnVerifies());
  EXPECT_THAT(events_.joins, testing::ElementsAre("OK"));
  EXPECT_EQ(agent_->svids().size(), 5U);
  EXPECT_EQ(events_.syncs.at(0).added, 5U);
  EXPECT_EQ(events_.syncs[0].expiring, 0U);
  EXPECT_EQ(agent_->FirstExpiry(), events_.workload.at(0));
  EXPECT_EQ(agent_->last_sync(), sys_seconds(seconds(1'800'000'000)));
}

TEST_F(SimAgentTest, RenewsEachSvidAboutHalfWay) {
  Start();
  ASSERT_TRUE(Run(minutes(10)));
  uint64_t expiring = 0;
  for (const SyncStory& story : events_.syncs) expiring += story.expiring;
  EXPECT_EQ(events_.workload.size(), 5U + expiring);
  // Each lives 250 s and is renewed after 112.5 to 137.5 s, at the next sync.
  EXPECT_GE(expiring, 5U * 4);
  EXPECT_LE(expiring, 5U * 6);
  EXPECT_EQ(events_.syncs.size(), 120U);
  EXPECT_GE(events_.own.size(), 3U);
  EXPECT_GT(*agent_->FirstExpiry(), Now() + seconds(95));
}

TEST_F(SimAgentTest, WithoutServersSvidsExpireAndThenItEnds) {
  Start();
  ASSERT_TRUE(Run(minutes(5)));
  servers_.down = true;
  const size_t syncs = events_.syncs.size();
  const sys_seconds own_ends = events_.own.back();
  const sys_seconds frozen = *agent_->last_sync();
  EXPECT_FALSE(Run(minutes(20)));
  EXPECT_EQ(events_.own.back(), own_ends);
  EXPECT_EQ(agent_->last_sync(), frozen);
  // Attempts to renew come at growing intervals, so that it lives on for a while.
  EXPECT_GE(Now(), own_ends);
  EXPECT_LE(Now(), own_ends + seconds(120));
  EXPECT_LT(agent_->FirstExpiry(), Now());
  EXPECT_FALSE(agent_->OwnVerifies());
  EXPECT_GT(events_.rotations.size(), 3U);
  EXPECT_EQ(events_.rotations.back(), "Unavailable");
  EXPECT_EQ(events_.syncs.back().entries_status, "Unavailable");
  EXPECT_LT(events_.syncs.size() - syncs, 20U);
}

TEST_F(SimAgentTest, ComesBackByItselfWhenServersDo) {
  Start();
  ASSERT_TRUE(Run(minutes(5)));
  servers_.down = true;
  ASSERT_TRUE(Run(seconds(90)));
  servers_.down = false;
  ASSERT_TRUE(Run(minutes(3)));
  EXPECT_EQ(events_.syncs.back().entries_status, "OK");
  EXPECT_GT(*agent_->FirstExpiry(), Now());
  EXPECT_TRUE(agent_->OwnVerifies());
}

TEST_F(SimAgentTest, EndsAtTheFirstSyncWithAServerThatLostItsKeys) {
  Start();
  ASSERT_TRUE(Run(minutes(5)));
  const size_t syncs = events_.syncs.size();
  servers_.NewKeys(std::make_shared<const Authority>(AuthorityOptions{.now = Now()}));
  EXPECT_FALSE(Run(seconds(20)));
  EXPECT_EQ(events_.syncs.size(), syncs + 1);
  EXPECT_EQ(events_.syncs.back().entries_status, "Unavailable");
  EXPECT_GT(*agent_->FirstExpiry(), Now()) << "its SVIDs were still good";
}

TEST_F(SimAgentTest, ADeniedSignatureLooksLikeASuccessAndIsAskedForTwiceASecond) {
  Start();
  ASSERT_TRUE(Run(seconds(10)));
  servers_.denied = true;
  ASSERT_TRUE(Run(minutes(4)));
  const SyncStory& last = events_.syncs.back();
  EXPECT_EQ(last.entries_status, "OK");
  EXPECT_EQ(last.svids_status, "OK");
  EXPECT_EQ(last.expiring, 5U);
  EXPECT_EQ(events_.workload.size(), 5U);
  // From the first renewal on, but at the syncs themselves.
  EXPECT_GT(events_.retries, 150);
  servers_.denied = false;
  ASSERT_TRUE(Run(seconds(1)));
  EXPECT_EQ(events_.workload.size(), 10U) << "before the next sync";
  const int retries = events_.retries;
  ASSERT_TRUE(Run(seconds(20)));
  EXPECT_EQ(events_.retries, retries);
}

class RestartTest : public SimAgentTest {
 protected:
  RestartTest() {
    char pattern[] = "/tmp/sim_agent_XXXXXX";
    folder_ = mkdtemp(pattern);
    options_.state_file = folder_ + "/state";
  }
  ~RestartTest() override { std::filesystem::remove_all(folder_); }
  // Runs, is without servers until it ends, and starts anew with servers.
  void LiveAndDie() {
    Start();
    ASSERT_TRUE(Run(minutes(1)));
    servers_.down = true;
    ASSERT_FALSE(Run(minutes(30)));
    servers_.down = false;
    events_ = {};
    Start();
    ASSERT_TRUE(Run(minutes(2)));
  }

  std::string folder_;
};

TEST_F(RestartTest, ByCertificateItAttestsAgain) {
  LiveAndDie();
  EXPECT_TRUE(agent_->ready());
  EXPECT_THAT(events_.joins, testing::ElementsAre("OK"));
}

TEST_F(RestartTest, ByTokenItNeverReturns) {
  options_.attestor = Attestor::kJoinToken;
  LiveAndDie();
  EXPECT_FALSE(agent_->ready());
  EXPECT_GT(events_.joins.size(), 3U);
  EXPECT_THAT(events_.joins, testing::Each("InvalidArgument"));
}

TEST_F(RestartTest, ByTokenItReturnsWhileItsSvidLasts) {
  options_.attestor = Attestor::kJoinToken;
  Start();
  ASSERT_TRUE(Run(minutes(1)));
  events_ = {};
  Start();
  ASSERT_TRUE(Run(seconds(1)));
  EXPECT_TRUE(agent_->ready());
  EXPECT_THAT(events_.joins, testing::IsEmpty());
  EXPECT_EQ(events_.workload.size(), 5U);
}

TEST_F(RestartTest, ServersWithOtherKeysAreNotBelieved) {
  LiveAndDie();
  const Authority other({.now = Now()});
  options_.state_file.clear();
  options_.bootstrap_roots = {other.root()};
  events_ = {};
  Start();
  ASSERT_TRUE(Run(minutes(1)));
  EXPECT_FALSE(agent_->ready());
  EXPECT_THAT(events_.joins, testing::Each("Unavailable"));
}

}  // namespace
}  // namespace spire_exporter::fakes
