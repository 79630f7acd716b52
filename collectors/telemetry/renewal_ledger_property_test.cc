// The renewal ledger held against agents that renew as SPIRE's do.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "collectors/telemetry/renewal_ledger.h"

namespace spire_exporter::telemetry {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

Instant At(Duration since) {
  return {SteadyTime(duration_cast<SteadyTime::duration>(since)),
          SystemTime(seconds(1'800'000'000) + duration_cast<SystemTime::duration>(since))};
}

// SPIRE's agent: at each sync every SVID is renewed that has less of its life left than one half
// and a jitter of a twentieth, drawn anew each time.
class Agent {
 public:
  Agent(RenewalLedger& ledger, Duration ttl, uint64_t seed)
      : ledger_(ledger), ttl_(ttl), random_(seed) {}

  void Start(size_t svids) {
    ledger_.OnStarted(now());
    for (size_t i = 0; i < svids; ++i) AddSvid();
  }
  void AddSvid() { AddSvid(ttl_); }
  // One whose entry has a lifetime of its own.
  void AddSvid(Duration ttl) {
    svids_.push_back({now_, ttl});
    ledger_.OnSigned(At(now_), milliseconds(5), now());
    ledger_.OnCached(svids_.size(), At(now_), now());
  }
  void RemoveSvid() {
    svids_.erase(svids_.begin() + std::uniform_int_distribution<std::ptrdiff_t>(
                                      0, static_cast<std::ptrdiff_t>(svids_.size()) - 1)(random_));
    ledger_.OnCached(svids_.size(), At(now_), now());
  }
  // Five seconds, and what a sync does; `heard` is false while nobody listens.
  void Sync(bool heard = true) {
    now_ += milliseconds(std::uniform_int_distribution<int>(4900, 5200)(random_));
    std::uniform_real_distribution<double> jitter(-0.05, 0.05);
    uint64_t due = 0;
    for (Svid& svid : svids_) {
      const Duration left = svid.signing + svid.ttl - now_;
      const Duration life = svid.ttl + seconds(10);
      const double share = static_cast<double>(left.count()) / static_cast<double>(life.count());
      if (share > 0.5 + jitter(random_)) continue;
      svid.signing = now_;
      ++due;
    }
    if (!heard) return;
    // The client keeps no order between names.
    const bool synced_first = random_() % 2 == 0;
    const bool signed_first = random_() % 2 == 0;
    if (synced_first) ledger_.OnSynced(At(now_), now());
    if (due > 0) {
      if (signed_first) ledger_.OnSigned(At(now_), milliseconds(5), now());
      ledger_.OnExpiring(due, At(now_), now());
      if (!signed_first) ledger_.OnSigned(At(now_), milliseconds(5), now());
      ledger_.OnCached(svids_.size(), At(now_), now());
    }
    if (!synced_first) ledger_.OnSynced(At(now_), now());
    ledger_.Tick(now() + seconds(2));
  }
  SystemTime Truth() const {
    Duration first = Duration::max();
    for (const Svid& svid : svids_) first = std::min(first, svid.signing + svid.ttl);
    return At(first).system;
  }
  Instant Now() const { return At(now_ + seconds(2)); }
  size_t size() const { return svids_.size(); }
  std::mt19937_64& random() { return random_; }

 private:
  struct Svid {
    Duration signing;
    Duration ttl;
  };

  SteadyTime now() const { return At(now_).steady; }

  RenewalLedger& ledger_;
  const Duration ttl_;
  std::mt19937_64 random_;
  Duration now_ = seconds(1000);
  std::vector<Svid> svids_;
};

TEST(RenewalLedgerPropertyTest, TellsTheFirstEndWithinTenSecondsWithSvidsOfFourMinutes) {
  // Where two have passed each other by more than four syncs: the ledger says so.
  size_t told = 0, doubtful = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    RenewalLedger ledger;
    ledger.SetTtl(seconds(240));
    Agent agent(ledger, seconds(240), seed);
    agent.Start(1 + seed % 8);
    for (int sync = 0; sync < 200; ++sync) {
      agent.Sync();
      if (agent.random()() % 40 == 0 && agent.size() < 12) agent.AddSvid();
      const RenewalLedger::Standing standing = ledger.Read(agent.Now());
      ASSERT_TRUE(standing.whole) << seed << " " << sync;
      ASSERT_FALSE(standing.groups.empty());
      const Duration late = standing.groups[0].expiry - agent.Truth();
      ++told;
      const bool sure = standing.sooner + standing.later <= seconds(20);
      doubtful += sure ? 0 : 1;
      ASSERT_LE(late, sure ? seconds(10) : seconds(16)) << seed << " " << sync;
      ASSERT_GE(late, -seconds(10)) << seed << " " << sync;
    }
  }
  EXPECT_EQ(told, 400u * 200);
  EXPECT_LE(doubtful, told / 50);
}

TEST(RenewalLedgerPropertyTest, TheTruthLiesBetweenTheBoundsItTells) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const Duration ttl = seed % 2 == 0 ? seconds(240) : seconds(3600);
    RenewalLedger ledger;
    ledger.SetTtl(ttl);
    Agent agent(ledger, ttl, seed);
    agent.Start(1 + seed % 30);
    const int syncs = static_cast<int>(ttl / seconds(5)) * 3;
    for (int sync = 0; sync < syncs; ++sync) {
      agent.Sync();
      if (agent.random()() % 60 == 0 && agent.size() < 40) agent.AddSvid();
      if (agent.random()() % 60 == 0 && agent.size() > 1) agent.RemoveSvid();
      const RenewalLedger::Standing standing = ledger.Read(agent.Now());
      if (!standing.whole) continue;
      ASSERT_FALSE(standing.groups.empty());
      const SystemTime first = standing.groups[0].expiry;
      ASSERT_LE(first - standing.sooner - seconds(1), agent.Truth()) << seed << " " << sync;
      ASSERT_GE(first + standing.later + seconds(1), agent.Truth()) << seed << " " << sync;
    }
  }
}

// Entries with a shorter x509_svid_ttl of their own.
TEST(RenewalLedgerPropertyTest, PromisesNothingBesideShorterLivesOnceOneWasRenewed) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const Duration shorter = seconds(300 + static_cast<int64_t>(seed) % 4 * 300);
    RenewalLedger ledger;
    ledger.SetTtl(seconds(3600));
    Agent agent(ledger, seconds(3600), seed);
    agent.Start(seed % 4);
    for (uint64_t i = 0; i <= seed % 3; ++i) agent.AddSvid(shorter);
    if (seed % 5 == 0) ledger.OnDoubt(agent.Now().steady);
    const int renewed = static_cast<int>(shorter / seconds(5) * 6 / 10) + 1;
    for (int sync = 0; sync < 3000; ++sync) {
      agent.Sync();
      const RenewalLedger::Standing standing = ledger.Read(agent.Now());
      if (sync < renewed || !standing.whole) continue;
      ASSERT_FALSE(standing.groups.empty());
      ASSERT_LE(standing.groups[0].expiry, agent.Truth() + seconds(10)) << seed << " " << sync;
    }
    EXPECT_TRUE(ledger.Read(agent.Now()).shorter_lives) << seed;
  }
}

