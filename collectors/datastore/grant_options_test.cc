#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/datastore/definer_functions.h"
#include "collectors/datastore/granted_columns.h"
#include "collectors/datastore/grants.h"

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
