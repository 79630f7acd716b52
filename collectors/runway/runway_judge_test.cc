#include "collectors/runway/runway_judge.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "collectors/runway/runway_families.h"

namespace spire_exporter::runway {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class RunwayJudgeTest : public testing::Test {
 protected:
  RunwayView Judge() { return judge_.Judge(facts_, clock_.Steady(), clock_.System()); }
  spire::UnixTime In(Duration time) {
    return std::chrono::floor<seconds>(clock_.System()) + std::chrono::floor<seconds>(time);
  }
  template <typename T>
  void Say(const std::string& subject, T value) {
    facts_.Publish(Fact::Make<T>(subject, clock_.Steady(), std::move(value)));
  }
  void SayHorizon(const std::string& subject, Duration left, bool whole = true,
                  bool anybody = false) {
    spire::Horizon horizon;
    horizon.groups = {{In(left), 2}, {In(left + minutes(20)), 3}};
    horizon.whole = whole;
    horizon.anybody_could_say = anybody;
    Say(subject, horizon);
  }
  void SayIssuing(bool issuing) {
    spire::CanaryFact canary;
    canary.issuing = issuing;
    Say("canary", canary);
  }
  static const SourceView& Of(const RunwayView& view, std::string_view clock,
                              std::string_view source) {
    for (const SourceView& each : view.sources) {
      if (each.clock == clock && each.source == source) return each;
    }
    static const SourceView none;
    return none;
  }
  static double Left(const SourceView& view) { return view.runway ? Seconds(*view.runway) : -1e9; }

