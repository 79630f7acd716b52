#include "collectors/svid/reach_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/svid/test_servers.h"

namespace spire_exporter::svid {
namespace {

using spire::ServerStage;
using std::chrono::seconds;
using testing::Optional;

ServerState At(ServerStage stage, Code code = Code::kOk) {
  ServerState state;
  state.ended = stage;
  state.code = code;
  return state;
}

ServerState StateOf(const ReachProbe& probe, SystemTime now = kTestNow) {
  ServerState state = At(probe.ended, probe.code);
  state.seen = now;
  state.shown = ReadShown(probe.chain, probe.served ? &*probe.served : nullptr);
  if (probe.served) state.served = ViewOf(*probe.served);
  return state;
}

ReachVerdict Judge(std::vector<ServerState> states) {
  return JudgeReach(true, states);
}

TEST(ReachJudgeTest, TellsFaultsApart) {
  const ServerState done = At(ServerStage::kDone);
  const ServerState refused = At(ServerStage::kConnect, Code::kUnavailable);
  const ServerState hung = At(ServerStage::kTls, Code::kDeadlineExceeded);
  const ServerState no_rows = At(ServerStage::kBundle, Code::kInternal);
  const ServerState no_answer = At(ServerStage::kBundle, Code::kDeadlineExceeded);
  const ServerState stranger = At(ServerStage::kBundle, Code::kUnimplemented);

  EXPECT_EQ(Judge({done, done}), ReachVerdict::kAllServing);
  EXPECT_EQ(Judge({done, hung, refused}), ReachVerdict::kSomeServing);
  EXPECT_EQ(Judge({refused, refused}), ReachVerdict::kUnreachable);
  EXPECT_EQ(Judge({refused, hung}), ReachVerdict::kTlsBroken);
  EXPECT_EQ(Judge({refused, hung, no_rows}), ReachVerdict::kDatabase);
  EXPECT_EQ(Judge({no_answer}), ReachVerdict::kDatabase);
  EXPECT_EQ(Judge({stranger}), ReachVerdict::kUnknown);
  EXPECT_EQ(Judge({stranger, no_answer}), ReachVerdict::kDatabase);
  EXPECT_EQ(Judge({}), ReachVerdict::kUnknown);
}

TEST(ReachJudgeTest, NamesTheNameThoughServersAnswerAtTheirLastAddresses) {
  EXPECT_EQ(JudgeReach(false, std::vector{At(ServerStage::kDone)}), ReachVerdict::kNameUnknown);
  EXPECT_EQ(JudgeReach(false, {}), ReachVerdict::kNameUnknown);
}

TEST(ReachJudgeTest, CountsStagesAndShowsTheCertificateThatEndsFirst) {
  const TestServer late = MakeTestServer(seconds(3000));
  const TestServer soon = MakeTestServer(seconds(20), seconds(40));
  const std::vector<ServerState> states = {StateOf(Serving(late)), StateOf(Serving(soon)),
                                           At(ServerStage::kConnect)};
  const ReachSummary summary = Summarise(states);
  EXPECT_THAT(summary.by_stage, testing::ElementsAre(0, 1, 0, 0, 2));
  ASSERT_NE(summary.first, nullptr);
  EXPECT_EQ(summary.first->leaf.not_after, kTestNow + seconds(20));
  EXPECT_THAT(summary.above_not_after, Optional(kTestNow + seconds(40)));
}

TEST(ReachJudgeTest, CountsTheViewsOfTheServers) {
  const TestServer a = MakeTestServer(), b = MakeTestServer();
  const std::vector<ServerState> one = {StateOf(Serving(a, {b})), StateOf(Serving(b, {a}))};
  EXPECT_EQ(Summarise(one).views, 1U);
  const std::vector<ServerState> two = {StateOf(Serving(a, {b}, 7)), StateOf(Serving(b, {}, 9))};
  EXPECT_EQ(Summarise(two).views, 2U);
  // The newer one is shown.
  EXPECT_EQ(Summarise(two).view, two[1].served.get());
}

TEST(ReachJudgeTest, HoldsWhatWasShownAgainstWhatIsTrusted) {
  const TestServer old = MakeTestServer(), now = MakeTestServer();
  const std::vector<std::string> roots = {old.root.der};
  const auto looks = [&](SystemTime at) {
    return std::vector{StateOf(Serving(now), at), StateOf(Serving(old), at)};
  };
  EXPECT_EQ(Verifies(AgainstServed(looks(kTestNow))), true);
  const auto held = [&](SystemTime at) { return AgainstRoots(looks(at), {roots, "example.org"}); };
  // good, expired, not_yet_valid, untrusted, malformed
  EXPECT_THAT(held(kTestNow), Optional(testing::ElementsAre(1, 0, 0, 1, 0)));
  EXPECT_THAT(held(kTestNow + seconds(3001)), Optional(testing::ElementsAre(0, 1, 0, 1, 0)));
  EXPECT_THAT(held(kTestNow - seconds(601)), Optional(testing::ElementsAre(0, 0, 1, 1, 0)));
  // One that is good and one that is not say nothing of the whole.
  EXPECT_EQ(Verifies(held(kTestNow)), std::nullopt);
  EXPECT_EQ(Verifies(held(kTestNow + seconds(3001))), false);
}

TEST(ReachJudgeTest, TrustsNoWorkloadAsAServer) {
  const TestServer server = MakeTestServer();
  const std::vector<std::string> roots = {server.root.der};
  spiffe::TestCertificateOptions options;
  options.not_before = kTestNow - seconds(600);
  options.not_after = kTestNow + seconds(600);
  const auto tally = [&](const std::string& id, std::string_view trust_domain) {
    options.uris = {id};
    ReachProbe probe = Serving(server);
    probe.chain = {spiffe::IssueTestCertificate(options, &server.root).der};
    const std::vector<ServerState> states = {StateOf(probe)};
    EXPECT_EQ(Verifies(AgainstServed(states)), id == "spiffe://example.org/spire/server") << id;
    return AgainstRoots(states, {roots, trust_domain});
  };
  const auto untrusted = Optional(testing::ElementsAre(0, 0, 0, 1, 0));
  for (const char* id : {"spiffe://example.org/ns/shop", "spiffe://evil.test/spire/server",
                         "spiffe://example.org/ns/spire/server"}) {
    EXPECT_THAT(tally(id, "example.org"), untrusted) << id;
  }
  EXPECT_EQ(Verifies(tally("spiffe://example.org/spire/server", "example.org")), true);
  // Where nobody knows the trust domain, its server is known by its path.
  EXPECT_EQ(Verifies(tally("spiffe://example.org/spire/server", "")), true);
  EXPECT_THAT(tally("spiffe://example.org/ns/spire/server", ""), untrusted);
}

TEST(ReachJudgeTest, JudgesTheFirstHundredAuthorities) {
  const TestServer server = MakeTestServer(), other = MakeTestServer();
  std::vector<std::string> roots(99, other.root.der);
  roots.push_back(server.root.der);
  const std::vector<ServerState> states = {StateOf(Serving(server))};
  EXPECT_EQ(Verifies(AgainstRoots(states, {roots, "example.org"})), true);
  roots.insert(roots.begin(), other.root.der);
  EXPECT_EQ(Verifies(AgainstRoots(states, {roots, "example.org"})), false);
}

TEST(ReachJudgeTest, OnlyChainsThatVerifyTellTheEndOfAnAuthority) {
  const TestServer ours = MakeTestServer(seconds(3000), seconds(9000));
  const TestServer soon = MakeTestServer(seconds(20), seconds(40));
  const std::vector<std::string> roots = {ours.root.der};
  const Trusted held{roots, "example.org"};
  const std::vector<ServerState> both = {StateOf(Serving(ours)), StateOf(Serving(soon))};
  EXPECT_THAT(FirstAuthorityEnd(both, held), Optional(kTestNow + seconds(9000)));
  // Each vouches for itself where nothing is held.
  EXPECT_THAT(FirstAuthorityEnd(both, {}), Optional(kTestNow + seconds(40)));

  const std::vector<ServerState> stranger = {StateOf(Serving(soon))};
  EXPECT_EQ(FirstAuthorityEnd(stranger, held), std::nullopt);
  EXPECT_EQ(FirstAuthorityEnd(both, {roots, "other.test"}), std::nullopt);
  EXPECT_EQ(FirstAuthorityEnd({}, held), std::nullopt);
}

TEST(ReachJudgeTest, HasNoVerdictWithoutTwoSidesToCompare) {
  const TestServer server = MakeTestServer();
  const std::vector<std::string> roots = {server.root.der};
  EXPECT_EQ(AgainstRoots(std::vector{StateOf(Serving(server))}, {}), std::nullopt);
  EXPECT_EQ(AgainstRoots(std::vector{At(ServerStage::kConnect)}, {roots, "example.org"}),
            std::nullopt);
  // A handshake without a bundle can still be held against ours.
  ReachProbe shaken = Ended(ServerStage::kBundle, Code::kInternal);
  shaken.chain = {server.leaf.der};
  const std::vector<ServerState> states = {StateOf(shaken)};
  EXPECT_EQ(AgainstServed(states), std::nullopt);
  EXPECT_EQ(Verifies(AgainstRoots(states, {roots, "example.org"})), true);
  EXPECT_EQ(Verifies(std::nullopt), std::nullopt);
}

TEST(ReachJudgeTest, ReadsViewsOfTheBundle) {
  const TestServer a = MakeTestServer(seconds(10), seconds(100)), b = MakeTestServer();
  spire::ServedBundle served = ServedBy(a, {b}, 4);
  served.bundle.refresh_hint = seconds(300);
  const auto without_keys = ViewOf(served);
  spire::BundleAuthority key;
  key.type = spire::AuthorityType::kJwt;
  key.id = "k1";
  served.bundle.authorities.push_back(key);
  const auto view = ViewOf(served);
  EXPECT_THAT(view->authorities, testing::ElementsAre(2, 1, 0));
  EXPECT_THAT(view->first_expiry, Optional(kTestNow + seconds(100)));
  EXPECT_THAT(view->last_expiry, Optional(kTestNow + seconds(9000)));
  EXPECT_EQ(view->sequence_number, 4U);
  EXPECT_EQ(view->x509_number, without_keys->x509_number);
  EXPECT_NE(view->jwt_number, without_keys->jwt_number);
  EXPECT_LT(view->x509_number, uint64_t{1} << 48);
}

TEST(ReachJudgeTest, KeepsNoBundleBeyondHalfAMegabyte) {
  spire::ServedBundle served = ServedBy(MakeTestServer());
  served.certificates.assign(600, std::string(1024, 'x'));
  EXPECT_TRUE(ViewOf(served)->certificates.empty());
  EXPECT_NE(ViewOf(served)->x509_number, 0U);
}

TEST(ReachJudgeTest, PassesOverWhatIsNoCertificate) {
  EXPECT_EQ(ReadShown({}, nullptr), std::nullopt);
  EXPECT_EQ(ReadShown({"garbage"}, nullptr), std::nullopt);
  const TestServer server = MakeTestServer();
  const auto shown = ReadShown({server.leaf.der, "garbage", server.root.der}, nullptr);
  ASSERT_TRUE(shown.has_value());
  EXPECT_THAT(shown->above_not_after, Optional(kTestNow + seconds(9000)));
}

class ClockProofTest : public testing::Test {
 protected:
  // The server issues at our time `at` on a clock that is `ahead` of ours.
  void Renew(seconds at, seconds ahead) { not_before_ = kTestNow + at + ahead - seconds(10); }
  std::optional<double> Look(seconds at) {
    clock_.Observe(not_before_, kTestNow + at, SteadyTime(at));
    return clock_.offset_seconds();
  }

