#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "collectors/datastore/audit_read.h"
#include "collectors/datastore/definer_functions.h"
#include "collectors/datastore/granted_columns.h"
#include "collectors/datastore/grants.h"
#include "collectors/datastore/summary_read.h"
#include "collectors/datastore/survey_read.h"

namespace spire_exporter::datastore {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Refusal(const GrantChoices& choices) {
  const Result<GrantOptions> options = ReadGrantOptions(choices);
  if (options.ok()) return "taken";
  EXPECT_EQ(options.error().code, Code::kInvalidArgument);
  return options.error().what;
}

TEST(GrantOptionsTest, HaveDefaults) {
  const Result<GrantOptions> options = ReadGrantOptions({});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->level, 1);
  EXPECT_EQ(options->role, "spire_exporter");
  EXPECT_EQ(options->schema, "public");
  EXPECT_EQ(options->connection_limit, 8);
  EXPECT_FALSE(options->remove);
}

TEST(GrantOptionsTest, NameTheFlagThatCannotBe) {
  EXPECT_THAT(Refusal({{"level", "3"}}), HasSubstr("--level=3: a number from 1 to 2"));
  EXPECT_THAT(Refusal({{"level", "1x"}}), HasSubstr("--level=1x"));
  EXPECT_THAT(Refusal({{"postgres-version", "11"}}), HasSubstr("from 12 to 18"));
  EXPECT_THAT(Refusal({{"connection-limit", "0"}}), HasSubstr("--connection-limit=0"));
  EXPECT_THAT(Refusal({{"schema", "spire_exporter"}}), HasSubstr("this one is ours"));
  EXPECT_EQ(Refusal({{"role", "sidecar@project.iam"}}), "taken");
}

// A name stands in literals, in bodies between $grants$ and in comments.
TEST(GrantOptionsTest, TakeNoNameThatCouldEndWhatItStandsIn) {
  for (const std::string name : {"", "a$grants$", "a\nb", "a\\b", "pg_monitor", "a\x7f"}) {
    EXPECT_THAT(Refusal({{"role", name}}), HasSubstr("--role=")) << name;
    EXPECT_THAT(Refusal({{"schema", name}}), HasSubstr("--schema=")) << name;
    if (name.empty()) continue;  // the default of the owner
    EXPECT_THAT(Refusal({{"owner", name}}), HasSubstr("--owner=")) << name;
  }
  EXPECT_THAT(Refusal({{"role", std::string(64, 'a')}}), HasSubstr("63 bytes"));
}

TEST(GrantsSqlTest, NamesEachGrantedColumnAndNoSecret) {
  const std::string sql = GrantsSql({});
  for (const GrantedColumn& granted : kGrantedColumns) {
    EXPECT_THAT(sql, HasSubstr("('" + std::string(granted.table) + "', '" +
                               std::string(granted.column) + "')"));
  }
  EXPECT_THAT(sql, Not(HasSubstr("'token'")));
  EXPECT_THAT(sql, Not(HasSubstr("'value'")));
}

// A right that no statement uses is one too many. Ids are for counting, and the authorities' tables
// are read by their own part.
TEST(GrantsSqlTest, EachGrantedColumnIsInAStatement) {
  Schema schema;
  schema.name = "public";
  for (const GrantedColumn& granted : kGrantedColumns) {
    schema.tables[std::string(granted.table)].columns[std::string(granted.column)] = true;
  }
  FollowRequest request;
  const std::vector<std::string> statements = {
      EventIdsStatement(schema, "registered_entries_events"),
      EventIdsStatement(schema, "attested_node_entries_events"),
      AgentExpiriesStatement(schema),
      EntryLookStatement(schema),
      VersionsStatement(schema),
      FollowEventsStatement(schema, request),
      FollowRowsStatement(schema, 0),
      AgentTtlStatement(schema),
      AgentsStatement(schema, std::nullopt),
      AgentTotalsStatement(schema),
      EntryTotalsStatement(schema),
      EntryIdsStatement(schema),
      ParentsStatement(schema),
      OrphansStatement(schema),
      SelectorsStatement(schema),
      WithoutEventStatement(schema)};
  for (const GrantedColumn& granted : kGrantedColumns) {
    if (granted.column == "id" || granted.table == "bundles" || granted.table == "ca_journals") {
      continue;
    }
    const std::string table = schema.Qualified(granted.table);
    EXPECT_TRUE(std::any_of(statements.begin(), statements.end(),
                            [&](const std::string& s) {
                              return s.find(table) != std::string::npos &&
                                     s.find(granted.column) != std::string::npos;
                            }))
        << granted.table << "." << granted.column;
  }
}

TEST(GrantsSqlTest, LeavesNoPlaceholder) {
  for (const bool remove : {false, true}) {
    for (const int level : {1, 2}) {
      GrantOptions options;
      options.level = level;
      options.remove = remove;
      EXPECT_THAT(GrantsSql(options), Not(HasSubstr("@")));
    }
  }
}

TEST(GrantsSqlTest, LimitsTheMembershipWhereTheServerCan) {
  GrantOptions options;
  EXPECT_THAT(GrantsSql(options), Not(HasSubstr("WITH INHERIT")));
  options.postgres_version = 16;
  EXPECT_THAT(GrantsSql(options), HasSubstr("WITH INHERIT TRUE, SET FALSE"));
}

TEST(GrantsSqlTest, IsSortedSoThatColumnsAreFound) {
  for (size_t i = 1; i < kGrantedColumns.size(); ++i) {
    const auto key = [](const GrantedColumn& g) { return std::pair(g.table, g.column); };
    EXPECT_LT(key(kGrantedColumns[i - 1]), key(kGrantedColumns[i]));
  }
  for (size_t i = 1; i < DefinerFunctions().size(); ++i) {
    EXPECT_LT(DefinerFunctions()[i - 1].name, DefinerFunctions()[i].name);
  }
}

}  // namespace
}  // namespace spire_exporter::datastore
