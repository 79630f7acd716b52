// The canary against an agent with true certificates on the real wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>

#include "collectors/clients/spire/runway_facts.h"
#include "collectors/svid/canary_collector.h"
#include "exporter/collect/facts.h"
#include "tests/fakes/identity/agent_socket.h"
#include "tests/fakes/identity/authority.h"

namespace spire_exporter::svid {
namespace {

using std::chrono::floor;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

// Real time, and what the test adds to the system's and to the steady one.
class SteppedClock final : public Clock {
 public:
  SteadyTime Steady() const override { return real_.Steady() + passed_; }
  SystemTime System() const override { return real_.System() + step_; }
  void Step(seconds by) { step_ += by; }
  void Pass(seconds time) { passed_ += time; }

 private:
  const RealClock real_{};
  seconds step_{0};
  seconds passed_{0};
};

class CanaryWireTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ =
        (std::filesystem::temp_directory_path() / ("canary-" + std::to_string(getpid()) + ".sock"))
            .string();
    auto agent = fakes::FakeAgentSocket::Start(path_);
    ASSERT_TRUE(agent.ok()) << agent.error().ToString();
    agent_ = std::move(*agent);
    options_.socket = agent_->address();
    options_.timeout = milliseconds(2000);
    auto channel = spire::Channel::ToSocket(options_.socket);
    ASSERT_TRUE(channel.ok());
    channel_ = *channel;
    canary_ = MakeCanaryCollector(options_, channel_, clock_);
  }
  void TearDown() override {
    agent_.reset();
    unlink(path_.c_str());
  }

  auto Now() const { return floor<seconds>(clock_.System()); }
  fakes::Svid Sign(seconds ttl = minutes(4)) {
    return authority_.Sign(authority_.Id("canary"), Now(), ttl);
  }
  void Serve(fakes::Svid svid) {
    auto answer = fakes::WorkloadAnswer::Of(authority_, {std::move(svid)});
    answer.jwt_bundles["spiffe://example.org"] = authority_.Jwks();
    agent_->Serve(std::move(answer));
  }
  void ServeWell() {
    Serve(Sign());
    agent_->SignWith(authority_, clock_, minutes(2));
  }

  // A round; what it says is in the page afterwards.
  void Round(Duration within = milliseconds(2000)) {
    clock_.Pass(seconds(15));
    Collect(within);
  }
  void Collect(Duration within = milliseconds(2000)) {
    const CollectContext context{Deadline::After(clock_, within), {}, clock_, facts_};
    const SteadyTime began = clock_.Steady();
    auto reading = canary_->Collect(context);
    took_ = clock_.Steady() - began;
    ASSERT_TRUE(reading.ok()) << reading.error().ToString();
    problem_ = reading->problem.ok() ? "" : reading->problem.error().what;
    for (Fact& fact : reading->facts) facts_.Publish(std::move(fact));
    page_.clear();
    for (const Family& family : reading->families.Take()) {
      for (const Series& series : family.series) {
        page_[std::string(family.description->name) + "{" + std::string(series.labels->rendered()) +
              "}"] = series.value;
      }
    }
  }
  double Count(const std::string& operation, const std::string& outcome) const {
    const auto found = page_.find("spire_canary_attempts_total{operation=\"" + operation +
                                  "\",outcome=\"" + outcome + "\"}");
    return found == page_.end() ? -1 : found->second;
  }
  std::optional<double> Get(const std::string& series) const {
    const auto found = page_.find(series);
    return found == page_.end() ? std::nullopt : std::optional<double>(found->second);
  }
  std::optional<double> Issuing() const { return Get("spire_canary_issuing{}"); }
  spire::CanaryFact Told() const {
    const auto fact = facts_.Latest<spire::CanaryFact>("canary");
    return fact ? *fact->value : spire::CanaryFact{};
  }

  SteppedClock clock_;
  const fakes::Authority authority_{{.now = floor<seconds>(RealClock().System())}};
  std::string path_;
  std::unique_ptr<fakes::FakeAgentSocket> agent_;
  CanaryOptions options_;
  std::shared_ptr<spire::Channel> channel_;
  std::unique_ptr<Collector> canary_;
  FactsBoard facts_;
  std::map<std::string, double> page_;
  std::string problem_;
  Duration took_{};
};

TEST_F(CanaryWireTest, GetsAnIdentityAndANewTokenEachTime) {
  ServeWell();
  for (int i = 1; i <= 3; ++i) {
    Round();
    EXPECT_EQ(problem_, "");
    EXPECT_EQ(Count("x509", "ok"), i);
    EXPECT_EQ(Count("jwt", "ok"), i);
    EXPECT_EQ(Issuing(), 1);
  }
  EXPECT_EQ(Count("bundle", "ok"), 1) << "keys are read once a minute";
  EXPECT_EQ(agent_->calls(fakes::AgentMethod::kJwtSvid), 3u);
  EXPECT_EQ(agent_->unmeant(), 0u);
  const auto audiences = agent_->audiences();
  EXPECT_EQ(std::set<std::string>(audiences.begin(), audiences.end()).size(), 3u);
  EXPECT_TRUE(Get("spire_svid_expiry_timestamp_seconds{kind=\"canary\"}"));
  EXPECT_GT(*Get("spire_svid_remaining_ratio{kind=\"canary\"}"), 0.9);
  EXPECT_EQ(*Told().issuing, true);
  EXPECT_EQ(*Told().jwt_lifetime, minutes(2));
  for (const auto& [series, value] : page_) EXPECT_THAT(series, Not(HasSubstr("spiffe://")));
}