TEST(RenewalLedgerPropertyTest, SeesNoShorterLivesWhereAllLiveAlike) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    RenewalLedger ledger;
    ledger.SetTtl(seconds(240));
    Agent agent(ledger, seconds(240), seed);
    agent.Start(1 + seed % 30);
    for (int sync = 0; sync < 300; ++sync) {
      agent.Sync();
      if (agent.random()() % 60 == 0 && agent.size() < 40) agent.AddSvid();
      if (agent.random()() % 60 == 0 && agent.size() > 1) agent.RemoveSvid();
      if (agent.random()() % 200 == 0) ledger.OnDoubt(agent.Now().steady);
      ASSERT_FALSE(ledger.Read(agent.Now()).shorter_lives) << seed << " " << sync;
    }
  }
}

TEST(RenewalLedgerPropertyTest, BecomesWholeWithinAHalfLifeOfAnAgentThatRanBefore) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    RenewalLedger unheard, ledger;
    ledger.SetTtl(seconds(240));
    Agent agent(ledger, seconds(240), seed);
    agent.Start(5);
    for (int sync = 0; sync < 60; ++sync) agent.Sync(false);
    ledger.OnDoubt(agent.Now().steady);
    for (int sync = 0; sync < 30; ++sync) {
      agent.Sync();
      const RenewalLedger::Standing standing = ledger.Read(agent.Now());
      EXPECT_FALSE(sync < 20 && standing.whole);
      if (!standing.whole) continue;
      const Duration late = standing.groups[0].expiry - agent.Truth();
      ASSERT_LE(late, seconds(10)) << seed << " " << sync;
      ASSERT_GE(late, -seconds(10)) << seed << " " << sync;
    }
    EXPECT_TRUE(ledger.Read(agent.Now()).whole);
  }
}

}  // namespace
}  // namespace spire_exporter::telemetry
