#include "collectors/server/health_judge.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace spire_exporter::server {
namespace {

using std::chrono::seconds;

constexpr char kAllWell[] =
    R"({"catalog.datastore":{},"server":{},"server.ca":{},"server.ca.rotator":{}})";
constexpr char kNoDatabase[] =
    R"({"catalog.datastore":{"list_bundle_err":"dial error: password=hunter2"},)"
    R"("server":{"get_bundle_err":"rpc error"},"server.ca":{},"server.ca.rotator":{}})";
constexpr char kNoKeys[] =
    R"({"catalog.datastore":{},"server":{},"server.ca":{"sign_x509_svid_err":"kms"},)"
    R"("server.ca.rotator":{}})";

HealthAnswer Said(int status, std::string body) {
  return JudgeAnswer(HttpReply{status, "application/json", std::move(body)});
}

HealthAnswer Fails(Code code) {
  return JudgeAnswer(Error{code, "x", "", true});
}

TEST(HealthJudgeTest, ReadsThePartsOfAnAnswer) {
  const HealthAnswer well = Said(200, kAllWell);
  EXPECT_EQ(well.state, "ok");
  EXPECT_EQ(well.failing[kDatastore], false);
  EXPECT_EQ(well.failing[3], false);
  EXPECT_FALSE(well.failing[kOther].has_value());
  const HealthAnswer ill = Said(500, kNoDatabase);
  EXPECT_EQ(ill.state, "failing");
  EXPECT_EQ(ill.failing[kDatastore], true);
  EXPECT_EQ(ill.failing[1], true);
  EXPECT_EQ(ill.failing[2], false);
  const HealthAnswer news = Said(500, R"({"server":{},"new.part":{"some_err":"x"}})");
  EXPECT_EQ(news.state, "failing");
  EXPECT_EQ(news.failing[kOther], true);
}

TEST(HealthJudgeTest, TakesNothingElseForAServersHealth) {
  for (const auto& [status, body] : {std::pair<int, std::string>{200, ""},
                                     {200, "OK"},
                                     {404, kAllWell},
                                     {200, "{}"},
                                     {200, R"({"agent":{}})"},
                                     {200, "{\"server\":{}"},
                                     {200, "server {}"},
                                     {200, "[]"},
                                     {503, kAllWell},
                                     {200, std::string(60000, '{')}}) {
    EXPECT_EQ(Said(status, body).state, "foreign") << status << body.substr(0, 40);
  }
  EXPECT_EQ(Fails(Code::kResourceExhausted).state, "foreign");
  EXPECT_EQ(Fails(Code::kDataLoss).state, "foreign");
  EXPECT_EQ(Fails(Code::kDeadlineExceeded).state, "timeout");
  EXPECT_EQ(Fails(Code::kUnavailable).state, "unreachable");
}

struct Case {
  HealthAnswer said;
  Evidence evidence;
  std::string_view verdict;
  std::string_view agreement;
};

TEST(HealthJudgeTest, GoesByTheEvidenceAndNotByTheWord) {
  const HealthAnswer well = Said(200, kAllWell);
  const HealthAnswer no_database = Said(500, kNoDatabase);
  const HealthAnswer no_keys = Said(500, kNoKeys);
  const HealthAnswer gone = Fails(Code::kUnavailable);
  const HealthAnswer hangs = Fails(Code::kDeadlineExceeded);
  const HealthAnswer foreign = Said(404, "");
  const std::optional<bool> unseen;
  const Case cases[] = {
      // A database that hangs: 200 all the time, and 500 when it is cured.
      {well, {false, false}, "database", "says_well"},
      {no_database, {true, true}, "healthy", "says_ill"},
      {well, {false, unseen}, "unknown", "says_well"},
      // A database that is down.
      {no_database, {false, false}, "database", "agrees"},
      {no_database, {false, unseen}, "database", "agrees"},
      // A server that is broken by itself.
      {well, {false, true}, "server_broken", "says_well"},
      {no_keys, {false, true}, "server_broken", "agrees"},
      {no_keys, {false, unseen}, "server_broken", "agrees"},
      {hangs, {false, true}, "server_broken", "agrees"},
      {hangs, {unseen, unseen}, "server_broken", "unknown"},
      // One that serves, and whose key manager refuses.
      {no_keys, {true, true}, "not_signing", "agrees"},
      {no_keys, {true, unseen}, "not_signing", "agrees"},
      // A server that is not there, or whose health listener is off.
      {gone, {false, true}, "unreachable", "agrees"},
      {gone, {false, false}, "unreachable", "agrees"},
      {gone, {unseen, unseen}, "unreachable", "unknown"},
      {gone, {true, true}, "healthy", "says_ill"},
      // Nobody else looked.
      {well, {unseen, unseen}, "healthy", "unknown"},
      {well, {unseen, false}, "database", "unknown"},
      {no_database, {unseen, unseen}, "database", "unknown"},
      {no_database, {unseen, true}, "unknown", "unknown"},
      {no_keys, {unseen, true}, "server_broken", "unknown"},
      {foreign, {unseen, true}, "unknown", "unknown"},
      {foreign, {true, true}, "healthy", "unknown"},
      {foreign, {false, unseen}, "unknown", "unknown"},
      {well, {true, true}, "healthy", "agrees"},
  };
  int i = 0;
  for (const Case& each : cases) {
    EXPECT_EQ(JudgeServer(each.said, each.said, each.evidence), each.verdict) << i;
    EXPECT_EQ(JudgeAgreement(each.said, each.said, each.evidence), each.agreement) << i;
    ++i;
  }
}

class LivenessClockTest : public testing::Test {
 protected:
  static SteadyTime At(int second) { return SteadyTime(seconds(second)); }
  const HealthAnswer well_ = Said(200, kAllWell);
  const HealthAnswer ill_ = Said(500, kNoDatabase);
  const HealthAnswer gone_ = Fails(Code::kUnavailable);
};

TEST_F(LivenessClockTest, SpansWhatKubernetesMayDo) {
  LivenessClock clock({2, seconds(60)});
  EXPECT_FALSE(clock.OnAnswer(well_, At(100)));
  const auto strike = clock.OnAnswer(ill_, At(115));
  ASSERT_TRUE(strike);
  EXPECT_EQ(strike->earliest, At(160));
  EXPECT_EQ(strike->latest, At(235));
  // It does not move while nothing changes, and a process that is gone counts as bad.
  EXPECT_EQ(clock.OnAnswer(gone_, At(130))->latest, At(235));
  EXPECT_FALSE(clock.OnAnswer(well_, At(145)));
  EXPECT_EQ(clock.OnAnswer(ill_, At(160))->earliest, At(205));
}

TEST_F(LivenessClockTest, KnowsNoEarliestWithoutAGoodAnswerBefore) {
  LivenessClock clock({3, seconds(10)});
  const auto strike = clock.OnAnswer(ill_, At(100));
  ASSERT_TRUE(strike);
  EXPECT_FALSE(strike->earliest);
  EXPECT_EQ(strike->latest, At(130));
}

TEST_F(LivenessClockTest, IsSilentWithoutAProbeOrAnEndpoint) {
  LivenessClock none({0, seconds(10)});
  EXPECT_FALSE(none.OnAnswer(ill_, At(1)));
  LivenessClock never_seen({2, seconds(10)});
  EXPECT_FALSE(never_seen.OnAnswer(gone_, At(1)));
  EXPECT_FALSE(never_seen.OnAnswer(gone_, At(100)));
}

}  // namespace
}  // namespace spire_exporter::server
