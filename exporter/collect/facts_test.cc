#include "exporter/collect/facts.h"

#include <gtest/gtest.h>

namespace spire_exporter {
namespace {

struct EntryCount {
  int entries;
};
struct Version {
  std::string text;
};

SteadyTime At(int seconds) {
  return SteadyTime(std::chrono::seconds(seconds));
}

TEST(FactsBoardTest, GivesTheLatestOfATypeAndSubjectWithItsTime) {
  FactsBoard board;
  board.Publish(Fact::Make("rw/0", At(1), EntryCount{5}));
  board.Publish(Fact::Make("rw/0", At(2), EntryCount{6}));
  board.Publish(Fact::Make("ro/0", At(3), EntryCount{4}));

  const auto latest = board.Latest<EntryCount>("rw/0");
  ASSERT_TRUE(latest.has_value());
  EXPECT_EQ(latest->value->entries, 6);
  EXPECT_EQ(latest->at, At(2));
}

TEST(FactsBoardTest, KeepsTypesApart) {
  FactsBoard board;
  board.Publish(Fact::Make("server", At(1), Version{"1.15.3"}));
  EXPECT_FALSE(board.Latest<EntryCount>("server").has_value());
  EXPECT_EQ(board.Latest<Version>("server")->value->text, "1.15.3");
}

TEST(FactsBoardTest, AReaderKeepsAnObservationThatIsReplaced) {
  FactsBoard board;
  board.Publish(Fact::Make("server", At(1), Version{"old"}));
  const auto held = board.Latest<Version>("server");
  board.Publish(Fact::Make("server", At(2), Version{"new"}));
  EXPECT_EQ(held->value->text, "old");
}

}  // namespace
}  // namespace spire_exporter
