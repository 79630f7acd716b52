// The printed SQL on a real PostgreSQL, and what a role with nothing else may do then.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "collectors/datastore/definer_functions.h"
#include "collectors/datastore/granted_columns.h"
#include "collectors/datastore/grants.h"
#include "collectors/datastore/spire_database.h"

namespace spire_exporter::datastore {
namespace {

using ::testing::HasSubstr;

constexpr char kWritable[] = "SET default_transaction_read_only = off;\n";

class GrantsWireTest : public SpireDatabaseTest {
 protected:
  GrantOptions Options(int level, const std::string& role) {
    GrantOptions options;
    options.level = level;
    options.role = role;
    options.postgres_version = std::clamp(server_->major(), 12, 18);
    return options;
  }
  void Apply(const GrantOptions& options, const std::string& user = "postgres") {
    ASSERT_EQ(Failure(GrantsSql(options), user), "");
  }
  void Remove(GrantOptions options, const std::string& user = "postgres") {
    options.remove = true;
    ASSERT_EQ(Failure(GrantsSql(options), user), "");
  }
  // What of the cluster still knows the role; empty when nothing does.
  std::string Traces(const std::string& role) {
    return Answer(
        "SELECT 'role' FROM pg_roles WHERE rolname = '" + role +
        "' UNION ALL SELECT 'schema' FROM pg_namespace WHERE nspname = 'spire_exporter'"
        " UNION ALL SELECT 'table ' || relname FROM pg_class WHERE relacl::text LIKE '%" +
        role +
        "%' UNION ALL SELECT 'column ' || attname FROM pg_attribute WHERE attacl::text LIKE '%" +
        role +
        "%' UNION ALL SELECT 'schema ' || nspname FROM pg_namespace"
        " WHERE nspacl::text LIKE '%" +
        role +
        "%' UNION ALL SELECT 'database' FROM pg_database"
        " WHERE datacl::text LIKE '%" +
        role +
        "%' UNION ALL SELECT 'setting' FROM"
        " pg_db_role_setting WHERE setrole <> 0"
        " AND setrole NOT IN (SELECT oid FROM pg_roles) UNION ALL SELECT 'dependency' FROM "
        "pg_shdepend AS d"
        " WHERE refclassid = 'pg_authid'::regclass"
        " AND NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.oid = d.refobjid)");
  }
};

class GrantsOfEveryVersionTest : public GrantsWireTest,
                                 public ::testing::WithParamInterface<int> {};

// Each column of SPIRE's tables is either granted and readable or refused by the server.
TEST_P(GrantsOfEveryVersionTest, ShowTheListedColumnsAndNoOther) {
  const std::string name = "columns" + std::to_string(GetParam());
  MakeDatabase(name, GetParam());
  Apply(Options(1, name));
  std::stringstream columns(Answer(
      "SELECT c.relname || ' ' || a.attname FROM pg_class AS c JOIN pg_attribute AS a"
      " ON a.attrelid = c.oid WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
      " AND a.attnum > 0"));
  std::string table, column;
  std::string readable, refused;
  while (columns >> table >> column) {
    const std::string statement = "SELECT max((" + column + ")::text) FROM public." + table + ";\n";
    (IsGranted(table, column) ? readable : refused) += statement;
  }
  EXPECT_EQ(Failure(readable, name), "");
  std::stringstream each(refused);
  size_t refusals = 0;
  for (std::string statement; std::getline(each, statement); ++refusals) {
    EXPECT_THAT(Failure(statement, name), HasSubstr("permission denied for table")) << statement;
  }
  EXPECT_GT(refusals, 15u);
  EXPECT_THAT(refused, HasSubstr("max((token)::text) FROM public.join_tokens"));
  // Any granted column is enough to count.
  EXPECT_EQ(Answer("SELECT count(*) FROM public.registered_entries", name), "0");
  EXPECT_EQ(Answer("SELECT count(*) FROM public.join_tokens", name), "0");
  Remove(Options(1, name));
  EXPECT_EQ(Traces(name), "");
}
INSTANTIATE_TEST_SUITE_P(Schemas, GrantsOfEveryVersionTest, ::testing::Values(22, 23, 25),
                         [](const auto& test) { return "Schema" + std::to_string(test.param); });

TEST_F(GrantsWireTest, RefuseTheTokenAndTheValuesOfSelectors) {
  MakeDatabase("secrets", 25);
  Apply(Options(1, "secret_watcher"));
  for (const std::string statement :
       {"SELECT token FROM public.join_tokens", "SELECT * FROM public.join_tokens",
        "SELECT 1 FROM public.join_tokens WHERE token = 'guess'",
        "SELECT value FROM public.selectors", "SELECT t FROM public.join_tokens AS t",
        "COPY public.join_tokens TO STDOUT"}) {
    EXPECT_THAT(Failure(statement, "secret_watcher"), HasSubstr("permission denied")) << statement;
  }
}

// The server refuses by right, not because the session is read-only: that the role could turn off.
TEST_F(GrantsWireTest, RefuseEveryWrite) {
  MakeDatabase("writes", 25);
  Apply(Options(1, "writes_1"));
  Apply(Options(2, "writes_2"));
  for (const std::string role : {"writes_1", "writes_2"}) {
    for (const std::string statement :
         {"INSERT INTO public.registered_entries (entry_id) VALUES ('x')",
          "UPDATE public.registered_entries SET admin = true",
          "DELETE FROM public.attested_node_entries", "TRUNCATE public.bundles",
          "BEGIN; LOCK TABLE public.bundles IN ACCESS EXCLUSIVE MODE",
          "SELECT id FROM public.bundles FOR UPDATE",
          "SELECT nextval('public.registered_entries_id_seq')",
          "SELECT setval('public.registered_entries_id_seq', 1)",
          "CREATE TABLE spire_exporter.mine (id int)", "ALTER TABLE public.bundles ADD x int",
          "DROP TABLE public.bundles", "CREATE ROLE friend",
          "CREATE FUNCTION spire_exporter.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
          "CREATE OR REPLACE FUNCTION spire_exporter.entries_without_event() RETURNS TABLE (entries"
          " bigint) LANGUAGE sql AS 'SELECT 1::bigint'",
          "ALTER ROLE writes_1 SUPERUSER", "SET ROLE spire"}) {
      EXPECT_THAT(Failure(kWritable + statement, role),
                  ::testing::AnyOf(HasSubstr("permission denied"), HasSubstr("must be")))
          << role << ": " << statement;
    }
    EXPECT_THAT(Failure("CREATE TEMP TABLE t (id int)", role), HasSubstr("read-only transaction"));
  }
  EXPECT_EQ(Answer("SELECT last_value, is_called FROM public.registered_entries_id_seq"), "1|f");
  EXPECT_THAT(
      Failure(kWritable + std::string("SELECT nextval('public.bundles_id_seq')"), "writes_1"),
      HasSubstr("permission denied for sequence"));
}

TEST_F(GrantsWireTest, ShowPositionsOfSequencesAndOtherSessions) {
  MakeDatabase("numbers", 25);
  ASSERT_EQ(Failure("INSERT INTO selectors (type) SELECT 'x' FROM generate_series(1, 7)"), "");
  for (const int level : {1, 2}) {
    const std::string role = "numbers_" + std::to_string(level);
    Apply(Options(level, role));
    EXPECT_EQ(
        Answer("SELECT last_value FROM pg_sequences WHERE sequencename = 'selectors_id_seq'", role),
        "7");
    EXPECT_EQ(Answer("SELECT count(*) FROM pg_sequences WHERE last_value IS NOT NULL OR NOT "
                     "has_sequence_privilege(format('%I.%I', schemaname, sequencename), 'SELECT')",
                     role),
              "2");  // selectors, and migrations with its one row
    // Without pg_read_all_stats the type of other sessions is hidden.
    EXPECT_EQ(Answer("SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
                     " AND wait_event IS NOT NULL",
                     role),
              "t");
    EXPECT_EQ(Answer("SHOW statement_timeout; SHOW lock_timeout; SHOW transaction_read_only", role),
              "10s\n1s\non");
    EXPECT_EQ(Answer("SELECT rolconnlimit, rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles"
                     " WHERE rolname = '" +
                     role + "'"),
              "8|f");
  }
}

TEST_F(GrantsWireTest, GiveNumbersAndNoRowsAtLevelTwo) {
  MakeDatabase("level2", 25);
  ASSERT_EQ(
      Failure("INSERT INTO registered_entries (entry_id, spiffe_id, parent_id, admin, expiry)"
              " VALUES"
              " ('a', 'spiffe://example.org/a', 'spiffe://example.org/gone', true, 0), ('b', "
              "'spiffe://example.org/b', 'spiffe://example.org/gone', false, 1);"
              "INSERT INTO registered_entries_events (created_at, entry_id) VALUES (now(), 'a'),"
              " (now(), 'b'); INSERT INTO join_tokens (token, expiry) VALUES ('t', 1);"
              "INSERT INTO attested_node_entries (spiffe_id, data_type, serial_number, expires_at,"
              " agent_version) VALUES"
              " ('x', 'k8s_psat', '1', now() + interval '100 s', '1.15.3'),"
              " ('y', 'k8s_psat', '', now() + interval '100 s', '1.15.3'),"
              " ('z', 'join_token', '2', now() - interval '2 days', '1.15.2');"
              "UPDATE attested_node_entries SET can_reattest = true;"
              "INSERT INTO node_resolver_map_entries (spiffe_id) VALUES ('x'), ('gone');"),
      "");
  Apply(Options(2, "level2_watcher"));
  const auto ask = [&](const std::string& columns, const std::string& function) {
    return Answer("SELECT " + columns + " FROM spire_exporter." + function + "()",
                  "level2_watcher");
  };
  EXPECT_EQ(ask("*", "versions"), "25|1.15.3");
  EXPECT_EQ(ask("oldest, newest, recent", "entry_events"), "1|2|2");
  EXPECT_EQ(ask("oldest, recent", "agent_events"), "|0");
  EXPECT_EQ(ask("*", "entry_look"), "2|1");
  EXPECT_EQ(ask("*", "entry_totals"), "2|1|0|0|1");
  EXPECT_EQ(ask("*", "agent_totals"), "3|1|1|1|0|0");
  EXPECT_EQ(ask("soonest > oldest, newest = soonest", "agent_expiries"), "t|t");
  EXPECT_EQ(ask("*", "orphans"), "2|1");
  EXPECT_EQ(ask("*", "orphaned_selectors"), "1");
  EXPECT_EQ(ask("*", "entries_without_event"), "0");
  for (const DefinerFunction& function : DefinerFunctions()) {
    EXPECT_EQ(Failure("SELECT * FROM spire_exporter." + std::string(function.name) + "()",
                      "level2_watcher"),
              "");
    // Nobody else may.
    ASSERT_TRUE(server_->Sql("DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN").ok());
    EXPECT_THAT(
        Failure("SELECT * FROM spire_exporter." + std::string(function.name) + "()", "stranger"),
        HasSubstr("permission denied"));
  }
  std::stringstream tables(
      Answer("SELECT relname FROM pg_class WHERE relkind = 'r' AND"
             " relnamespace = 'public'::regnamespace"));
  size_t refused = 0;
  for (std::string table; tables >> table; ++refused) {
    EXPECT_THAT(Failure("SELECT count(*) FROM public." + table, "level2_watcher"),
                HasSubstr("permission denied for table"));
  }
  EXPECT_EQ(refused, 13u);
  EXPECT_EQ(Answer("SELECT DISTINCT pg_get_userbyid(proowner), prosecdef, proconfig FROM pg_proc"
                   " WHERE pronamespace = 'spire_exporter'::regnamespace"),
            "spire|t|{\"search_path=pg_catalog, pg_temp\",max_parallel_workers_per_gather=0}");
  Remove(Options(2, "level2_watcher"));
  EXPECT_EQ(Traces("level2_watcher"), "");
}

TEST_F(GrantsWireTest, MayBeAppliedAgainAndTakeBackWhatTheOtherLevelGave) {
  MakeDatabase("again", 23);
  const std::string columns =
      "SELECT count(*) FROM pg_attribute WHERE attacl::text LIKE '%again_watcher%'";
  Apply(Options(1, "again_watcher"));
  const std::string before = Answer(columns);
  Apply(Options(1, "again_watcher"));
  EXPECT_EQ(Answer(columns), before);
  // What was granted by hand is no part of the level.
  ASSERT_EQ(Failure("GRANT SELECT ON join_tokens TO again_watcher"), "");
  Apply(Options(2, "again_watcher"));
  EXPECT_EQ(Answer(columns), "0");
  EXPECT_THAT(Failure("SELECT token FROM public.join_tokens", "again_watcher"),
              HasSubstr("permission denied"));
  Apply(Options(2, "again_watcher"));
  EXPECT_EQ(Answer("SELECT schema_version FROM spire_exporter.versions()", "again_watcher"), "23");
  Apply(Options(1, "again_watcher"));
  EXPECT_EQ(Answer(columns), before);
  EXPECT_THAT(Failure("SELECT * FROM spire_exporter.versions()", "again_watcher"),
              HasSubstr("permission denied"));
  Remove(Options(1, "again_watcher"));
  EXPECT_EQ(Traces("again_watcher"), "");
  Remove(Options(1, "again_watcher"));  // nothing to take away is no failure
}

TEST_F(GrantsWireTest, GiveWhatAnUpgradeAddedWhenAppliedAfterIt) {
  MakeDatabase("upgraded", 22);
  Apply(Options(1, "upgrade_watcher"));
  ASSERT_EQ(Failure("ALTER TABLE attested_node_entries ADD COLUMN agent_version text;"
                    "CREATE TABLE ca_journals (id serial PRIMARY KEY, data bytea);",
                    "spire"),
            "");
  const std::string ask =
      "SELECT agent_version FROM public.attested_node_entries; SELECT data FROM public.ca_journals";
  EXPECT_THAT(Failure(ask, "upgrade_watcher"), HasSubstr("permission denied"));
  Apply(Options(1, "upgrade_watcher"));
  EXPECT_EQ(Failure(ask, "upgrade_watcher"), "");
}

// What migrations of SPIRE's have done: new columns, dropped ones, changed types, new indexes.
TEST_F(GrantsWireTest, StandInTheWayOfNoMigration) {
  MakeDatabase("migrated", 23);
  Apply(Options(1, "migrated_1"));
  Apply(Options(2, "migrated_2"));
  ASSERT_EQ(Failure("ALTER TABLE attested_node_entries ADD COLUMN agent_version text;"
                    "ALTER TABLE registered_entries ADD COLUMN additional_attributes bytea;"
                    "ALTER TABLE registered_entries DROP COLUMN ttl;"
                    "ALTER TABLE registered_entries ALTER COLUMN id TYPE bigint;"
                    "ALTER TABLE registered_entries ALTER COLUMN expiry TYPE numeric;"
                    "ALTER TABLE attested_node_entries RENAME COLUMN serial_number TO serial;"
                    "CREATE INDEX later ON registered_entries (admin);"
                    "DROP TABLE join_tokens; DROP TABLE migrations;",
                    "spire"),
            "");
  // What hangs on a column that is gone fails by itself, and nothing else does.
  EXPECT_THAT(Failure("SELECT * FROM spire_exporter.agent_totals()", "migrated_2"),
              HasSubstr("column \"serial_number\" does not exist"));
  EXPECT_THAT(Failure("SELECT * FROM spire_exporter.versions()", "migrated_2"),
              HasSubstr("does not exist"));
  EXPECT_EQ(Answer("SELECT entries FROM spire_exporter.entry_totals()", "migrated_2"), "0");
  EXPECT_EQ(Answer("SELECT max(id), max(expiry) FROM public.registered_entries", "migrated_1"),
            "|");
  Apply(Options(1, "migrated_1"));
  Apply(Options(2, "migrated_2"));
  Remove(Options(1, "migrated_1"));
  EXPECT_EQ(Answer("SELECT entries FROM spire_exporter.entry_totals()", "migrated_2"), "0");
  Remove(Options(2, "migrated_2"));
  EXPECT_EQ(Traces("migrated_1"), "");
  EXPECT_EQ(Traces("migrated_2"), "");
}

TEST_F(GrantsWireTest, RefuseARoleWithPowersAndAnotherDatabase) {
  MakeDatabase("refused", 25);
  ASSERT_EQ(Failure("CREATE ROLE boss SUPERUSER LOGIN; CREATE ROLE friend_of_spire LOGIN"
                    " IN ROLE spire"),
            "");
  const auto apply = [&](const std::string& role) { return Failure(GrantsSql(Options(1, role))); };
  EXPECT_THAT(apply("boss"), HasSubstr("role boss has SUPERUSER"));
  EXPECT_THAT(apply("spire"), HasSubstr("role spire has tables of its own"));
  EXPECT_THAT(apply("friend_of_spire"), HasSubstr("the rights of the owner of SPIRE's tables"));
  GrantOptions elsewhere = Options(1, "nobody_yet");
  elsewhere.schema = "elsewhere";
  EXPECT_THAT(Failure(GrantsSql(elsewhere)), HasSubstr("has no table registered_entries"));
  EXPECT_EQ(Answer("SELECT count(*) FROM pg_roles WHERE rolname = 'nobody_yet'"), "0");
  ASSERT_EQ(Failure("CREATE SCHEMA spire_exporter"), "");
  EXPECT_THAT(Failure(GrantsSql(Options(2, "nobody_yet"))), HasSubstr("did not make"));
  Remove(Options(2, "nobody_yet"));
  EXPECT_EQ(Answer("SELECT count(*) FROM pg_namespace WHERE nspname = 'spire_exporter'"), "1");
}

TEST_F(GrantsWireTest, TakeNamesAsTheyAre) {
  MakeDatabase("odd", 25);
  database_ = "odd";
  ASSERT_EQ(Failure("ALTER SCHEMA public RENAME TO \"It's @role@ %I\""), "");
  for (const int level : {1, 2}) {
    GrantOptions options = Options(level, "O'Brien \"%s\" @home@");
    options.schema = "It's @role@ %I";
    Apply(options);
    EXPECT_EQ(Answer("SELECT count(*) FROM pg_roles WHERE rolname = 'O''Brien \"%s\" @home@'"),
              "1");
    Remove(options);
    EXPECT_EQ(Answer("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'O''B%'"), "0");
  }
}

// Where nobody is superuser: SPIRE's own role, when it may create roles.
TEST_F(GrantsWireTest, CanBeAppliedByTheOwnerOfTheTables) {
  MakeDatabase("owned", 25);
  ASSERT_EQ(Failure("ALTER ROLE spire CREATEROLE"), "");
  if (server_->major() >= 16) {
    ASSERT_EQ(Failure("GRANT pg_read_all_stats TO spire WITH ADMIN OPTION"), "");
  }
  for (const int level : {1, 2}) {
    Apply(Options(level, "owned_watcher"), "spire");
    Apply(Options(level, "owned_watcher"), "spire");
  }
  EXPECT_EQ(Answer("SELECT schema_version FROM spire_exporter.versions()", "owned_watcher"), "25");
  Remove(Options(2, "owned_watcher"), "spire");
  EXPECT_EQ(Traces("owned_watcher"), "");
  ASSERT_EQ(Failure("ALTER ROLE spire NOCREATEROLE"), "");
}

TEST_F(GrantsWireTest, RemoveKeepsARoleThatHasRightsElsewhere) {
  MakeDatabase("first", 25);
  Apply(Options(1, "two_watcher"));
  MakeDatabase("second", 25);
  Apply(Options(1, "two_watcher"));
  EXPECT_THAT(Answer(GrantsSql([&] {
                GrantOptions options = Options(1, "two_watcher");
                options.remove = true;
                return options;
              }())),
              HasSubstr("role two_watcher stays: it has rights or belongings in first"));
  EXPECT_THAT(Failure("SELECT count(*) FROM public.bundles", "two_watcher"),
              HasSubstr("permission denied"));
  database_ = "first";
  EXPECT_EQ(Answer("SELECT count(*) FROM public.bundles", "two_watcher"), "0");
  Remove(Options(1, "two_watcher"));
  EXPECT_EQ(Traces("two_watcher"), "");
}

}  // namespace
}  // namespace spire_exporter::datastore
