#include "collectors/agent/state_judge.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "collectors/agent/state_families.h"

namespace spire_exporter::agent {
namespace {

using namespace std::chrono_literals;
using spire::AgentInfo;
using spire::AgentTelemetryFact;
using spire::UnixTime;

class StateJudgeTest : public ::testing::Test {
 protected:
  UnixTime Now() const { return std::chrono::floor<std::chrono::seconds>(clock_.System()); }
  AgentInfo Info(Duration since_sync = 1s, std::chrono::seconds svid_left = 300s) const {
    AgentInfo info;
    info.svid_chain_expiry = {Now() + svid_left, Now() + 24h};
    info.uptime = 1000s;
    info.last_sync_success = std::chrono::floor<std::chrono::seconds>(clock_.System() - since_sync);
    info.cached_x509_svids = 4;
    info.cached_jwt_svids = 2;
    info.cached_svidstore_svids = 1;
    return info;
  }
  AgentTelemetryFact Told(Duration since_sync = 1s, uint64_t failed = 0) const {
    AgentTelemetryFact fact;
    fact.last_sync = std::chrono::floor<std::chrono::seconds>(clock_.System() - since_sync);
    fact.failed_syncs = failed;
    fact.cached_x509_svids = 5;
    fact.cached_jwt_svids = 3;
    fact.started = Now() - 500s;
    fact.bootstrapped = true;
    return fact;
  }
  StateView Judge(std::optional<Result<AgentInfo>> admin,
                  std::optional<AgentTelemetryFact> telemetry = {}) {
    Sources sources;
    sources.admin = std::move(admin);
    if (telemetry) sources.telemetry = std::make_shared<AgentTelemetryFact>(*telemetry);
    return judge_.Judge(sources, clock_.Steady(), clock_.System());
  }
  static Error Failed(Code code) { return Error{code, "x", "", true}; }

