#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "collectors/agent/state_collector.h"
#include "collectors/clients/spire/agent_facts.h"
#include "collectors/clients/spire/runway_facts.h"
#include "tests/fakes/identity/agent_admin_socket.h"

namespace spire_exporter::agent {
namespace {

using namespace std::chrono_literals;
using spire::UnixTime;
using ::testing::HasSubstr;

class StateWireTest : public ::testing::Test {
 protected:
  StateWireTest() {
    char folder[] = "/tmp/agent_state_XXXXXX";
    if (mkdtemp(folder) == nullptr) throw std::runtime_error("no folder");
    folder_ = folder;
    options_.admin_socket = "unix://" + folder_ + "/admin.sock";
    collector_ = MakeStateCollector(options_);
  }
  ~StateWireTest() override { std::filesystem::remove_all(folder_); }

  // As an agent that synchronised five seconds ago and whose SVID ends in five minutes.
  fakes::AgentInfoAnswer Well() const {
    const auto now = std::chrono::floor<std::chrono::seconds>(clock_.System());
    fakes::AgentInfoAnswer answer;
    answer.svid_chain_expiry = {now + 5min};
    answer.uptime = 10min;
    answer.last_sync_success = now - 5s;
    answer.cached_x509_svids = 3;
    answer.cached_jwt_svids = 2;
    return answer;
  }
  void Start() {
    auto started = fakes::FakeAgentAdmin::Start(folder_ + "/admin.sock");
    ASSERT_TRUE(started.ok()) << started.error().what;
    agent_ = *std::move(started);
    agent_->Tell(Well());
  }

  void Collect(Duration timeout = 10s) {
    const Deadline deadline = Deadline::After(clock_, timeout);
    auto reading = collector_->Collect({deadline, {}, clock_, facts_});
    late_ = clock_.Steady() - deadline.at();
    ASSERT_TRUE(reading.ok()) << reading.error().what;
    problem_ = reading->problem.ok() ? Code::kOk : reading->problem.error().code;
    page_.clear();
    for (const Family& family : reading->families.Take()) {
      for (const Series& series : family.series) {
        page_[std::string(family.description->name) + "{" + std::string(series.labels->rendered()) +
              "}"] = series.value;
      }
    }
    for (Fact& fact : reading->facts) facts_.Publish(std::move(fact));
  }
  double Value(const std::string& series) const {
    const auto found = page_.find(series);
    return found == page_.end() ? -1 : found->second;
  }
  bool Admin(const std::string& state) const {
    return Value("spire_local_agent_admin_state{state=\"" + state + "\"}") == 1;
  }

