#include "collectors/datastore/authority_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/clients/spire/test_records.h"

namespace spire_exporter::datastore {
namespace {

using spire::At;
using spire::AuthorityType;
using spire::BundleAuthority;
using spire::JournalAuthority;
using spire::Slot;
using spire::Trust;
using spire::UnixTime;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;

constexpr size_t kX509 = 0;
constexpr size_t kJwt = 1;

spire::BundleRow Row(int64_t id, spire::Bundle bundle, const std::string& digest = "d") {
  const std::string domain = bundle.trust_domain;
  return {id, domain, std::nullopt, digest,
          std::make_shared<const spire::Bundle>(std::move(bundle))};
}

spire::JournalRow Row(int64_t id, spire::Journal journal) {
  return {id, std::nullopt, std::nullopt, "d",
          std::make_shared<const spire::Journal>(std::move(journal))};
}

// What two real servers had in their database.
spire::AuthoritySet Captured(const std::string& scenario) {
  spire::AuthoritySet set;
  set.bundle = Row(1, spire::BundleOf(scenario + "/bundle"));
  set.journals = {Row(1, spire::JournalOf(scenario + "/journal_1")),
                  Row(2, spire::JournalOf(scenario + "/journal_2"))};
  set.journals_whole = true;
  return set;
}

// To be changed: a copy of its own, which replaces the one before.
spire::Bundle& BundleOf(spire::AuthoritySet& set) {
  auto copy = std::make_shared<spire::Bundle>(*set.bundle->bundle);
  set.bundle->bundle = copy;
  return *copy;
}

spire::Journal& JournalOf(spire::AuthoritySet& set, size_t index) {
  auto copy = std::make_shared<spire::Journal>(*set.journals[index].journal);
  set.journals[index].journal = copy;
  return *copy;
}

// Two readings, as what must be seen twice wants it.
Judgement Judged(spire::AuthoritySet& set, UnixTime now) {
  AuthorityJudge judge;
  judge.Judge(&set, now, true);
  return judge.Judge(&set, now, true);
}

std::string Names(const Judgement& judgement) {
  std::string names;
  for (const AuthorityVerdict& each : judgement.authorities) {
    if (each.authority.type != AuthorityType::kX509) continue;
    names += std::to_string(each.row) + " " + std::string(SlotName(each.authority.slot)) + " " +
             each.authority.id.substr(0, 4) + " " + std::to_string(static_cast<int>(each.trust)) +
             "\n";
  }
  return names;
}

TEST(AuthorityJudgeTest, ANaturalRotationIsQuiet) {
  spire::AuthoritySet set = Captured("natural_rotation");
  const Judgement judgement = Judged(set, At("21:18:20"));
  EXPECT_EQ(Names(judgement),
            "1 active 5da6 0\n2 active 2c77 0\n1 prepared 7f20 0\n2 prepared f868 0\n");
  for (const size_t type : {kX509, kJwt}) {
    const TypeTally& tally = judgement.types[type];
    EXPECT_EQ(tally.prepare_overdue + tally.activate_overdue, 0u);
    EXPECT_EQ(tally.active_tainted + tally.active_upstream_tainted + tally.active_missing, 0u);
    EXPECT_EQ(tally.revoked, 0u);
    EXPECT_THAT(tally.unowned, ElementsAre(0, 0, 0));
    EXPECT_EQ(tally.valid, 4u);
    EXPECT_EQ(tally.expired, 2u);  // they stay in the bundle for a day
  }
  EXPECT_EQ(judgement.servers_live, 2u);
  EXPECT_EQ(judgement.servers.size(), 4u);
  EXPECT_TRUE(judgement.servers[0].prepared);
}

TEST(AuthorityJudgeTest, DueTimesGoByTheJournalsLifetime) {
  JournalAuthority authority;
  authority.issued_at = At("12:00:00");
  authority.not_after = At("12:06:00");
  EXPECT_EQ(PrepareAt(authority), At("12:03:00"));
  EXPECT_EQ(ActivateAt(authority), At("12:05:00"));
  EXPECT_EQ(OverdueAfter(authority), seconds(30));
  authority.not_after = authority.issued_at + hours(24);
  EXPECT_EQ(PrepareAt(authority), authority.issued_at + hours(12));
  EXPECT_EQ(ActivateAt(authority), authority.issued_at + hours(20));
  EXPECT_EQ(OverdueAfter(authority), minutes(5));
  authority.not_after = authority.issued_at + hours(24 * 365);
  EXPECT_EQ(PrepareAt(authority), authority.not_after - hours(24 * 30));
  EXPECT_EQ(ActivateAt(authority), authority.not_after - hours(24 * 7));
  authority.not_after = authority.issued_at - hours(1);  // nonsense
  EXPECT_EQ(PrepareAt(authority), authority.not_after);
}

TEST(AuthorityJudgeTest, APreparationIsOverdueAfterItsGrace) {
  spire::AuthoritySet set = Captured("natural_rotation");
  std::erase_if(JournalOf(set, 0).authorities, [](const JournalAuthority& each) {
    return each.slot == Slot::kPrepared && each.type == AuthorityType::kX509;
  });
  // Issued at 21:15:14 for six minutes: due at 21:18:14.
  EXPECT_EQ(Judged(set, At("21:18:44")).types[kX509].prepare_overdue, 0u);
  const Judgement late = Judged(set, At("21:18:45"));
  EXPECT_EQ(late.types[kX509].prepare_overdue, 1u);
  EXPECT_EQ(late.types[kX509].activate_overdue, 0u);
  EXPECT_EQ(late.types[kJwt].prepare_overdue, 0u);
  EXPECT_FALSE(late.servers[0].prepared);
  // Activation is due at 21:20:14 and nobody did it.
  const Judgement later = Judged(set, At("21:20:45"));
  EXPECT_EQ(later.types[kX509].activate_overdue, 2u);
  EXPECT_EQ(later.types[kJwt].activate_overdue, 2u);
}

TEST(AuthorityJudgeTest, APreparedOneThatHasEndedIsNone) {
  spire::AuthoritySet set = Captured("natural_rotation");
  for (JournalAuthority& each : JournalOf(set, 1).authorities) {
    if (each.slot == Slot::kPrepared) each.not_after = At("21:18:00");
  }
  EXPECT_EQ(Judged(set, At("21:19:00")).types[kX509].prepare_overdue, 1u);
}

TEST(AuthorityJudgeTest, ATaintedOldAuthorityIsKnownAndNobodySignsWithIt) {
  spire::AuthoritySet set = Captured("tainted");
  const Judgement judgement = Judged(set, At("21:30:00"));
  EXPECT_EQ(Names(judgement), "1 active 5e46 0\n2 active 4ba1 0\n1 old 1515 1\n");
  EXPECT_EQ(judgement.types[kX509].active_tainted, 0u);
  EXPECT_EQ(judgement.types[kX509].tainted, 1u);
  EXPECT_EQ(judgement.types[kX509].valid, 2u);
  EXPECT_EQ(judgement.types[kJwt].tainted, 1u);
  EXPECT_EQ(judgement.types[kJwt].revoked, 0u);
}

TEST(AuthorityJudgeTest, AServerThatSignsWithATaintedAuthorityIsCounted) {
  spire::AuthoritySet set = Captured("tainted");
  for (BundleAuthority& each : BundleOf(set).authorities) {
    if (each.id.starts_with("4ba1") || each.id.starts_with("BE2n")) each.tainted = true;
  }
  const Judgement judgement = Judged(set, At("21:30:00"));
  EXPECT_EQ(judgement.types[kX509].active_tainted, 1u);
  EXPECT_EQ(judgement.types[kJwt].active_tainted, 1u);
  // Once it has ended it signs nothing any more.
  EXPECT_EQ(Judged(set, At("21:48:56")).types[kX509].active_tainted, 0u);
}

TEST(AuthorityJudgeTest, ARevokedAuthorityIsOldAndInNoBundle) {
  spire::AuthoritySet set = Captured("tainted");
  std::erase_if(BundleOf(set).authorities,
                [](const BundleAuthority& each) { return each.tainted; });
  const Judgement judgement = Judged(set, At("21:30:00"));
  EXPECT_EQ(judgement.types[kX509].revoked, 1u);
  EXPECT_EQ(judgement.types[kJwt].revoked, 1u);
  EXPECT_EQ(judgement.types[kX509].active_missing, 0u);
}

TEST(AuthorityJudgeTest, AnUpstreamRootOwnsWhatChainsToIt) {
  spire::AuthoritySet set = Captured("upstream_authority");
  const Judgement judgement = Judged(set, At("21:30:00"));
  // The old ones' root was revoked: what they signed is verified by nobody.
  EXPECT_EQ(Names(judgement), "1 active 3b86 0\n2 active 9740 0\n1 old 1d40 3\n2 old 47c5 3\n");
  EXPECT_EQ(judgement.types[kX509].revoked, 2u);
  EXPECT_EQ(judgement.types[kX509].active_missing, 0u);
  EXPECT_THAT(judgement.types[kX509].unowned, ElementsAre(0, 0, 0));
  ASSERT_TRUE(judgement.authorities[0].upstream_not_after.has_value());
  EXPECT_EQ(*judgement.authorities[0].upstream_not_after, At("21:22:24") + hours(24 * 30));
}

TEST(AuthorityJudgeTest, ATaintedUpstreamRootTaintsTheServersUnderIt) {
  spire::AuthoritySet set = Captured("upstream_authority");
  BundleOf(set).authorities[0].tainted = true;
  const Judgement judgement = Judged(set, At("21:30:00"));
  EXPECT_EQ(judgement.types[kX509].active_upstream_tainted, 2u);
  EXPECT_EQ(judgement.types[kX509].active_tainted, 0u);
}

TEST(AuthorityJudgeTest, ASecondUpstreamRootIsNoStranger) {
  spire::AuthoritySet set = Captured("upstream_authority");
  BundleAuthority next = set.bundle->bundle->authorities[0];
  next.id = "0123456789012345678901234567890123456789";
  BundleOf(set).authorities.push_back(next);
  EXPECT_THAT(Judged(set, At("21:30:00")).types[kX509].unowned, ElementsAre(0, 0, 1));
}

TEST(AuthorityJudgeTest, AnActiveAuthorityInNoBundleCountsWhenSeenTwice) {
  spire::AuthoritySet set = Captured("upstream_authority");
  spire::Bundle& bundle = BundleOf(set);
  bundle.authorities.erase(bundle.authorities.begin());
  AuthorityJudge judge;
  EXPECT_EQ(judge.Judge(&set, At("21:30:00"), true).types[kX509].active_missing, 0u);
  // The same reading looked at again proves nothing.
  EXPECT_EQ(judge.Judge(&set, At("21:30:01"), false).types[kX509].active_missing, 0u);
  const Judgement second = judge.Judge(&set, At("21:30:15"), true);
  EXPECT_EQ(second.types[kX509].active_missing, 2u);
  EXPECT_EQ(second.types[kJwt].active_missing, 0u);
  EXPECT_EQ(judge.Judge(&set, At("21:30:20"), false).types[kX509].active_missing, 2u);
}

TEST(AuthorityJudgeTest, AnAbsenceThatMayBeOursToReadIsUnknown) {
  spire::AuthoritySet set = Captured("tainted");
  spire::Bundle& bundle = BundleOf(set);
  bundle.authorities.erase(bundle.authorities.begin(), bundle.authorities.begin() + 3);
  bundle.unreadable = 1;
  const Judgement judgement = Judged(set, At("21:30:00"));
  EXPECT_EQ(judgement.types[kX509].active_missing, 0u);
  EXPECT_EQ(judgement.authorities[0].trust, Trust::kUnknown);
}

TEST(AuthorityJudgeTest, RootsFromBeforeTheJournalsAreLeftOver) {
  spire::AuthoritySet set = Captured("after_upgrade");
  const Judgement judgement = Judged(set, At("21:30:00"));
  EXPECT_THAT(judgement.types[kX509].unowned, ElementsAre(0, 2, 0));
  EXPECT_THAT(judgement.types[kJwt].unowned, ElementsAre(0, 2, 0));
  EXPECT_EQ(judgement.same_subject, 2u);
  EXPECT_EQ(set.unowned.size(), 4u);
  // Ended, they are nothing to look for.
  EXPECT_THAT(Judged(set, At("21:44:40")).types[kX509].unowned, ElementsAre(0, 0, 0));
}

TEST(AuthorityJudgeTest, AStrangersRootIsUnknownWhenSeenTwice) {
  spire::AuthoritySet set = Captured("natural_rotation");
  BundleAuthority strange = set.bundle->bundle->authorities[5];
  strange.id = "0123456789012345678901234567890123456789";
  strange.not_before = At("00:00:00");  // claims to be old, and lives long
  BundleOf(set).authorities.push_back(strange);
  BundleAuthority key = set.bundle->bundle->authorities[6];
  key.id = "somebody's";
  key.not_after.reset();
  BundleOf(set).authorities.push_back(key);
  AuthorityJudge judge;
  EXPECT_THAT(judge.Judge(&set, At("21:18:20"), true).types[kX509].unowned, ElementsAre(0, 0, 0));
  EXPECT_TRUE(set.unowned.empty());
  const Judgement second = judge.Judge(&set, At("21:18:35"), true);
  EXPECT_THAT(second.types[kX509].unowned, ElementsAre(1, 0, 0));
  EXPECT_THAT(second.types[kJwt].unowned, ElementsAre(1, 0, 0));
  ASSERT_EQ(set.unowned.size(), 2u);
  EXPECT_EQ(set.unowned[0].authority.id, strange.id);
}

TEST(AuthorityJudgeTest, WhatAFullJournalForgotIsLeftOver) {
  spire::AuthoritySet set = Captured("tainted");
  // Rotated by hand until the first one fell out of the journal; the other server's is as old.
  JournalAuthority model = set.journals[0].journal->authorities[1];
  spire::Journal full;
  for (int i = 0; i < 10; ++i) {
    model.id = "rotated" + std::to_string(i);
    model.not_after = At("21:50:04") + minutes(i);
    full.authorities.push_back(model);
  }
  set.journals[0] = Row(1, full);
  const Judgement judgement = Judged(set, At("21:30:00"));
  // 1515 and 5e46 are in no journal now; the second ends when the full journal's first does.
  EXPECT_THAT(judgement.types[kX509].unowned, ElementsAre(1, 1, 0));
}

TEST(AuthorityJudgeTest, AnEmptyJournalTableMeansUnknown) {
  spire::AuthoritySet set = Captured("after_upgrade");
  set.journals.clear();
  set.journals_whole = false;
  const Judgement judgement = Judged(set, At("21:30:00"));
  EXPECT_FALSE(judgement.journals_known);
  EXPECT_FALSE(judgement.unowned_known);
  EXPECT_TRUE(judgement.bundle_known);
  EXPECT_TRUE(set.unowned.empty());
  EXPECT_EQ(judgement.types[kX509].valid, 4u);
}

TEST(AuthorityJudgeTest, ADeadServersAuthoritiesLeaveAnHourAfterTheirEnd) {
  spire::AuthoritySet set = Captured("tainted");
  EXPECT_EQ(Names(Judged(set, At("22:48:00"))), "1 active 5e46 0\n2 active 4ba1 0\n");
  const Judgement judgement = Judged(set, At("22:50:04"));
  EXPECT_EQ(Names(judgement), "");
  EXPECT_EQ(judgement.servers_live, 0u);
  EXPECT_EQ(judgement.servers_expired, 2u);
  EXPECT_EQ(judgement.types[kX509].prepare_overdue, 0u);  // nothing is overdue of the dead
}

TEST(AuthorityJudgeTest, TheOwnBundleIsTheNamedOneOrTheOneThatTheJournalsOwn) {
  const spire::AuthoritySet set = Captured("tainted");
  spire::Bundle other = spire::BundleOf("upstream_authority/bundle");
  other.trust_domain = "other.org";
  const std::vector<spire::BundleRow> bundles = {Row(1, other), *set.bundle};
  EXPECT_EQ(OwnBundle(bundles, set.journals, ""), 1u);
  EXPECT_EQ(OwnBundle(bundles, set.journals, "other.org"), 0u);
  EXPECT_EQ(OwnBundle(bundles, set.journals, "third.org"), std::nullopt);
  EXPECT_EQ(OwnBundle(bundles, {}, ""), std::nullopt);
  EXPECT_EQ(OwnBundle({bundles[0]}, {}, ""), 0u);
  EXPECT_EQ(OwnBundle({*set.bundle, *set.bundle}, set.journals, ""), std::nullopt);
}

TEST(AuthorityJudgeTest, AForeignBundleTellsItsFirstAndItsLastEnd) {
  spire::AuthoritySet set = Captured("tainted");
  spire::Bundle other = spire::BundleOf("natural_rotation/bundle");
  other.trust_domain = "other.org";
  set.federated = {Row(3, other)};
  const Judgement judgement = Judged(set, At("21:18:20"));
  ASSERT_EQ(judgement.federated.size(), 1u);
  EXPECT_EQ(judgement.federated[0].first_expiry, At("21:21:14"));
  EXPECT_EQ(judgement.federated[0].last_expiry, At("21:24:14"));
  EXPECT_THAT(judgement.federated[0].authorities, ElementsAre(6, 6, 0));
  const Judgement late = Judged(set, At("23:00:00"));
  EXPECT_EQ(late.federated[0].first_expiry, std::nullopt);
  EXPECT_EQ(late.federated[0].last_expiry, At("21:24:14"));
}

TEST(BundleWatchTest, CountsChangesWithoutANumber) {
  spire::Bundle bundle = spire::BundleOf("tainted/bundle");
  BundleWatch watch;
  EXPECT_FALSE(watch.watching());
  watch.Observe(Row(1, bundle, "a"));
  watch.Observe(Row(1, bundle, "a"));
  EXPECT_TRUE(watch.watching());
  EXPECT_EQ(watch.unsequenced(), 0u);
  watch.Observe(Row(1, bundle, "b"));
  EXPECT_EQ(watch.unsequenced(), 1u);
  ++bundle.sequence_number;
  watch.Observe(Row(1, bundle, "c"));
  EXPECT_EQ(watch.unsequenced(), 1u);
  EXPECT_EQ(watch.rewinds(), 0u);
  bundle.sequence_number = 2;
  watch.Observe(Row(1, bundle, "a"));
  EXPECT_EQ(watch.unsequenced(), 1u);
  EXPECT_EQ(watch.rewinds(), 1u);
  watch.Observe({1, "", std::nullopt, "d", nullptr});  // cannot be read: no verdict
  watch.Observe(Row(1, bundle, "a"));
  EXPECT_EQ(watch.unsequenced(), 1u);
}

TEST(BundleWatchTest, AnotherTrustDomainsBundleIsNoChange) {
  spire::Bundle bundle = spire::BundleOf("tainted/bundle");
  BundleWatch watch;
  watch.Observe(Row(1, bundle, "a"));
  bundle.trust_domain = "other.org";
  bundle.sequence_number = 2;
  watch.Observe(Row(2, bundle, "b"));
  EXPECT_EQ(watch.unsequenced() + watch.rewinds(), 0u);
  watch.Observe(Row(2, bundle, "c"));
  EXPECT_EQ(watch.unsequenced(), 1u);
}

TEST(BundleWatchTest, ABundleThatIsNotNumberedIsNotWatched) {
  spire::Bundle bundle = spire::BundleOf("tainted/bundle");
  bundle.sequence_number = 0;
  BundleWatch watch;
  watch.Observe(Row(1, bundle, "a"));
  watch.Observe(Row(1, bundle, "b"));
  EXPECT_FALSE(watch.watching());
  EXPECT_EQ(watch.unsequenced(), 0u);
}

}  // namespace
}  // namespace spire_exporter::datastore
