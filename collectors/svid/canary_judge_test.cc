#include "collectors/svid/canary_judge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>

namespace spire_exporter::svid {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr sys_seconds kNow{seconds(1'800'000'000)};

Error Failed(Code code, std::string what = "") {
  return {code, std::move(what), "", true};
}

spiffe::JwtFacts Token(sys_seconds issued, seconds lifetime) {
  spiffe::JwtFacts facts;
  facts.issued_at = issued;
  facts.expires_at = issued + lifetime;
  return facts;
}

TEST(CanaryJudgeTest, AMissingEntryADeniedCallAndABrokenAgentAreThreeThings) {
  EXPECT_EQ(OutcomeOf(Failed(Code::kPermissionDenied, "fetch: no identity issued"), false),
            CanaryOutcome::kNoEntry);
  EXPECT_EQ(OutcomeOf(Failed(Code::kPermissionDenied, "not allowed"), false),
            CanaryOutcome::kDenied);
  EXPECT_EQ(OutcomeOf(Failed(Code::kUnavailable), false), CanaryOutcome::kAgentGone);
  EXPECT_EQ(OutcomeOf(Failed(Code::kUnavailable), true), CanaryOutcome::kServerPath);
  EXPECT_EQ(OutcomeOf(Failed(Code::kDeadlineExceeded), true), CanaryOutcome::kTimeout);
  EXPECT_EQ(OutcomeOf(Failed(Code::kDataLoss), true), CanaryOutcome::kMalformed);
  EXPECT_EQ(OutcomeOf(Failed(Code::kResourceExhausted), true), CanaryOutcome::kMalformed);
  EXPECT_EQ(OutcomeOf(Failed(Code::kInternal), true), CanaryOutcome::kFailed);
}

TEST(CanaryJudgeTest, TheCanaryIsTheNamedSvidOrTheFirst) {
  spire::X509Context context;
  EXPECT_EQ(FindCanary(context, ""), nullptr);
  context.svids.resize(2);
  context.svids[0].spiffe_id = "spiffe://example.org/a";
  context.svids[1].spiffe_id = "spiffe://example.org/canary";
  EXPECT_EQ(FindCanary(context, ""), &context.svids[0]);
  EXPECT_EQ(FindCanary(context, "spiffe://example.org/canary"), &context.svids[1]);
  EXPECT_EQ(FindCanary(context, "spiffe://example.org/other"), nullptr);
}

// What was asked for, and until when its token lives.
using Ends = std::map<std::string, sys_seconds>;

// Rounds of 15 s, each answered by a token of the lifetime that is due: no audience comes back
// early.
sys_seconds Play(AudienceRing& ring, sys_seconds now, int rounds, Ends& ends,
                 const std::function<seconds(sys_seconds)>& lifetime) {
  for (int round = 0; round < rounds; ++round, now += seconds(15)) {
    const std::string audience = ring.Next(now);
    const auto last = ends.find(audience);
    if (last != ends.end()) {
      EXPECT_LE(last->second, now) << audience << " in round " << round;
    }
    const auto token = Token(now, lifetime(now));
    EXPECT_TRUE(ring.Signed(token, now)) << round;
    ends[audience] = token.expires_at;
  }
  return now;
}

seconds FiveMinutes(sys_seconds) {
  return minutes(5);
}

TEST(AudienceRingTest, AnAudienceComesBackOnlyWhenItsTokenHasEnded) {
  AudienceRing ring("canary", seconds(15), kNow);
  Ends ends;
  Play(ring, kNow, 2000, ends, FiveMinutes);
  EXPECT_EQ(ring.size(), 20u) << "rounds in a lifetime";
  EXPECT_EQ(ends.size(), 20u);
}

TEST(AudienceRingTest, LifetimesThatAKeysEndCutsShortBringNoneBackEarly) {
  AudienceRing ring("canary", seconds(15), kNow);
  Ends ends;
  const auto cut = [](sys_seconds now) {
    return std::min<seconds>(minutes(5), seconds(420) - (now - kNow) % seconds(400));
  };
  Play(ring, kNow, 2000, ends, cut);
  EXPECT_LE(ends.size(), 20u);
}

TEST(AudienceRingTest, ATokenFromTheCacheWasNotSigned) {
  AudienceRing ring("canary", minutes(1), kNow);
  const std::string first = ring.Next(kNow);
  const auto cached = Token(kNow - minutes(2), minutes(5));
  EXPECT_FALSE(ring.Signed(cached, kNow)) << "an older process may have asked for it";
  EXPECT_NE(ring.Next(kNow + minutes(1)), first);
  EXPECT_TRUE(ring.Signed(Token(kNow + minutes(1), minutes(5)), kNow + minutes(1)));
  const sys_seconds ended = kNow + minutes(3);
  EXPECT_EQ(ring.Next(ended), first);
  EXPECT_FALSE(ring.Signed(cached, ended)) << "the very same";
  EXPECT_NE(ring.Next(ended), first) << "which has just been asked for";
  EXPECT_TRUE(ring.Signed(Token(ended, minutes(5)), ended));
}

TEST(AudienceRingTest, ATokenThatTellsNoIssueIsNeverFreshAndNotAskedForAgain) {
  AudienceRing ring("canary", minutes(1), kNow);
  spiffe::JwtFacts token = Token(kNow, minutes(5));
  token.issued_at.reset();
  const std::string first = ring.Next(kNow);
  EXPECT_FALSE(ring.Signed(token, kNow));
  EXPECT_NE(ring.Next(kNow), first);
}

TEST(AudienceRingTest, AnAudienceWithoutATokenIsAskedForAgain) {
  AudienceRing ring("canary", minutes(1), kNow);
  const std::string first = ring.Next(kNow);
  EXPECT_EQ(ring.Next(kNow + minutes(1)), first);
  EXPECT_EQ(ring.size(), 0u);
}

TEST(AudienceRingTest, ARestartStartsBehindTheRing) {
  AudienceRing before("canary", seconds(15), kNow);
  Ends ends;
  const sys_seconds now = Play(before, kNow, 100, ends, FiveMinutes);
  AudienceRing after("canary", seconds(15), now);
  Play(after, now, 100, ends, FiveMinutes);
  EXPECT_EQ(ends.size(), before.size() + after.size());
}

TEST(AudienceRingTest, AbsurdLifetimesLeaveItBounded) {
  AudienceRing ring("canary", seconds(5), kNow);
  for (int round = 0; round < 400; ++round) {
    for (const seconds lifetime :
         {seconds(-5), seconds(0), seconds(1), seconds(86'400 * 360), seconds(1LL << 40)}) {
      (void)ring.Next(kNow);
      (void)ring.Signed(Token(kNow, lifetime), kNow);
      EXPECT_LE(ring.size(), AudienceRing::kSizeMax);
    }
  }
  EXPECT_EQ(ring.size(), AudienceRing::kSizeMax);
}

TEST(ClockOffsetTest, SaysWhatATokenProvesAndNoMore) {
  EXPECT_EQ(ClockOffset(kNow, kNow, kNow + seconds(1)), seconds(0));
  EXPECT_EQ(ClockOffset(kNow + seconds(30), kNow, kNow + seconds(1)), seconds(29));
  EXPECT_EQ(ClockOffset(kNow - seconds(60), kNow, kNow + seconds(1)), seconds(-59));
  EXPECT_EQ(ClockOffset(kNow - seconds(1), kNow + std::chrono::milliseconds(10), kNow), seconds(0))
      << "a token has whole seconds";
}

}  // namespace
}  // namespace spire_exporter::svid