  RealClock clock_;
  FactsBoard facts_;
  std::string folder_;
  AgentOptions options_;
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<fakes::FakeAgentAdmin> agent_;
  std::map<std::string, double> page_;
  Code problem_ = Code::kOk;
  Duration late_{};
};

TEST_F(StateWireTest, PublishesWhatTheAgentTells) {
  Start();
  Collect();
  EXPECT_TRUE(Admin("ok"));
  EXPECT_EQ(problem_, Code::kOk);
  EXPECT_EQ(Value("spire_cache_svids{type=\"x509\"}"), 3);
  EXPECT_EQ(Value("spire_cache_svids{type=\"jwt\"}"), 2);
  EXPECT_EQ(Value("spire_cache_svids{type=\"svidstore\"}"), 0) << "a known zero";
  EXPECT_EQ(Value("spire_cache_sync_state{state=\"current\"}"), 1);
  EXPECT_EQ(agent_->calls(), 1u);
  const double now = UnixSeconds(clock_.System());
  EXPECT_NEAR(Value("spire_svid_expiry_timestamp_seconds{kind=\"agent\"}"), now + 300, 3);
  EXPECT_NEAR(Value("spire_local_agent_start_timestamp_seconds{}"), now - 600, 3);
  const auto horizon = facts_.Latest<spire::Horizon>("agent/cache");
  ASSERT_TRUE(horizon.has_value());
  EXPECT_EQ(static_cast<double>(horizon->value->groups.at(0).expiry.time_since_epoch().count()),
            Value("spire_svid_expiry_timestamp_seconds{kind=\"agent\"}"));
  const auto sync = facts_.Latest<spire::SyncFact>("sync");
  ASSERT_TRUE(sync.has_value());
  EXPECT_EQ(sync->value->source, "admin_socket");
  EXPECT_EQ(sync->value->cached_x509_svids, 3u);
}

TEST_F(StateWireTest, KeepsItsLastValuesWhenTheAgentsSvidEnds) {
  Start();
  Collect();
  const auto before = page_;
  const SteadyTime published = facts_.Latest<spire::Horizon>("agent/cache")->at;
  agent_->FailVerification();
  Collect();
  EXPECT_TRUE(Admin("svid_unverified"));
  EXPECT_EQ(problem_, Code::kInternal);
  for (const char* kept :
       {"spire_svid_expiry_timestamp_seconds{kind=\"agent\"}", "spire_cache_svids{type=\"x509\"}",
        "spire_cache_last_sync_timestamp_seconds{}", "spire_local_agent_start_timestamp_seconds{}",
        "spire_local_agent_admin_answer_timestamp_seconds{}"}) {
    EXPECT_EQ(Value(kept), before.at(kept)) << kept;
  }
  EXPECT_EQ(Value("spire_local_agent_source_info{part=\"svid\",source=\"kept\"}"), 1);
  EXPECT_EQ(facts_.Latest<spire::Horizon>("agent/cache")->at, published) << "with its age";
}

TEST_F(StateWireTest, TelemetryStandsInForTheSocket) {
  spire::AgentTelemetryFact told;
  told.cached_x509_svids = 9;
  told.last_sync = std::chrono::floor<std::chrono::seconds>(clock_.System());
  facts_.Publish(Fact::Make("agent", clock_.Steady(), told));
  Collect();
  EXPECT_TRUE(Admin("unreachable"));
  EXPECT_EQ(Value("spire_cache_svids{type=\"x509\"}"), 9);
  EXPECT_EQ(facts_.Latest<spire::SyncFact>("sync")->value->source, "telemetry");
  // A minute later the agent has not spoken again.
  facts_.Publish(Fact::Make("agent", clock_.Steady() - 60s, told));
  Collect();
  EXPECT_EQ(Value("spire_local_agent_source_info{part=\"sync\",source=\"kept\"}"), 1);
  EXPECT_EQ(Value("spire_cache_svids{type=\"x509\"}"), 9);
  EXPECT_EQ(Value("spire_cache_sync_state{state=\"unknown\"}"), 1);
}

TEST_F(StateWireTest, SpiresOwnFileSaysTheSyncInterval) {
  Start();
  spire::SpireConfigFact config;
  config.sync_interval = 60s;
  facts_.Publish(Fact::Make("agent", clock_.Steady(), config));
  Collect();
  EXPECT_NEAR(Value("spire_cache_sync_gap_ratio{}"), 0.1, 0.05);
  EXPECT_EQ(facts_.Latest<spire::SyncFact>("sync")->value->interval, 60s);
}

TEST_F(StateWireTest, TheOptionGoesBeforeSpiresOwnFile) {
  options_.sync_interval = 30s;
  collector_ = MakeStateCollector(options_);
  Start();
  spire::SpireConfigFact config;
  config.sync_interval = 60s;
  facts_.Publish(Fact::Make("agent", clock_.Steady(), config));
  Collect();
  EXPECT_EQ(facts_.Latest<spire::SyncFact>("sync")->value->interval, 30s);
}

TEST_F(StateWireTest, AnAgentThatRestartsIsAnsweredAgain) {
  for (int i = 0; i < 3; ++i) {
    Start();
    Collect();
    EXPECT_TRUE(Admin("ok")) << i;
    agent_.reset();
    Collect();
    EXPECT_TRUE(Admin("unreachable")) << i;
  }
}

TEST_F(StateWireTest, EveryFaultOfTheSocketEndsAtTheDeadlineAndHidesNothingElse) {
  Start();
  Collect();
  for (const auto& [fault, state] : {std::pair{fakes::WireFault::kAcceptOnly, "timeout"},
                                     std::pair{fakes::WireFault::kDrip, "timeout"},
                                     std::pair{fakes::WireFault::kReset, "unreachable"},
                                     std::pair{fakes::WireFault::kRefuse, "unreachable"}}) {
    ASSERT_TRUE(agent_->wire().Fail(fault).ok());
    Collect(300ms);  // on a connection that has just ended
    Collect(300ms);
    EXPECT_TRUE(Admin(state)) << state;
    EXPECT_LT(late_, 100ms);
    EXPECT_NE(problem_, Code::kOk);
    EXPECT_EQ(Value("spire_cache_svids{type=\"x509\"}"), 3);
    ASSERT_TRUE(agent_->wire().Fail(fakes::WireFault::kNone).ok());
    Collect();
    EXPECT_TRUE(Admin("ok")) << "after " << state;
  }
}

TEST_F(StateWireTest, AnAgentThatHangsEndsAtTheDeadlineAndIsHeardAgain) {
  Start();
  Collect();
  agent_->Hang(true);
  Collect(200ms);
  EXPECT_TRUE(Admin("timeout"));
  EXPECT_LT(late_, 100ms);
  EXPECT_EQ(Value("spire_cache_svids{type=\"x509\"}"), 3) << "kept";
  agent_->Hang(false);
  Collect();
  EXPECT_TRUE(Admin("ok"));
}

TEST_F(StateWireTest, StopsAtOnce) {
  Start();
  agent_->Hang(true);
  std::stop_source stop;
  stop.request_stop();
  const auto reading =
      collector_->Collect({Deadline::After(clock_, 60s), stop.get_token(), clock_, facts_});
  ASSERT_FALSE(reading.ok());
  EXPECT_EQ(reading.error().code, Code::kCancelled);
}

TEST_F(StateWireTest, AHugeAnswerIsRefused) {
  Start();
  fakes::AgentInfoAnswer answer = Well();
  answer.svid_chain_expiry.resize(1'000'000, answer.svid_chain_expiry[0]);
  agent_->Tell(answer);
  Collect();
  EXPECT_TRUE(Admin("failed"));
  EXPECT_EQ(Value("spire_svid_expiry_timestamp_seconds{kind=\"agent\"}"), -1);
}

TEST_F(StateWireTest, AbsurdTimesAreHeldWithinBounds) {
  Start();
  fakes::AgentInfoAnswer answer;
  answer.svid_chain_expiry = {UnixTime::max()};
  answer.uptime = -7s;
  answer.last_sync_success = UnixTime::max();
  answer.cached_x509_svids = -1;
  agent_->Tell(answer);
  Collect();
  EXPECT_TRUE(Admin("ok"));
  EXPECT_EQ(Value("spire_svid_expiry_timestamp_seconds{kind=\"agent\"}"), 253402300799.0);
  EXPECT_EQ(Value("spire_cache_svids{type=\"x509\"}"), 0);
  EXPECT_EQ(Value("spire_cache_sync_gap_ratio{}"), 0);
}

TEST_F(StateWireTest, ChecksSayWhatMends) {
  const auto check = [this] { return CheckAdmin(options_, clock_, Deadline::After(clock_, 5s)); };
  CheckLine line = check();
  EXPECT_FALSE(line.good);
  EXPECT_THAT(line.remedy, HasSubstr("admin_socket_path"));
  Start();
  line = check();
  EXPECT_TRUE(line.good);
  EXPECT_EQ(line.detail, "GetInfo answers, 3 X.509-SVIDs in the cache");
  agent_->FailVerification();
  EXPECT_THAT(check().remedy, HasSubstr("own SVID"));
}

}  // namespace
}  // namespace spire_exporter::agent
