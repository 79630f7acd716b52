#include "collectors/clients/postgres/rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace spire_exporter::pg {
namespace {

using ::testing::ElementsAre;

TEST(RowTest, ReadsWhatItIsAskedForAndNothingElse) {
  const Cell cells[] = {"42", "-7", "2.5", "t", "f", std::nullopt, "x", "16/B374D848", "4 2", ""};
  const Row row(cells);
  EXPECT_EQ(row.Int(0), 42);
  EXPECT_EQ(row.Int(1), -7);
  EXPECT_EQ(row.Double(2), 2.5);
  EXPECT_EQ(row.Bool(3), true);
  EXPECT_EQ(row.Bool(4), false);
  EXPECT_EQ(row.Int(5), std::nullopt);
  EXPECT_EQ(row.Int(6), std::nullopt);
  EXPECT_EQ(row.Bool(6), std::nullopt);
  EXPECT_EQ(row.Lsn(7), 0x16B374D848u);
  EXPECT_EQ(row.Int(8), std::nullopt);
  EXPECT_EQ(row.Int(9), std::nullopt);
  EXPECT_EQ(row.Text(9), "");
  EXPECT_EQ(row.Text(10), std::nullopt) << "beyond the last column";
  EXPECT_EQ(row.TextOr(5, "none"), "none");
}

TEST(RowTest, TakesPostgresInfinities) {
  const Cell cells[] = {"Infinity", "-Infinity", "NaN"};
  const Row row(cells);
  EXPECT_EQ(row.Double(0), INFINITY);
  EXPECT_EQ(row.Double(1), -INFINITY);
  EXPECT_TRUE(std::isnan(row.Double(2).value_or(0)));
}

TEST(LsnTest, RefusesWhatIsNone) {
  for (const char* text : {"", "/", "1", "1/", "/1", "1/123456789", "g/0", "1/0 ", "-1/0"}) {
    EXPECT_EQ(ParseLsn(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseLsn("0/0"), 0u);
  EXPECT_EQ(ParseLsn("FFFFFFFF/FFFFFFFF"), UINT64_MAX);
}

TEST(RowsTest, KeepsRowsAndNulls) {
  Rows rows(2);
  EXPECT_TRUE(rows.empty());
  EXPECT_EQ(rows.Int(0), std::nullopt);
  const Cell first[] = {"1", std::nullopt};
  const Cell second[] = {"2", "b"};
  rows.Add(Row(first));
  rows.Add(Row(second));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows.Int(0), 1);
  EXPECT_EQ(rows.Text(1), std::nullopt);
  std::vector<std::string> seen;
  rows.ForEach(
      [&seen](const Row& row) { seen.push_back(row.TextOr(0, "?") + row.TextOr(1, "?")); });
  EXPECT_THAT(seen, ElementsAre("1?", "2b"));
}

}  // namespace
}  // namespace spire_exporter::pg