  ManualClock clock_;
  StateJudge judge_;
};

TEST_F(StateJudgeTest, TheAdminSocketTellsItAll) {
  const StateView view = Judge(Info());
  EXPECT_EQ(view.admin, "ok");
  EXPECT_EQ(view.admin_last, clock_.System());
  EXPECT_EQ(view.sync, "current");
  EXPECT_EQ(view.last_sync, Now() - 1s);
  EXPECT_DOUBLE_EQ(view.gap_ratio.value(), 0.2);
  EXPECT_EQ(view.x509, 4u);
  EXPECT_EQ(view.jwt, 2u);
  EXPECT_EQ(view.svidstore, 1u);
  EXPECT_EQ(view.svid_expiry, Now() + 300s);
  EXPECT_EQ(view.svid_remaining_ratio, std::nullopt) << "its lifetime is not known yet";
  EXPECT_EQ(view.started, Now() - 1000s);
  EXPECT_EQ(view.failures, std::nullopt) << "only telemetry tells of tries";
  EXPECT_EQ(view.bootstrap, "unknown");
  for (const Source source :
       {view.sync_source, view.cache_source, view.svid_source, view.start_source}) {
    EXPECT_EQ(SourceName(source), "admin_socket");
  }
  EXPECT_EQ(view.sync_fact->source, "admin_socket");
  EXPECT_EQ(view.sync_fact->last_success, view.last_sync);
  EXPECT_EQ(view.sync_fact->cached_x509_svids, 4u);
  ASSERT_TRUE(view.horizon.has_value());
  EXPECT_TRUE(view.horizon->whole);
  ASSERT_EQ(view.horizon->groups.size(), 1u);
  EXPECT_EQ(view.horizon->groups[0], (spire::Horizon::Group{Now() + 300s, 1}));
}

TEST_F(StateJudgeTest, WithoutTheSocketTelemetryTellsWhatItKnows) {
  const StateView view = Judge({}, Told());
  EXPECT_EQ(view.admin, "off");
  EXPECT_EQ(view.sync, "current");
  EXPECT_EQ(view.x509, 5u);
  EXPECT_EQ(view.jwt, 3u);
  EXPECT_EQ(view.svidstore, std::nullopt);
  EXPECT_EQ(view.svid_expiry, std::nullopt);
  EXPECT_EQ(view.started, Now() - 500s);
  EXPECT_EQ(view.bootstrap, "done");
  EXPECT_EQ(view.failures, 0u);
  EXPECT_EQ(view.next_wait, 5s);
  EXPECT_EQ(SourceName(view.sync_source), "telemetry");
  EXPECT_EQ(SourceName(view.cache_source), "telemetry");
  EXPECT_EQ(SourceName(view.svid_source), "none");
  EXPECT_EQ(view.sync_fact->source, "telemetry");
  EXPECT_FALSE(view.horizon.has_value());
}

TEST_F(StateJudgeTest, WithNeitherItSaysSo) {
  const StateView view = Judge({});
  EXPECT_EQ(view.sync, "unknown");
  EXPECT_EQ(view.last_sync, std::nullopt);
  EXPECT_EQ(view.x509, std::nullopt);
  EXPECT_EQ(view.started, std::nullopt);
  EXPECT_EQ(view.gap_ratio, std::nullopt);
  EXPECT_EQ(SourceName(view.sync_source), "none");
  EXPECT_FALSE(view.sync_fact.has_value());
}

TEST_F(StateJudgeTest, AnAgentWhoseSvidEndedLeavesItsLastValues) {
  Judge(Info(1s, 4s), Told());
  const SystemTime answered = clock_.System();
  const UnixTime ends = Now() + 4s;
  clock_.Advance(5s);
  const StateView view = Judge(Failed(Code::kInternal), Told(200s, 7));
  EXPECT_EQ(view.admin, "svid_unverified");
  EXPECT_EQ(view.admin_last, answered);
  EXPECT_EQ(view.svid_expiry, ends);
  EXPECT_EQ(SourceName(view.svid_source), "kept");
  EXPECT_EQ(SourceName(view.sync_source), "telemetry");
  EXPECT_EQ(view.x509, 5u) << "telemetry still tells";
  EXPECT_EQ(view.svidstore, 1u) << "kept";
  EXPECT_EQ(view.sync, "failing");
  EXPECT_EQ(view.failures, 7u);
  EXPECT_FALSE(view.horizon.has_value()) << "the one on the board stays, with its age";
  EXPECT_EQ(view.last_sync, std::chrono::floor<std::chrono::seconds>(answered - 1s))
      << "the newer of the two";
}

TEST_F(StateJudgeTest, WhenAllFallSilentTheLastValuesStayAndTheStateIsUnknown) {
  Judge(Info(), Told());
  clock_.Advance(10min);
  const StateView view = Judge(Failed(Code::kUnavailable));
  EXPECT_EQ(view.admin, "unreachable");
  EXPECT_EQ(view.sync, "unknown");
  EXPECT_EQ(view.gap_ratio, std::nullopt);
  EXPECT_EQ(SourceName(view.sync_source), "kept");
  EXPECT_EQ(SourceName(view.cache_source), "kept");
  EXPECT_EQ(SourceName(view.start_source), "kept");
  EXPECT_EQ(view.x509, 4u) << "both were told at once: the socket's";
  EXPECT_TRUE(view.last_sync.has_value());
  EXPECT_FALSE(view.sync_fact.has_value()) << "what is kept is not published as new";
}

TEST_F(StateJudgeTest, WhatTelemetryToldLastIsKeptToo) {
  const StateView told = Judge({}, Told());
  clock_.Advance(10min);
  const StateView view = Judge({});
  EXPECT_EQ(view.x509, 5u);
  EXPECT_EQ(view.jwt, 3u);
  EXPECT_EQ(view.started, told.started);
  EXPECT_EQ(view.last_sync, told.last_sync);
  EXPECT_EQ(SourceName(view.cache_source), "kept");
  EXPECT_EQ(SourceName(view.start_source), "kept");
  EXPECT_EQ(view.failures, std::nullopt) << "a count of tries grows on";
}

TEST_F(StateJudgeTest, EachAnswerOfTheSocketHasAState) {
  for (const auto& [code, state] :
       {std::pair{Code::kDeadlineExceeded, "timeout"}, std::pair{Code::kPermissionDenied, "denied"},
        std::pair{Code::kNotFound, "unreachable"}, std::pair{Code::kResourceExhausted, "failed"},
        std::pair{Code::kDataLoss, "failed"}}) {
    EXPECT_EQ(Judge(Failed(code)).admin, state);
  }
}

TEST_F(StateJudgeTest, ASyncGetsLateThenStalled) {
  const AgentInfo info = Info();
  Judge(info);
  clock_.Advance(19s);
  EXPECT_EQ(Judge(info).sync, "current") << "two intervals and ten seconds";
  clock_.Advance(2s);
  EXPECT_EQ(Judge(info).sync, "late");
  clock_.Advance(5min);
  EXPECT_EQ(Judge(info).sync, "stalled") << "longer than the back-off of four minutes";
  EXPECT_EQ(Judge(Info()).sync, "current");
}

TEST_F(StateJudgeTest, FailedTriesMakeItFailing) {
  const AgentInfo info = Info();
  Judge(info, Told());
  clock_.Advance(5s);
  const StateView view = Judge(info, Told(6s, 2));
  EXPECT_EQ(view.sync, "failing");
  EXPECT_EQ(view.next_wait, 11250ms);
}

TEST_F(StateJudgeTest, ASocketThatTellsNoSyncHasNone) {
  AgentInfo info = Info();
  info.last_sync_success.reset();
  EXPECT_EQ(Judge(info).sync, "never");
  // An agent of before 1.9 does not tell, its telemetry does.
  const StateView view = Judge(info, Told());
  EXPECT_EQ(view.sync, "current");
  EXPECT_EQ(SourceName(view.sync_source), "telemetry");
  EXPECT_EQ(view.last_sync, Now() - 1s);
}

TEST_F(StateJudgeTest, SpeaksWithoutASyncForLongerThanTheBackOff) {
  AgentTelemetryFact fact = Told();
  fact.last_sync.reset();
  EXPECT_EQ(Judge({}, fact).sync, "unknown");
  clock_.Advance(6min);
  const StateView view = Judge({}, fact);
  EXPECT_EQ(view.sync, "stalled");
  EXPECT_EQ(view.gap_ratio, std::nullopt) << "since when is not known";
}

TEST_F(StateJudgeTest, AStepOfTheClockMakesNoSyncLate) {
  Judge(Info());
  const UnixTime old = Now() - 1s;
  clock_.Advance(1s);
  clock_.StepSystem(1h);
  AgentInfo info = Info();
  info.last_sync_success = old;
  EXPECT_EQ(Judge(info).sync, "current");
  clock_.Advance(5s);
  EXPECT_EQ(Judge(Info(0s)).sync, "current");
  clock_.StepSystem(-5h);
  clock_.Advance(5s);
  info = Info();
  info.last_sync_success = Now() + 5h;
  const StateView view = Judge(info);
  EXPECT_EQ(view.sync, "current");
  EXPECT_LT(view.gap_ratio.value(), 3);
  EXPECT_GE(view.gap_ratio.value(), 0);
}

TEST_F(StateJudgeTest, WhatWasKeptFromBeforeTheClockWasSetBackDoesNotHideWhatIsHeard) {
  Judge(Info(0s));
  clock_.StepSystem(-2h);
  clock_.Advance(5s);
  const AgentTelemetryFact told = Told(2s);
  const StateView view = Judge(Failed(Code::kInternal), told);
  EXPECT_EQ(view.last_sync, told.last_sync);
  EXPECT_EQ(view.sync, "current");
}

TEST_F(StateJudgeTest, OfTwoSourcesTheNewerTimeCounts) {
  const StateView view = Judge(Info(9s), Told(2s));
  EXPECT_EQ(view.last_sync, Now() - 2s);
  EXPECT_EQ(SourceName(view.sync_source), "admin_socket");
}

TEST_F(StateJudgeTest, ARenewalTellsTheLifetime) {
  AgentInfo info = Info(1s, 180s);
  Judge(info);
  clock_.Advance(5s);
  info.svid_chain_expiry = {Now() + 360s};
  const StateView view = Judge(info);
  EXPECT_NEAR(view.svid_remaining_ratio.value(), 1, 0.01);
  clock_.Advance(90s);
  EXPECT_NEAR(Judge(info).svid_remaining_ratio.value(), 0.75, 0.01);
  clock_.Advance(400s);
  EXPECT_EQ(Judge(info).svid_remaining_ratio, 0);
}

TEST_F(StateJudgeTest, ARenewalDuringSilenceDoesNot) {
  AgentInfo info = Info(1s, 180s);
  Judge(info);
  clock_.Advance(2min);
  info.svid_chain_expiry = {Now() + 360s};
  EXPECT_EQ(Judge(info).svid_remaining_ratio, std::nullopt);
}

TEST_F(StateJudgeTest, TheStartStandsStill) {
  AgentInfo info = Info();
  info.uptime = 995s;  // an answer that was kept for 5 s
  Judge(info);
  info.uptime = 1000s;
  EXPECT_EQ(Judge(info).started, Now() - 1000s);
  clock_.Advance(5s);
  EXPECT_EQ(Judge(info).started, Now() - 1005s) << "kept again";
  info.uptime = 1s;
  EXPECT_EQ(Judge(info).started, Now() - 1s) << "another process";
}

TEST_F(StateJudgeTest, AbsurdAnswersStayWithinBounds) {
  AgentInfo info;
  info.uptime = std::chrono::seconds(std::numeric_limits<int64_t>::max());
  info.last_sync_success = UnixTime(std::chrono::seconds(253'402'300'799));
  info.svid_chain_expiry = {UnixTime(std::chrono::seconds(253'402'300'799))};
  const StateView view = Judge(info);
  EXPECT_EQ(view.started, std::nullopt);
  EXPECT_EQ(view.sync, "current");
  EXPECT_EQ(view.gap_ratio, 0);
  info.uptime = std::chrono::seconds(-5);
  info.svid_chain_expiry.clear();
  info.last_sync_success = UnixTime{};
  const StateView next = Judge(info);
  EXPECT_EQ(next.started, std::nullopt);
  EXPECT_EQ(next.svid_expiry, std::nullopt);
  EXPECT_FALSE(next.horizon.has_value());
}

TEST_F(StateJudgeTest, TellsABootstrapFromAnotherOne) {
  AgentTelemetryFact fact = Told();
  fact.bootstrapped = false;
  EXPECT_EQ(Judge({}, fact).bootstrap, "bootstrapping");
  fact.rebootstrapping = true;
  EXPECT_EQ(Judge({}, fact).bootstrap, "rebootstrapping");
  fact.bootstrapped.reset();
  EXPECT_EQ(Judge({}, fact).bootstrap, "unknown");
}

TEST(SyncWaitTest, FollowsSpiresBackOff) {
  EXPECT_EQ(SyncWait(5s, 0), 5s);
  EXPECT_EQ(SyncWait(5s, 1), 7500ms);
  EXPECT_EQ(SyncWait(5s, 50), 240s);
  EXPECT_EQ(SyncWait(5s, std::numeric_limits<uint64_t>::max()), 240s);
  EXPECT_EQ(SyncWait(1min, 50), 8min);
  EXPECT_EQ(SyncWait(1h, 50), 1h) << "never less than the interval";
}

TEST_F(StateJudgeTest, FamiliesStayWithinTheirBounds) {
  FamilyBuilder families;
  StateView view = Judge(Info(), Told());
  view.svid_remaining_ratio = 0.5;
  AddState(view, {}, families);
  size_t shown = 0;
  size_t series = 0;
  for (const Family& family : families.Take()) {
    EXPECT_LE(family.series.size(), family.description->series_max) << family.description->name;
    series += family.series.size();
    ++shown;
  }
  EXPECT_EQ(shown, StateFamilies().size()) << "all of them";
  EXPECT_LE(series, 45u);
}

TEST_F(StateJudgeTest, WhatIsNotKnownIsAbsent) {
  FamilyBuilder families;
  AddState(Judge({}), {}, families);
  for (const Family& family : families.Take()) {
    const MetricType type = family.description->type;
    EXPECT_TRUE(type == MetricType::kStateSet || type == MetricType::kInfo ||
                family.description->name == "spire_cache_limit_svids")
        << family.description->name;
  }
}

}  // namespace
}  // namespace spire_exporter::agent
