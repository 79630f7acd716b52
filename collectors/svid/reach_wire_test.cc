#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "collectors/clients/spire/test_tls_server.h"
#include "collectors/svid/test_port.h"
#include "collectors/svid/test_reach.h"
#include "exporter/base/unique_fd.h"
#include "tests/fakes/hung_server.h"

namespace spire_exporter::svid {
namespace {

using fakes::HangWay;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Optional;

// Every call is a round.
ReachOptions Always() {
  ReachOptions options;
  options.address = "servers.test:8081";
  options.interval = milliseconds(1);
  options.timeout = seconds(20);
  return options;
}

std::vector<SocketAddress> AddressesOf(const std::vector<std::unique_ptr<TestPort>>& ports) {
  std::vector<SocketAddress> addresses;
  for (const auto& port : ports) addresses.push_back(port->Address());
  return addresses;
}

class ReachWireTest : public testing::Test {
 protected:
  // `count` servers that trust each other.
  void Start(size_t count) {
    std::vector<TestServer> servers;
    for (size_t i = 0; i < count; ++i) servers.push_back(MakeTestServer());
    for (const TestServer& server : servers) {
      ports_.push_back(std::make_unique<TestPort>(server));
      ports_.back()->SetRoots(servers, 1);
    }
    addresses_ = AddressesOf(ports_);
  }
  void AddHung(HangWay way) {
    auto hung = fakes::HungServer::Start("127.0.0.1:0", way, milliseconds(20));
    ASSERT_TRUE(hung.ok());
    addresses_.push_back(spire::LoopbackAddress(hung.value()->port()));
    hung_.push_back(std::move(hung).value());
  }