TEST_F(CanaryWireTest, TellsTheLastRoundAgainBetweenRoundsThatAreFarApart) {
  ServeWell();
  options_.interval = hours(1);
  canary_ = MakeCanaryCollector(options_, channel_, clock_);
  Round();
  const auto of_round = facts_.Latest<spire::CanaryFact>("canary");
  EXPECT_EQ(Told().fresh_for, hours(2) + options_.timeout);
  for (int i = 0; i < 3; ++i) {
    EXPECT_LE(canary_->Period(), seconds(20));
    clock_.Pass(minutes(10));
    Collect();
    EXPECT_EQ(Issuing(), 1);
    EXPECT_TRUE(Get("spire_svid_remaining_ratio{kind=\"canary\"}"));
    EXPECT_TRUE(Get("spire_canary_clock_offset_seconds{}"));
  }
  EXPECT_EQ(agent_->calls(fakes::AgentMethod::kJwtSvid), 1u);
  EXPECT_EQ(facts_.Latest<spire::CanaryFact>("canary")->at, of_round->at);
  clock_.Pass(minutes(30));
  Collect();
  EXPECT_EQ(agent_->calls(fakes::AgentMethod::kJwtSvid), 2u);
}

TEST_F(CanaryWireTest, TokensThatLiveLongAreAskedForSeldom) {
  ServeWell();
  agent_->SignWith(authority_, clock_, hours(24));
  Round();
  EXPECT_EQ(Told().fresh_for, seconds(2 * 288) + options_.timeout);
  clock_.Pass(seconds(287));
  Collect();
  EXPECT_EQ(agent_->calls(fakes::AgentMethod::kJwtSvid), 1u);
  clock_.Pass(seconds(1));
  Collect();
  EXPECT_EQ(agent_->calls(fakes::AgentMethod::kJwtSvid), 2u);
}

TEST_F(CanaryWireTest, WhatComesFromAnAgentThatIsGoneIsNotToldForEver) {
  ServeWell();
  Round();
  EXPECT_EQ(Get("spire_canary_federated_bundles{}"), 0);
  EXPECT_TRUE(Get("spire_canary_clock_offset_seconds{}"));
  EXPECT_EQ(Told().fresh_for, spire::kFreshFor);
  agent_.reset();
  Round();
  EXPECT_EQ(Get("spire_canary_federated_bundles{}"), std::nullopt);
  EXPECT_TRUE(Get("spire_canary_clock_offset_seconds{}"));
  clock_.Pass(minutes(5));
  Round();
  EXPECT_EQ(Get("spire_canary_clock_offset_seconds{}"), std::nullopt);
}

TEST_F(CanaryWireTest, WithoutAnEntryItAsksForNoToken) {
  agent_->Serve({});
  Round();
  EXPECT_EQ(Count("x509", "no_entry"), 1);
  EXPECT_EQ(Count("x509", "ok"), 0) << "tried, and known to be none";
  for (const auto& [series, value] : page_) {
    EXPECT_THAT(series, Not(HasSubstr("operation=\"jwt\""))) << "never tried: not known";
    EXPECT_THAT(series, Not(HasSubstr("operation=\"bundle\"")));
  }
  EXPECT_EQ(agent_->calls(fakes::AgentMethod::kJwtSvid), 0u);
  EXPECT_FALSE(Issuing()) << "that says nothing of the servers";
  EXPECT_FALSE(Told().issuing);
}

TEST_F(CanaryWireTest, AnAgentThatIsGoneIssuesNothing) {
  ServeWell();
  Round();
  agent_.reset();
  Round();
  EXPECT_EQ(Count("x509", "agent_gone"), 1);
  for (const auto& [series, value] : page_) {
    EXPECT_THAT(series, Not(HasSubstr("last_outcome_info{operation=\"jwt\"")));
  }
  EXPECT_EQ(Issuing(), 0);
  EXPECT_TRUE(Get("spire_svid_expiry_timestamp_seconds{kind=\"canary\"}")) << "kept";
}

TEST_F(CanaryWireTest, AnAgentThatHangsIsLeftAtTheDeadline) {
  ServeWell();
  agent_->Hang(true);
  Round(milliseconds(400));
  EXPECT_LT(took_, milliseconds(600));
  EXPECT_EQ(Count("x509", "timeout"), 1);
  EXPECT_EQ(Issuing(), 0);
}

