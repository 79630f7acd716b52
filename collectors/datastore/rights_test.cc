#include "collectors/datastore/rights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/datastore/definer_functions.h"
#include "collectors/datastore/granted_columns.h"

namespace spire_exporter::datastore {
namespace {

using ::testing::HasSubstr;

// A role as level 1 leaves it.
Rights LevelOne() {
  Rights rights;
  rights.role = "watcher";
  rights.database = "spire";
  rights.schema = "public";
  rights.schema_usable = true;
  for (const GrantedColumn& granted : kGrantedColumns) {
    rights.columns.push_back({std::string(granted.table), std::string(granted.column), true});
  }
  rights.columns.push_back({"join_tokens", "token", false});
  rights.columns.push_back({"selectors", "value", false});
  rights.sequences = rights.sequences_readable = 12;
  return rights;
}

void Hide(Rights& rights, std::string_view table, std::string_view column) {
  for (ColumnRight& right : rights.columns) {
    if (right.table == table && right.column == column) right.readable = false;
  }
}

void Show(Rights& rights, std::string_view table, std::string_view column) {
  for (ColumnRight& right : rights.columns) {
    if (right.table == table && right.column == column) right.readable = true;
  }
}

CheckLine TheOnly(const std::vector<CheckLine>& lines) {
  EXPECT_EQ(lines.size(), 1u);
  return lines.empty() ? CheckLine{} : lines.front();
}

TEST(RightsTest, LevelOneIsWell) {
  const CheckLine line = TheOnly(JudgeRights("rw/0", LevelOne()));
  EXPECT_TRUE(line.good);
  EXPECT_EQ(line.subject, "datastore rw/0");
  EXPECT_EQ(line.detail, "level 1: " + std::to_string(kGrantedColumns.size()) +
                             " columns of SPIRE's tables as role watcher");
}

TEST(RightsTest, NamesMissingColumnsByTableAndTheCommandThatGivesThem) {
  Rights rights = LevelOne();
  Hide(rights, "ca_journals", "data");
  Hide(rights, "ca_journals", "id");
  Hide(rights, "attested_node_entries", "agent_version");
  const CheckLine line = TheOnly(JudgeRights("rw/0", rights));
  EXPECT_FALSE(line.good);
  EXPECT_EQ(line.detail,
            "role watcher may not read attested_node_entries (agent_version), "
            "ca_journals (data, id)");
  EXPECT_EQ(line.remedy,
            "on the primary, as a superuser: spire-exporter grants --level=1 --role=watcher | "
            "psql -X -d spire -f -");
}

TEST(RightsTest, AColumnThatThisVersionOfSpireDoesNotHaveIsNotMissing) {
  Rights rights = LevelOne();
  std::erase_if(rights.columns, [](const ColumnRight& r) { return r.table == "ca_journals"; });
  EXPECT_TRUE(TheOnly(JudgeRights("rw/0", rights)).good);
}

TEST(RightsTest, NothingAtAllIsSaidInOneLine) {
  Rights rights = LevelOne();
  rights.schema = "identity";
  rights.schema_usable = false;
  const CheckLine line = TheOnly(JudgeRights("rw/0", rights));
  EXPECT_EQ(line.detail,
            "role watcher may read nothing of SPIRE's tables: no USAGE on schema identity");
  EXPECT_THAT(line.remedy, HasSubstr("--schema=identity | psql"));
}

TEST(RightsTest, LevelTwoIsWellWithoutAColumn) {
  Rights rights = LevelOne();
  for (ColumnRight& right : rights.columns) right.readable = false;
  for (const DefinerFunction& function : DefinerFunctions()) {
    rights.functions.emplace_back(function.name);
  }
  const CheckLine line = TheOnly(JudgeRights("rw/0", rights));
  EXPECT_TRUE(line.good);
  EXPECT_THAT(line.detail, HasSubstr("level 2: "));
  rights.functions.pop_back();
  const CheckLine fewer = TheOnly(JudgeRights("rw/0", rights));
  EXPECT_FALSE(fewer.good);
  EXPECT_THAT(fewer.remedy, HasSubstr("--level=2"));
}

TEST(RightsTest, NamesSequencesThatAreHidden) {
  Rights rights = LevelOne();
  rights.sequences_readable = 11;
  const std::vector<CheckLine> lines = JudgeRights("rw/0", rights);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1].subject, "datastore rw/0 ids");
  EXPECT_THAT(lines[1].detail, HasSubstr("1 sequence may not be read"));
}

TEST(RightsTest, NamesPowerThatIsNotNeeded) {
  const auto power = [](const Rights& rights) {
    const std::vector<CheckLine> lines = JudgeRights("rw/0", rights);
    EXPECT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines.back().subject, "datastore rw/0 power");
    EXPECT_FALSE(lines.back().good);
    EXPECT_THAT(lines.back().remedy, HasSubstr("--role=spire_exporter"));
    return lines.back().detail;
  };
  Rights token = LevelOne();
  Show(token, "join_tokens", "token");
  EXPECT_THAT(power(token), HasSubstr("reads join_tokens.token, which makes its bearer an agent"));
  Rights values = LevelOne();
  Show(values, "selectors", "value");
  EXPECT_THAT(power(values), HasSubstr("reads selectors (value), which is more than is needed"));
  Rights writes = LevelOne();
  writes.writable = {"bundles"};
  EXPECT_THAT(power(writes), HasSubstr("may change 1 table of SPIRE's"));
  Rights moves = LevelOne();
  moves.sequences_movable = 12;
  EXPECT_THAT(power(moves), HasSubstr("may use up ids of 12 sequences"));
}

TEST(RightsTest, ADatabaseWithoutSpireIsNamed) {
  Rights rights;
  rights.database = "postgres";
  const CheckLine line = TheOnly(JudgeRights("ro/1", rights));
  EXPECT_FALSE(line.good);
  EXPECT_THAT(line.detail, HasSubstr("database postgres has no tables of SPIRE's"));
}

}  // namespace
}  // namespace spire_exporter::datastore