  std::vector<std::unique_ptr<TestPort>> ports_;
  std::vector<std::unique_ptr<fakes::HungServer>> hung_;
  std::vector<SocketAddress> addresses_;
};

TEST_F(ReachWireTest, TellsOfServersThatServe) {
  Start(3);
  Watch watch(&addresses_, Always());
  watch.Round();
  ASSERT_TRUE(watch.reading().ok());
  EXPECT_EQ(watch.State("spire_reach_verdict"), "all_serving");
  EXPECT_THAT(watch.Get("spire_reach_name_addresses"), Optional(3));
  EXPECT_THAT(watch.Get("spire_reach_addresses", R"(stage="done")"), Optional(3));
  EXPECT_THAT(watch.Get("spire_reach_addresses", R"(stage="tls")"), Optional(0));
  EXPECT_THAT(watch.Get("spire_reach_attempts_total", R"(outcome="ok",stage="name")"), Optional(1));
  EXPECT_THAT(watch.Get("spire_reach_attempts_total", R"(outcome="ok",stage="tls")"), Optional(3));
  EXPECT_THAT(watch.Get("spire_reach_duration_seconds", R"(stage="bundle")"), Optional(3));
  EXPECT_THAT(watch.Get("spire_trust_views"), Optional(1));
  EXPECT_THAT(watch.Get("spire_served_bundle_authorities", R"(type="x509")"), Optional(3));
  EXPECT_THAT(watch.Get("spire_served_bundle_authorities", R"(type="wit")"), Optional(0));
  EXPECT_THAT(watch.Get("spire_served_bundle_sequence_number"), Optional(1));
  EXPECT_THAT(watch.Get("spire_served_bundle_refresh_hint_seconds"), Optional(300));
  EXPECT_THAT(watch.Get("spire_reach_chains", R"(against="served",verdict="good")"), Optional(3));
  EXPECT_EQ(watch.Get("spire_reach_chains", R"(against="held",verdict="good")"), std::nullopt);
  EXPECT_THAT(watch.Get("spire_svid_expiry_timestamp_seconds", R"(kind="server")"),
              Optional(1'800'003'600));
  EXPECT_THAT(watch.Get("spire_svid_remaining_ratio", R"(kind="server")"),
              Optional(testing::DoubleNear(3000.0 / 3600, 0.01)));
  EXPECT_THAT(watch.Get("spire_svid_chain_expiry_timestamp_seconds", R"(kind="server")"),
              Optional(1'800'009'600));
  EXPECT_EQ(watch.fact().addresses, 3U);
  EXPECT_EQ(watch.fact().serving, 3U);
  EXPECT_THAT(watch.fact().ca_not_after, Optional(kTestNow + seconds(9000)));
  EXPECT_EQ(watch.fact().held_bundle_verifies, std::nullopt);
}

TEST_F(ReachWireTest, StaysWithinTheSeriesOfASidecar) {
  Start(2);
  const TestAgent agent({ports_[0]->server()});
  ReachOptions options = Always();
  options.bootstrap_bundle_file = "/nonexistent/bundle";
  Watch watch(&addresses_, options, agent.Channel());
  watch.Round();
  EXPECT_LE(watch.series(), 90U) << watch.Page();
}

TEST_F(ReachWireTest, OneThatHangsTakesNoTimeFromTheOthers) {
  for (const HangWay way : {HangWay::kAcceptOnly, HangWay::kNoAccept, HangWay::kDrip}) {
    ports_.clear();
    Start(2);
    AddHung(way);
    ReachOptions options = Always();
    options.timeout = seconds(2);
    Watch watch(&addresses_, options);
    for (int round = 0; round < 2; ++round) {
      watch.Round();
      EXPECT_LE(watch.took(), options.timeout + milliseconds(100));
      EXPECT_EQ(watch.State("spire_reach_verdict"), "some_serving");
      EXPECT_THAT(watch.Get("spire_reach_addresses", R"(stage="done")"), Optional(2));
      EXPECT_EQ(watch.fact().serving, 2U);
    }
  }
}

TEST_F(ReachWireTest, HalfOfSixteenMayHang) {
  Start(8);
  for (int i = 0; i < 8; ++i) AddHung(HangWay::kAcceptOnly);
  ReachOptions options = Always();
  options.timeout = seconds(6);
  Watch watch(&addresses_, options);
  watch.Round();
  EXPECT_LE(watch.took(), options.timeout + milliseconds(100));
  EXPECT_THAT(watch.Get("spire_reach_addresses", R"(stage="done")"), Optional(8));
  EXPECT_THAT(watch.Get("spire_reach_addresses", R"(stage="tls")"), Optional(8));
  EXPECT_THAT(watch.Get("spire_reach_attempts_total", R"(outcome="timeout",stage="tls")"),
              Optional(8));
}

TEST_F(ReachWireTest, TellsADatabaseFromABrokenServer) {
  Start(1);
  ReachOptions options = Always();
  options.timeout = milliseconds(1500);
  Watch watch(&addresses_, options);
  watch.Round();
  EXPECT_EQ(watch.State("spire_reach_verdict"), "all_serving");
  for (const auto answer : {TestPort::Answer::kDatabaseDown, TestPort::Answer::kNothing}) {
    ports_[0]->SetAnswer(answer);
    watch.Round();
    EXPECT_EQ(watch.State("spire_reach_verdict"), "database");
    EXPECT_THAT(watch.Get("spire_reach_addresses", R"(stage="bundle")"), Optional(1));
    EXPECT_LE(watch.took(), options.timeout + milliseconds(100));
    // Its certificate is shown all the same.
    EXPECT_TRUE(watch.Get("spire_svid_expiry_timestamp_seconds", R"(kind="server")"));
    EXPECT_EQ(watch.Get("spire_served_bundle_sequence_number"), std::nullopt);
  }
  ports_[0]->SetAnswer(TestPort::Answer::kNoSpire);
  watch.Round();
  EXPECT_EQ(watch.State("spire_reach_verdict"), "unknown");
  ports_[0]->SetAnswer(TestPort::Answer::kBundle);
  watch.Round();
  EXPECT_EQ(watch.State("spire_reach_verdict"), "all_serving");
}

TEST_F(ReachWireTest, TellsNobodyThereFromAHungOneAndFromOneWithoutTls) {
  Start(1);
  Watch watch(&addresses_, Always());
  watch.Round();
  const auto served = watch.Get("spire_reach_last_served_timestamp_seconds");
  ASSERT_TRUE(served);
  ports_.clear();  // its address stays
  watch.Round();
  EXPECT_EQ(watch.State("spire_reach_verdict"), "unreachable");
  EXPECT_THAT(watch.Get("spire_reach_attempts_total", R"(outcome="failed",stage="connect")"),
              Optional(1));
  // What was known is still told.
  EXPECT_EQ(watch.Get("spire_reach_last_served_timestamp_seconds"), served);
  EXPECT_EQ(watch.Get("spire_svid_expiry_timestamp_seconds", R"(kind="server")"), std::nullopt);
  EXPECT_EQ(watch.fact().serving, 0U);
  EXPECT_THAT(watch.fact().ca_not_after, Optional(kTestNow + seconds(9000)));

  addresses_.clear();
  AddHung(HangWay::kReset);
  watch.Round();
  EXPECT_EQ(watch.State("spire_reach_verdict"), "tls_broken") << watch.Page();
}

TEST_F(ReachWireTest, TellsTheNameFromTheServersBehindIt) {
  Start(2);
  Watch watch(&addresses_, Always());
  watch.Round();
  addresses_.clear();
  watch.Round();
  EXPECT_EQ(watch.State("spire_reach_verdict"), "name_unknown");
  EXPECT_THAT(watch.Get("spire_reach_name_addresses"), Optional(0));
  EXPECT_THAT(watch.Get("spire_reach_addresses", R"(stage="name")"), Optional(1));
  EXPECT_THAT(watch.Get("spire_reach_addresses", R"(stage="done")"), Optional(2));
  EXPECT_THAT(watch.Get("spire_reach_attempts_total", R"(outcome="failed",stage="name")"),
              Optional(1));
  EXPECT_EQ(watch.fact().addresses, 0U);
  addresses_ = AddressesOf(ports_);
  watch.Round();
  EXPECT_EQ(watch.State("spire_reach_verdict"), "all_serving");
}

TEST_F(ReachWireTest, NamesServersThatCameBackWithOtherKeys) {
  Start(1);
  auto agent = std::make_unique<TestAgent>(std::vector{ports_[0]->server()});
  std::string name = (std::filesystem::temp_directory_path() / "bundle_XXXXXX").string();
  const UniqueFd file(mkstemp(name.data()));
  std::ofstream(name) << spiffe::CertificatePem(ports_[0]->server().root.der);
  ReachOptions options = Always();
  options.bootstrap_bundle_file = name;
  Watch watch(&addresses_, options, agent->Channel());
  watch.Round();
  EXPECT_EQ(watch.State("spire_trust_source_state", R"(source="held")"), "ok");
  EXPECT_EQ(watch.State("spire_trust_source_state", R"(source="bootstrap")"), "ok");
  EXPECT_EQ(watch.fact().held_bundle_verifies, true);
  EXPECT_EQ(watch.fact().bootstrap_bundle_verifies, true);
  EXPECT_EQ(watch.Get("spire_trust_view", R"(source="agent",type="x509")"),
            watch.Get("spire_trust_view", R"(source="server",type="x509")"));
  EXPECT_EQ(watch.Get("spire_trust_view", R"(source="agent",type="jwt")"),
            watch.Get("spire_trust_view", R"(source="server",type="jwt")"));
  EXPECT_TRUE(watch.Get("spire_trust_view", R"(source="agent",type="jwt")"));

  ports_[0] = std::make_unique<TestPort>(MakeTestServer());
  addresses_ = AddressesOf(ports_);
  watch.Round();
  EXPECT_EQ(watch.State("spire_reach_verdict"), "all_serving");
  EXPECT_THAT(watch.Get("spire_reach_chains", R"(against="served",verdict="good")"), Optional(1));
  EXPECT_THAT(watch.Get("spire_reach_chains", R"(against="held",verdict="untrusted")"),
              Optional(1));
  EXPECT_THAT(watch.Get("spire_reach_chains", R"(against="bootstrap",verdict="untrusted")"),
              Optional(1));
  EXPECT_EQ(watch.fact().held_bundle_verifies, false);
  EXPECT_EQ(watch.fact().bootstrap_bundle_verifies, false);
  EXPECT_NE(watch.Get("spire_trust_view", R"(source="agent",type="x509")"),
            watch.Get("spire_trust_view", R"(source="server",type="x509")"));

  // The agent ends of it; what it would start with is still what it held.
  agent.reset();
  watch.Round();
  EXPECT_EQ(watch.State("spire_trust_source_state", R"(source="held")"), "unavailable");
  EXPECT_EQ(watch.Get("spire_trust_view", R"(source="agent",type="x509")"), std::nullopt);
  EXPECT_THAT(watch.Get("spire_reach_chains", R"(against="held",verdict="untrusted")"),
              Optional(1));
  EXPECT_EQ(watch.fact().held_bundle_verifies, false);
  std::filesystem::remove(name);
}

TEST_F(ReachWireTest, LetsNoServerChooseWhatItIsHeldAgainst) {
  Start(1);
  const TestAgent agent({ports_[0]->server()});
  Watch watch(&addresses_, Always(), agent.Channel());
  // Somebody else is behind the name, from the first round on and after it.
  TestPort evil(MakeTestServer());
  for (const char* domain : {"evil.test", "partner.test", ""}) {
    evil.SetTrustDomain(domain);
    addresses_ = {evil.Address()};
    watch.Round();
    EXPECT_EQ(watch.State("spire_trust_source_state", R"(source="held")"), "ok") << domain;
    EXPECT_THAT(watch.Get("spire_reach_chains", R"(against="held",verdict="untrusted")"),
                Optional(1))
        << domain;
    EXPECT_EQ(watch.fact().held_bundle_verifies, false) << domain;
    addresses_ = {ports_[0]->Address()};
    watch.Round();
    EXPECT_EQ(watch.fact().held_bundle_verifies, true) << domain;
  }
}

TEST_F(ReachWireTest, FindsTheServerThatSeesAnotherTrustDomain) {
  Start(2);
  Watch watch(&addresses_, Always());
  watch.Round();
  EXPECT_THAT(watch.Get("spire_trust_views"), Optional(1));
  const auto before = watch.Get("spire_trust_view", R"(source="server",type="x509")");
  ports_[1]->SetRoots({ports_[0]->server(), ports_[1]->server(), MakeTestServer()}, 2);
  watch.Round();
  EXPECT_THAT(watch.Get("spire_trust_views"), Optional(2));
  EXPECT_NE(watch.Get("spire_trust_view", R"(source="server",type="x509")"), before);
  EXPECT_THAT(watch.Get("spire_served_bundle_sequence_number"), Optional(2));
}

TEST_F(ReachWireTest, SaysWhyThereIsNoBundleOfTheAgent) {
  Start(1);
  const TestAgent denies({});
  Watch denied(&addresses_, Always(), denies.Channel());
  denied.Round();
  EXPECT_EQ(denied.State("spire_trust_source_state", R"(source="held")"), "denied");
  EXPECT_EQ(denied.Get("spire_trust_view", R"(source="agent",type="x509")"), std::nullopt);
  EXPECT_EQ(denied.Get("spire_reach_chains", R"(against="held",verdict="good")"), std::nullopt);
  EXPECT_EQ(denied.fact().held_bundle_verifies, std::nullopt);

  // What was held once goes on to count.
  TestAgent turns({ports_[0]->server()});
  Watch turned(&addresses_, Always(), turns.Channel());
  turned.Round();
  turns.Deny();
  turned.Round();
  EXPECT_EQ(turned.State("spire_trust_source_state", R"(source="held")"), "denied");
  EXPECT_EQ(turned.fact().held_bundle_verifies, true);

  Watch nobody(&addresses_, Always(), *spire::Channel::ToSocket("/nonexistent/agent.sock"));
  nobody.Round();
  EXPECT_EQ(nobody.State("spire_trust_source_state", R"(source="held")"), "unavailable");
  EXPECT_EQ(nobody.State("spire_reach_verdict"), "all_serving");
}

TEST_F(ReachWireTest, CostsAServerOneHandshakeInFourRoundsWhileAllIsWell) {
  Start(4);
  Watch watch(&addresses_, Always());
  watch.Round();  // all is new: a handshake by itself and one for the bundle
  watch.Round();  // as it was
  const auto count = [this] {
    int handshakes = 0;
    for (const auto& port : ports_) handshakes += port->handshakes();
    return handshakes;
  };
  EXPECT_EQ(count(), 4 * 3);
  for (int round = 0; round < 4; ++round) watch.Round();
  for (const auto& port : ports_) EXPECT_EQ(port->handshakes(), 4);
  EXPECT_EQ(watch.State("spire_reach_verdict"), "all_serving");
  // Trouble is looked at everywhere, once it is met.
  ports_[2]->SetAnswer(TestPort::Answer::kDatabaseDown);
  for (int round = 0; round < 4; ++round) watch.Round();
  const int before = count();
  watch.Round();
  EXPECT_EQ(count(), before + 3 + 2);
}

TEST_F(ReachWireTest, LeavesTheServersAloneBetweenRounds) {
  Start(1);
  ReachOptions options = Always();
  options.interval = seconds(60);
  Watch watch(&addresses_, options);
  watch.Round();
  const int asked = ports_[0]->bundles();
  for (int i = 0; i < 10; ++i) watch.Round();
  EXPECT_EQ(ports_[0]->bundles(), asked);
  EXPECT_EQ(watch.State("spire_reach_verdict"), "all_serving");
  // What was new is looked at again after a quarter of the interval.
  EXPECT_LE(watch.collector().Period(), seconds(18));
  EXPECT_GT(watch.collector().Period(), seconds(5));

  // With a long interval too what is known is judged anew before the page forgets it.
  options.interval = std::chrono::hours(1);
  Watch seldom(&addresses_, options);
  seldom.Round();
  EXPECT_EQ(seldom.collector().Period(), seconds(60));
}

TEST_F(ReachWireTest, EndsAtOnceWhenStopped) {
  AddHung(HangWay::kAcceptOnly);
  ReachOptions options = Always();
  options.timeout = seconds(60);
  Watch watch(&addresses_, options);
  std::stop_source stop;
  std::thread stopper([&] {
    while (hung_[0]->accepted() == 0) std::this_thread::yield();
    stop.request_stop();
  });
  watch.Round(stop.get_token());
  stopper.join();
  ASSERT_FALSE(watch.reading().ok());
  EXPECT_EQ(watch.reading().error().code, Code::kCancelled);
  EXPECT_LT(watch.took(), seconds(10));
}

TEST(ServerAddressTest, SeveralAreSeparatedByCommas) {
  const auto servers = ParseServerAddresses("a:1, [::1]:2");
  ASSERT_TRUE(servers.ok());
  ASSERT_EQ(servers->size(), 2U);
  EXPECT_EQ((*servers)[1].host, "::1");
  EXPECT_FALSE(ParseServerAddresses("a:1,,b:2").ok());
}

TEST(ServerAddressTest, IsAHostAndAPort) {
  EXPECT_EQ(ParseServerAddress("spire-server.spire:8081")->host, "spire-server.spire");
  EXPECT_EQ(ParseServerAddress("127.0.0.1:8081")->port, 8081);
  EXPECT_EQ(ParseServerAddress("[::1]:8081")->host, "::1");
  for (const char* wrong : {"", "host", ":8081", "host:", "host:0", "host:65536", "host:80x",
                            "::1:8081", "[]:80", "a b:80", "http://host:80"}) {
    EXPECT_EQ(ParseServerAddress(wrong).error().code, Code::kInvalidArgument) << wrong;
  }
}

}  // namespace
}  // namespace spire_exporter::svid