  ManualClock clock_;
  FactsBoard facts_;
  RunwayJudge judge_{{Role::kStandalone, {}, {}, {}}};
};

TEST_F(RunwayJudgeTest, WithoutFactsAllIsAbsentAndNothingIsZero) {
  const RunwayView view = Judge();
  EXPECT_EQ(view.issuing, "unknown");
  for (const SourceView& source : view.sources) {
    EXPECT_FALSE(source.runway.has_value());
    EXPECT_EQ(source.state, "absent");
  }
  EXPECT_TRUE(view.expiring.empty());
  EXPECT_FALSE(view.jwt || view.ca);
  EXPECT_EQ(view.comeback->state, "unknown");
}

TEST_F(RunwayJudgeTest, CountsDownAndGoesBelowZero) {
  SayIssuing(false);
  SayHorizon("workload/ledger", seconds(100));
  EXPECT_NEAR(Left(Of(Judge(), "workload", "ledger")), 100, 1);
  EXPECT_EQ(Of(Judge(), "workload", "ledger").state, "current");
  clock_.Advance(seconds(130));
  SayIssuing(false);
  EXPECT_NEAR(Left(Of(Judge(), "workload", "ledger")), -30, 1);
  EXPECT_EQ(Of(Judge(), "workload", "ledger").state, "kept");
}

TEST_F(RunwayJudgeTest, TheLastWholeWordIsKeptThroughAnOutage) {
  SayIssuing(true);
  SayHorizon("workload/ledger", minutes(30));
  SayHorizon("agent/cache", minutes(40));
  (void)Judge();
  // The agent exits: its ledger begins anew and its socket is silent.
  clock_.Advance(minutes(20));
  SayIssuing(false);
  Say("workload/ledger", spire::Horizon());
  const RunwayView view = Judge();
  EXPECT_EQ(view.issuing, "no");
  EXPECT_NEAR(Left(Of(view, "workload", "ledger")), 600, 1);
  EXPECT_NEAR(Left(Of(view, "agent", "cache")), 1200, 1);
  EXPECT_EQ(Of(view, "agent", "cache").state, "kept");
}

TEST_F(RunwayJudgeTest, ASilentSourceIsDroppedWhileIdentitiesAreIssued) {
  SayHorizon("agent/cache", minutes(30));
  (void)Judge();
  clock_.Advance(minutes(3));
  SayIssuing(true);
  EXPECT_EQ(Of(Judge(), "agent", "cache").state, "absent");
  EXPECT_FALSE(Of(Judge(), "agent", "cache").runway.has_value());
}

TEST_F(RunwayJudgeTest, ALedgerThatIsNotWholeHasNoValue) {
  SayHorizon("workload/ledger", minutes(30), false);
  EXPECT_EQ(Of(Judge(), "workload", "ledger").state, "partial");
  EXPECT_FALSE(Of(Judge(), "workload", "ledger").runway.has_value());
}

TEST_F(RunwayJudgeTest, TheBoundFollowsFromTheLastGoodSync) {
  spire::CanaryFact canary;
  canary.x509_not_before = In(-minutes(1));
  canary.x509_not_after = *canary.x509_not_before + seconds(250);
  Say("canary", canary);
  spire::SyncFact sync;
  sync.last_success = In(-seconds(4));
  Say("sync", sync);
  EXPECT_NEAR(Left(Of(Judge(), "workload", "bound")), 0.45 * 250 - 5 - 4, 0.01);
  EXPECT_EQ(Judge().issuing, "yes");
  clock_.Advance(minutes(2));
  Say("sync", sync);
  EXPECT_EQ(Judge().issuing, "no");
  EXPECT_NEAR(Left(Of(Judge(), "workload", "bound")), 0.45 * 250 - 5 - 124, 0.01);
}

// An agent is synced when it has the entries, whatever the servers refuse to sign.
TEST_F(RunwayJudgeTest, SyncsLongAfterTheLastGoodTokenDoNotCarryTheBoundOn) {
  spire::CanaryFact canary;
  canary.x509_not_before = In(-minutes(1));
  canary.x509_not_after = *canary.x509_not_before + seconds(250);
  canary.jwt_minted = In(Duration::zero());
  canary.issuing = true;
  for (int i = 0; i <= 90; i += 5) {
    Say("canary", canary);
    spire::SyncFact sync;
    sync.last_success = In(Duration::zero());
    sync.source = "admin_socket";
    Say("sync", sync);
    const double left = Left(Of(Judge(), "workload", "bound"));
    EXPECT_NEAR(left, 0.45 * 250 - 5 - (i > 15 ? i + 5 : 0), 0.01) << i;
    canary.issuing = false;
    clock_.Advance(seconds(5));
  }
}

TEST_F(RunwayJudgeTest, AClockThatIsSetMakesNothingLonger) {
  SayIssuing(false);
  SayHorizon("agent/cache", seconds(600));
  (void)Judge();
  clock_.Advance(seconds(60));
  clock_.StepSystem(-hours(2));
  EXPECT_NEAR(Left(Of(Judge(), "agent", "cache")), 540, 1);
  clock_.StepSystem(hours(2) + seconds(300));
  EXPECT_NEAR(Left(Of(Judge(), "agent", "cache")), 240, 1);
}

TEST_F(RunwayJudgeTest, WhatAnybodyCouldSayIsHeldAgainstTheRest) {
  spire::CanaryFact canary;
  canary.x509_not_before = In(-seconds(10));
  canary.x509_not_after = In(seconds(240));
  canary.issuing = true;
  Say("canary", canary);
  spire::SyncFact sync;
  sync.last_success = In(Duration::zero());
  sync.source = "admin_socket";
  Say("sync", sync);
  SayHorizon("workload/ledger", hours(9), true, true);
  EXPECT_EQ(Of(Judge(), "workload", "ledger").state, "doubtful");
  EXPECT_NEAR(Left(Of(Judge(), "workload", "ledger")), 240, 1) << "the canary's is one of them";
  SayHorizon("workload/ledger", seconds(1), true, true);
  EXPECT_NEAR(Left(Of(Judge(), "workload", "ledger")), 0.45 * 250 - 5, 1) << "and the bound holds";
}

TEST_F(RunwayJudgeTest, NeverFromTheStreamAloneWhereOthersCouldWriteToIt) {
  spire::SyncFact sync;
  sync.last_success = In(Duration::zero());
  sync.source = "telemetry";
  Say("sync/stream", sync);
  Say("sync", sync);
  spire::SpireConfigFact config;
  config.x509_svid_ttl = hours(1);
  Say("server", config);
  SayHorizon("workload/ledger", minutes(50), true, true);
  const RunwayView view = Judge();
  EXPECT_EQ(Of(view, "workload", "ledger").state, "doubtful");
  EXPECT_FALSE(Of(view, "workload", "ledger").runway.has_value());
  EXPECT_TRUE(view.expiring.empty());
  SayHorizon("workload/ledger", minutes(50), true, false);
  EXPECT_NEAR(Left(Of(Judge(), "workload", "ledger")), 3000, 1) << "a socket file is SPIRE's alone";
}

TEST_F(RunwayJudgeTest, TheStreamTellsOfTheAgentsOwnWithoutItsSocket) {
  EXPECT_EQ(&Of(Judge(), "agent", "ledger"), &Of(Judge(), "", "none")) << "nobody publishes it";
  SayHorizon("agent/ledger", minutes(30));
  SayIssuing(false);
  EXPECT_NEAR(Left(Of(Judge(), "agent", "ledger")), 1800, 1);
  EXPECT_TRUE(Judge().expiring.empty());
  clock_.Advance(minutes(31));
  SayIssuing(false);
  EXPECT_NEAR(Left(Of(Judge(), "agent", "ledger")), -60, 1);
  spire::SpireConfigFact config;
  config.node_attestor = "join_token";
  Say("agent", config);
  EXPECT_TRUE(Judge().comeback->Has(Reason::kSvidEnded));
  SayHorizon("agent/ledger", minutes(30), true, true);
  EXPECT_EQ(Of(Judge(), "agent", "ledger").state, "doubtful");
  EXPECT_FALSE(Of(Judge(), "agent", "ledger").runway.has_value());
}

TEST_F(RunwayJudgeTest, ShorterLivesThanTheOneThatIsKnownTakeBackWhatFollowedFromIt) {
  spire::SpireConfigFact config;
  config.x509_svid_ttl = hours(1);
  Say("server", config);
  spire::SyncFact sync;
  sync.last_success = In(Duration::zero());
  Say("sync", sync);
  SayHorizon("workload/ledger", minutes(50));
  EXPECT_TRUE(Of(Judge(), "workload", "ledger").runway.has_value());
  EXPECT_TRUE(Of(Judge(), "workload", "bound").runway.has_value());
  clock_.Advance(seconds(5));
  spire::Horizon horizon;
  horizon.groups = {{In(minutes(50)), 2}};
  horizon.shorter_lives = true;
  Say("workload/ledger", horizon);
  for (const char* const source : {"ledger", "bound"}) {
    EXPECT_EQ(Of(Judge(), "workload", source).state, "partial");
    EXPECT_FALSE(Of(Judge(), "workload", source).runway.has_value()) << "nor the word before";
  }
}

TEST_F(RunwayJudgeTest, ACanaryIsAsOfNowForAsLongAsItSays) {
  spire::CanaryFact canary;
  canary.issuing = false;
  canary.refused = true;
  canary.fresh_for = minutes(10);
  canary.jwt_minted = clock_.System();
  canary.jwt_lifetime = hours(1);
  Say("canary", canary);
  spire::ServersFact servers;
  servers.addresses = servers.serving = 1;
  servers.held_bundle_verifies = true;
  servers.fresh_for = minutes(10);
  servers.ca_not_after = In(hours(5));
  Say("servers", servers);
  clock_.Advance(minutes(5));
  spire::SyncFact sync;
  sync.last_success = In(Duration::zero());
  Say("sync", sync);
  EXPECT_EQ(Judge().issuing, "no") << "an agent synchronises beside a key manager that refuses";
  EXPECT_TRUE(Judge().comeback->Has(Reason::kNotIssuing));
  canary.issuing = true;
  Say("canary", canary);
  Say("servers", servers);
  clock_.Advance(minutes(5));
  EXPECT_EQ(Judge().issuing, "yes");
  EXPECT_TRUE(Judge().jwt && Judge().ca);
  clock_.Advance(minutes(6));
  EXPECT_EQ(Judge().issuing, "unknown");
}

TEST_F(RunwayJudgeTest, WithoutACanaryTheStreamTellsOfRefusals) {
  spire::ServersFact servers;
  servers.addresses = servers.serving = 1;
  servers.held_bundle_verifies = true;
  Say("servers", servers);
  spire::SpireConfigFact config;
  config.node_attestor = "x509pop";
  Say("agent", config);
  spire::SyncFact sync;
  sync.last_success = In(Duration::zero());
  sync.source = "admin_socket";
  Say("sync", sync);
  spire::SyncFact stream;
  Say("sync/stream", stream);
  EXPECT_EQ(Judge().issuing, "yes");
  EXPECT_EQ(Judge().comeback->state, "yes");
  stream.refused = true;
  Say("sync/stream", stream);
  EXPECT_EQ(Judge().issuing, "no");
  EXPECT_TRUE(Judge().comeback->Has(Reason::kNotIssuing));
  SayIssuing(true);
  EXPECT_EQ(Judge().issuing, "yes") << "an end-to-end proof";
  EXPECT_FALSE(Judge().comeback->Has(Reason::kNotIssuing));
}

TEST_F(RunwayJudgeTest, NothingOutlivesTheCa) {
  spire::SpireConfigFact config;
  config.x509_svid_ttl = hours(1);
  Say("server", config);
  spire::SyncFact sync;
  sync.last_success = In(Duration::zero());
  Say("sync", sync);
  SayHorizon("workload/ledger", minutes(50));
  spire::ServersFact servers;
  servers.addresses = servers.serving = 1;
  servers.ca_not_after = In(minutes(10));
  Say("servers", servers);
  RunwayView view = Judge();
  EXPECT_NEAR(Left(Of(view, "workload", "ledger")), 600, 1);
  EXPECT_NEAR(Left(Of(view, "workload", "bound")), 600, 1);
  ASSERT_EQ(view.expiring.size(), 1u);
  EXPECT_EQ(view.expiring[0].within, (std::array<std::optional<uint64_t>, 4>{0, 5, 5, 5}));
  // And what is issued meanwhile is cut short: the canary's as the rest.
  spire::CanaryFact canary;
  canary.x509_not_before = In(-seconds(10));
  canary.x509_not_after = In(seconds(490));
  Say("canary", canary);
  EXPECT_NEAR(Left(Of(Judge(), "workload", "bound")), 0.45 * 500 - 5, 1);
  EXPECT_NEAR(Left(Of(Judge(), "workload", "ledger")), 490, 1);
}

TEST_F(RunwayJudgeTest, TheSyncIntervalInForceMovesTheBoundAndWhatIsOfLate) {
  spire::SpireConfigFact config;
  config.x509_svid_ttl = hours(1);
  Say("server", config);
  spire::SpireConfigFact agent;
  agent.sync_interval = seconds(5);
  Say("agent", agent);
  spire::SyncFact sync;
  sync.last_success = In(-minutes(3));
  sync.interval = minutes(2);
  Say("sync", sync);
  EXPECT_NEAR(Left(Of(Judge(), "workload", "bound")), 0.45 * 3610 - 120 - 180, 0.01);
  EXPECT_EQ(Judge().issuing, "yes");
  sync.interval = seconds(10);
  Say("sync", sync);
  EXPECT_EQ(Judge().issuing, "no");
}

TEST_F(RunwayJudgeTest, CountsWhatEndsWithinSomeTime) {
  SayHorizon("agent/datastore", minutes(10));
  const RunwayView view = Judge();
  ASSERT_EQ(view.expiring.size(), 1u);
  EXPECT_EQ(view.expiring[0].within, (std::array<std::optional<uint64_t>, 4>{0, 2, 5, 5}));
  SayHorizon("agent/datastore", minutes(10), false);
  clock_.Advance(seconds(1));
  EXPECT_EQ(Judge().expiring[0].within,
            (std::array<std::optional<uint64_t>, 4>{0, 2, std::nullopt, std::nullopt}))
      << "more may follow the last that is known";
}

TEST_F(RunwayJudgeTest, ServersThatDoNotAnswerMeanThatNothingIsIssued) {
  spire::ServersFact servers;
  servers.addresses = 2;
  servers.ca_not_after = In(hours(5));
  Say("servers", servers);
  const RunwayView view = Judge();
  EXPECT_EQ(view.issuing, "no");
  EXPECT_NEAR(Seconds(*view.ca), 5 * 3600, 1);
  EXPECT_EQ(view.comeback->state, "no");
}

TEST_F(RunwayJudgeTest, AnAgentThatIsGoneMayBeStartedAndOneThatIsRefusedMayNot) {
  spire::ServersFact servers;
  servers.addresses = servers.serving = 3;
  servers.held_bundle_verifies = servers.bootstrap_bundle_verifies = true;
  Say("servers", servers);
  spire::SpireConfigFact config;
  config.node_attestor = "x509pop";
  Say("agent", config);
  spire::CanaryFact canary;
  canary.issuing = false;
  Say("canary", canary);
  EXPECT_EQ(Judge().issuing, "no");
  EXPECT_EQ(Judge().comeback->state, "yes");
  canary.refused = true;
  Say("canary", canary);
  EXPECT_EQ(Judge().comeback->state, "no");
  EXPECT_TRUE(Judge().comeback->Has(Reason::kNotIssuing));
}

TEST_F(RunwayJudgeTest, JwtsEndALifetimeAfterTheLastThatWasSigned) {
  spire::CanaryFact canary;
  canary.issuing = false;
  canary.jwt_minted = clock_.System() - seconds(100);
  canary.jwt_lifetime = minutes(5);
  Say("canary", canary);
  EXPECT_NEAR(Seconds(*Judge().jwt), 200, 1);
}

TEST_F(RunwayJudgeTest, ShowsOnlyWhatIsDescribed) {
  spire::Horizon horizon;
  horizon.groups = {{In(minutes(3)), 1}};
  horizon.classes = {{"pay", In(minutes(3)), 1}};
  horizon.whole = true;
  for (const char* const subject :
       {"workload/ledger", "agent/cache", "agent/ledger", "agent/datastore"}) {
    Say(subject, horizon);
  }
  FamilyBuilder builder;
  AddRunway(Judge(), clock_.System(), builder);
  size_t series = 0;
  for (const Family& family : builder.Take()) {
    EXPECT_LE(family.series.size(), family.description->series_max) << family.description->name;
    series += family.series.size();
  }
  EXPECT_LE(series, 80u);
}

}  // namespace
}  // namespace spire_exporter::runway
