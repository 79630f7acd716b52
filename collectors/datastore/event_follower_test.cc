#include "collectors/datastore/event_follower.h"

#include <gtest/gtest.h>

namespace spire_exporter::datastore {
namespace {

using std::chrono::seconds;

class EventFollowerTest : public ::testing::Test {
 protected:
  EventFollowerTest() { Look({}, {}, 100, 50, 50); }

  void Look(const std::vector<EntryEvent>& events, const std::vector<EntryRow>& rows,
            std::optional<int64_t> newest_event, std::optional<int64_t> newest_row,
            std::optional<int64_t> ids_given) {
    now_ += seconds(15);
    follower_.Take(events, rows, newest_event, newest_row, ids_given, now_);
  }
  void Expect(uint64_t created, uint64_t updated, uint64_t deleted, uint64_t short_lived) {
    const EntryChanges& changes = follower_.changes();
    EXPECT_EQ(changes.created, created);
    EXPECT_EQ(changes.updated, updated);
    EXPECT_EQ(changes.deleted, deleted);
    EXPECT_EQ(changes.short_lived, short_lived);
  }

  EventFollower follower_;
  SteadyTime now_;
};

TEST_F(EventFollowerTest, CountsNothingOfWhatWasThereBefore) {
  EXPECT_TRUE(follower_.alive());
  EXPECT_EQ(follower_.Next().after_event, 100);
  EXPECT_EQ(follower_.Next().after_row, 50);
  Expect(0, 0, 0, 0);
}

TEST_F(EventFollowerTest, TellsWhatWasDoneByTheRowThatIsThere) {
  Look({{101, "new", 51, true}, {102, "old", 3, false}, {103, "gone", {}, false}}, {{51, "new"}},
       103, 51, 51);
  Expect(1, 1, 1, 0);
  // The event of a change that follows the making within two seconds looks like one of a making.
  Look({{104, "new", 51, true}}, {}, 104, 51, 51);
  Expect(1, 2, 1, 0);
}

TEST_F(EventFollowerTest, CountsAnEntryThatLivedBetweenTwoLooks) {
  Look({{101, "brief", {}, false}, {102, "brief", {}, false}}, {}, 102, 50, 51);
  Expect(1, 0, 1, 1);
}

TEST_F(EventFollowerTest, TheSequenceTellsABriefEntryFromAnOldOne) {
  // No id was given out, so the entry was there before.
  Look({{101, "old", {}, false}, {102, "old", {}, false}}, {}, 102, 50, 50);
  Expect(0, 1, 1, 0);
  // Without a right to the sequence it is counted: better one too many than one missed.
  Look({{103, "other", {}, false}, {104, "other", {}, false}}, {}, 104, 50, std::nullopt);
  Expect(1, 1, 2, 1);
}

TEST_F(EventFollowerTest, TheIdOfARowThatIsThereSpeaksForNoOther) {
  Look({{101, "new", 51, true}, {102, "old", {}, false}, {103, "old", {}, false}}, {{51, "new"}},
       103, 51, 51);
  Expect(1, 1, 1, 0);
}

TEST_F(EventFollowerTest, AnIdGivenAfterTheEventsWereReadIsCreditForTheNextLook) {
  Look({}, {}, 100, 50, 52);
  Look({{101, "a", 51, true}, {102, "b", {}, false}, {103, "b", {}, false}}, {{51, "a"}}, 103, 51,
       52);
  Expect(2, 0, 1, 1);
}

TEST_F(EventFollowerTest, AnEntrySeenBeforeIsNotBriefWhenItIsUpdatedAndDeleted) {
  Look({{101, "a", 51, true}}, {{51, "a"}}, 101, 51, std::nullopt);
  Look({{102, "a", {}, false}, {103, "a", {}, false}}, {}, 103, 50, std::nullopt);
  Expect(1, 1, 1, 0);
}

TEST_F(EventFollowerTest, ABriefEntryWhoseEventsAreInTwoBatchesIsCountedOnce) {
  Look({{101, "brief", {}, false}}, {}, 102, 50, 51);
  Look({{102, "brief", {}, false}}, {}, 102, 50, 51);
  Expect(1, 0, 1, 1);
}

TEST_F(EventFollowerTest, AnEventCommittedLateIsStillFollowed) {
  Look({{101, "a", 3, false}, {103, "b", 4, false}}, {}, 103, 50, 50);
  EXPECT_EQ(follower_.Next().gaps, std::vector<int64_t>{102});
  Look({{102, "c", 5, false}}, {}, 103, 50, 50);
  Expect(0, 3, 0, 0);
  EXPECT_TRUE(follower_.Next().gaps.empty());
}

TEST_F(EventFollowerTest, AGapIsGivenUpAfterTwoMinutes) {
  Look({{103, "b", 4, false}}, {}, 103, 50, 50);
  EXPECT_EQ(follower_.Next().gaps.size(), 2u);
  now_ += seconds(121);
  Look({}, {}, 103, 50, 50);
  EXPECT_TRUE(follower_.Next().gaps.empty());
}

TEST_F(EventFollowerTest, GapsAreBounded) {
  Look({{1'000'000, "b", 4, false}}, {}, 1'000'000, 50, 50);
  EXPECT_LE(follower_.Next().gaps.size(), EventFollower::kGapsMax);
}

TEST_F(EventFollowerTest, AFloodIsSkippedAndSaid) {
  Look({}, {}, 10'100, 9'000, 9'000);
  EXPECT_EQ(follower_.changes().unfollowed, 9'500u);
  EXPECT_EQ(follower_.Next().after_event, 9'600);
  EXPECT_EQ(follower_.Next().after_row, 9'000);
}

TEST_F(EventFollowerTest, ARowThatNoEventNamesWithinAMinuteIsSomebodyElses) {
  Look({}, {{51, "foreign"}, {52, "late"}}, 100, 52, 52);
  Look({{101, "late", 52, true}}, {}, 101, 52, 52);
  now_ += seconds(60);
  Look({}, {}, 101, 52, 52);
  EXPECT_EQ(follower_.changes().without_event, 1u);
  Look({}, {}, 101, 52, 52);
  EXPECT_EQ(follower_.changes().without_event, 1u);
}

TEST_F(EventFollowerTest, ARestoredDatabaseIsFollowedFromWhereItIs) {
  Look({{101, "a", 51, true}}, {{51, "a"}}, 101, 51, 51);
  follower_.Restart();
  Look({}, {}, 40, 20, 20);
  EXPECT_EQ(follower_.Next().after_event, 40);
  Look({{41, "b", 21, true}}, {{21, "b"}}, 41, 21, 21);
  Expect(2, 0, 0, 0);
}

}  // namespace
}  // namespace spire_exporter::datastore