TEST_F(CanaryWireTest, ServersThatCannotSignAreNotABrokenAgent) {
  ServeWell();
  Round();
  agent_->SignWith([](const std::string&, const std::string&) {
    return Result<std::vector<fakes::JwtAnswer>>(
        Error{Code::kUnavailable, "connection refused", "", true});
  });
  Round();
  EXPECT_EQ(Count("x509", "ok"), 2);
  EXPECT_EQ(Count("jwt", "server_path"), 1);
  EXPECT_EQ(Issuing(), 0);
}

TEST_F(CanaryWireTest, WhatIsLoggedNamesNoIdentity) {
  ServeWell();
  agent_->SignWith([](const std::string&, const std::string& id) {
    return Result<std::vector<fakes::JwtAnswer>>(
        Error{Code::kUnavailable, "cannot sign for " + id, "", true});
  });
  Round();
  EXPECT_THAT(problem_, Not(HasSubstr("spiffe://")));
}

TEST_F(CanaryWireTest, WhatIsServedThoughItHasEndedIsFoundOut) {
  ServeWell();
  Serve(authority_.Sign(authority_.Id("canary"), Now() - hours(1), minutes(4)));
  Round();
  EXPECT_EQ(Count("x509", "expired"), 1);
  EXPECT_EQ(Count("jwt", "ok"), 1) << "the token is judged by itself";
  EXPECT_THAT(problem_, HasSubstr("expired"));
  EXPECT_EQ(Get("spire_svid_remaining_ratio{kind=\"canary\"}"), 0);
}

TEST_F(CanaryWireTest, WhatNobodyCanVerifyIsFoundOut) {
  ServeWell();
  const fakes::Authority other({.now = Now()});
  auto answer =
      fakes::WorkloadAnswer::Of(authority_, {other.Sign(other.Id("canary"), Now(), minutes(4))});
  answer.jwt_bundles["spiffe://example.org"] = other.Jwks();
  agent_->Serve(std::move(answer));
  Round();
  EXPECT_EQ(Count("x509", "unverifiable"), 1);
  EXPECT_EQ(Count("jwt", "unverifiable"), 1);
  EXPECT_EQ(Issuing(), 0);
}

TEST_F(CanaryWireTest, ClocksThatStepAreSeen) {
  ServeWell();
  // The signer's clock is now an hour ahead of ours, then two hours behind.
  const fakes::Svid ahead = authority_.Sign(authority_.Id("canary"), Now() + hours(1), minutes(4));
  Serve(ahead);
  agent_->SignWith([this](const std::string& audience, const std::string& id) {
    return Result<std::vector<fakes::JwtAnswer>>(std::vector<fakes::JwtAnswer>{
        {id, authority_.SignJwt(id, audience, Now() + hours(1), minutes(2)), ""}});
  });
  Round();
  EXPECT_EQ(Count("x509", "not_yet_valid"), 1);
  EXPECT_NEAR(*Get("spire_canary_clock_offset_seconds{}"), 3600, 3);
  clock_.Step(hours(3));
  Round();
  EXPECT_EQ(Count("x509", "expired"), 1);
}

TEST_F(CanaryWireTest, AbsurdLifetimesAreToldAsTheyAre) {
  Serve(Sign(hours(24 * 365 * 20)));
  agent_->SignWith(authority_, clock_, seconds(1));
  Round();
  EXPECT_EQ(Count("jwt", "ok"), 1);
  ASSERT_TRUE(Get("spire_svid_expiry_timestamp_seconds{kind=\"canary\"}"));
}

TEST_F(CanaryWireTest, AStreamThatDiesInTheMiddleOfAMessageIsNoIdentity) {
  ServeWell();
  agent_->DieMidMessage();
  Round();
  EXPECT_EQ(Count("x509", "ok"), 0);
  EXPECT_NE(problem_, "");
  Round();
  EXPECT_EQ(Count("x509", "ok"), 1) << problem_;
}

TEST_F(CanaryWireTest, AMessageThatIsTooLongIsRefused) {
  auto answer = fakes::WorkloadAnswer::Of(authority_, {Sign()});
  answer.padding = size_t{6} << 20;
  agent_->Serve(std::move(answer));
  Round();
  EXPECT_EQ(Count("x509", "malformed"), 1) << problem_;
}

TEST_F(CanaryWireTest, CheckSaysHowToMakeTheEntry) {
  agent_->Serve({});
  const CheckLine line =
      CheckCanary(options_, channel_, clock_, Deadline::After(clock_, seconds(2)));
  EXPECT_FALSE(line.good);
  EXPECT_THAT(line.remedy, HasSubstr("spire-server entry create"));
  ServeWell();
  EXPECT_TRUE(CheckCanary(options_, channel_, clock_, Deadline::After(clock_, seconds(2))).good);
}

}  // namespace
}  // namespace spire_exporter::svid