  spire::UnixTime not_before_ = kTestNow - seconds(1000);
  ClockProof clock_;
};

TEST_F(ClockProofTest, ProvesNothingBeforeARenewal) {
  EXPECT_EQ(Look(seconds(0)), std::nullopt);
  EXPECT_EQ(Look(seconds(60)), std::nullopt);
}

TEST_F(ClockProofTest, FindsEqualClocksEqual) {
  Look(seconds(0));
  Renew(seconds(10), seconds(0));
  EXPECT_EQ(Look(seconds(15)), 0.0);
  EXPECT_EQ(Look(seconds(30)), 0.0);
}

TEST_F(ClockProofTest, FindsAServerAhead) {
  Look(seconds(0));
  Renew(seconds(10), seconds(100));
  EXPECT_EQ(Look(seconds(15)), 95.0);
}

TEST_F(ClockProofTest, FindsAServerBehind) {
  Look(seconds(0));
  Renew(seconds(10), seconds(-100));
  EXPECT_EQ(Look(seconds(15)), -90.0);
}

TEST_F(ClockProofTest, FindsACertificateFromTheFutureAtTheFirstLook) {
  Renew(seconds(0), seconds(3600));
  EXPECT_EQ(Look(seconds(5)), 3595.0);
}

TEST_F(ClockProofTest, ForgetsWhatAnotherClockOfOursSaid) {
  Look(seconds(0));
  Renew(seconds(10), seconds(-100));
  EXPECT_EQ(Look(seconds(15)), -90.0);
  // Ours is set back by 100 s: theirs was right.
  clock_.Observe(not_before_, kTestNow + seconds(30 - 100), SteadyTime(seconds(30)));
  EXPECT_EQ(clock_.offset_seconds(), std::nullopt);
}

TEST_F(ClockProofTest, BearsAbsurdTimes) {
  clock_.Observe(spire::UnixTime(seconds(253'402'300'799)), kTestNow, SteadyTime());
  EXPECT_GT(clock_.offset_seconds().value_or(0), 2.5e11);
  clock_.Observe(spire::UnixTime{}, kTestNow + seconds(1), SteadyTime(seconds(1)));
  EXPECT_LT(clock_.offset_seconds().value_or(0), -1.7e9);
}

}  // namespace
}  // namespace spire_exporter::svid
