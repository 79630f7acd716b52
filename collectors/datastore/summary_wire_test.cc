// Tier 1 on a real PostgreSQL with SPIRE's tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "collectors/clients/spire/runway_facts.h"
#include "collectors/clients/spire/version_facts.h"
#include "collectors/datastore/summary_collector.h"
#include "collectors/datastore/test_database.h"

namespace spire_exporter::datastore {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kInsertEntry =
    "INSERT INTO registered_entries (created_at, updated_at, entry_id, spiffe_id, parent_id, "
    "expiry)"
    " VALUES (now(), now(), '%', 'spiffe://example.org/a', 'spiffe://example.org/agent', 0);";
constexpr const char* kInsertEvent =
    "INSERT INTO registered_entries_events (created_at, updated_at, entry_id)"
    " VALUES (now(), now(), '%');";

std::string With(std::string text, const std::string& entry_id) {
  return text.replace(text.find('%'), 1, entry_id);
}

// As SPIRE does it: the row and its event in one transaction.
std::string Create(const std::string& entry_id) {
  return "BEGIN;" + With(kInsertEntry, entry_id) + With(kInsertEvent, entry_id) + "COMMIT;";
}
std::string Delete(const std::string& entry_id) {
  return "BEGIN; DELETE FROM registered_entries WHERE entry_id = '" + entry_id + "';" +
         With(kInsertEvent, entry_id) + "COMMIT;";
}

class SummaryWireTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto server = pg::TestPostgres::Start();
    ASSERT_TRUE(server.ok()) << server.error().ToString();
    server_ = std::move(*server);
    ASSERT_TRUE(server_->Sql("CREATE ROLE watcher LOGIN").ok());
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override { MakeTables(*server_, 25); }

  void Sql(const std::string& statements) {
    const auto done = server_->Sql(statements);
    ASSERT_TRUE(done.ok()) << done.error().what;
  }

  static std::unique_ptr<Collector> Make(Watcher& watcher) {
    return MakeSummaryCollector(seconds(15), seconds(5), "", watcher.nodes());
  }

  static std::unique_ptr<pg::TestPostgres> server_;
};
std::unique_ptr<pg::TestPostgres> SummaryWireTest::server_;

TEST_F(SummaryWireTest, ReadsEverySchemaVersion) {
  for (const int version : {22, 23, 25}) {
    MakeTables(*server_, version);
    Watcher watcher({server_->ConninfoFile()});
    const auto collector = Make(watcher);
    const Page page = watcher.LookWell(*collector);
    EXPECT_EQ(page.Value("spire_datastore_schema_version"), version);
    for (const char* const part : {"agent_events", "agents", "changes", "entries", "entry_events",
                                   "ids", "rows", "versions"}) {
      EXPECT_EQ(
          page.State("spire_datastore_look_state", "state", "part=\"" + std::string(part) + "\""),
          "ok")
          << part << " of " << version;
    }
    EXPECT_EQ(page.State("spire_datastore_condition", "condition"), "empty");
    EXPECT_EQ(page.State("spire_events_node_state", "state"), "primary");
    EXPECT_EQ(page.Value("spire_id_headroom_ratio", "table=\"ca_journals\"").has_value(),
              version >= 23);
  }
}

TEST_F(SummaryWireTest, PublishesTheVersionsOfSchemaAndCode) {
  Sql("UPDATE migrations SET code_version = '1.15.3'");
  Watcher watcher({server_->ConninfoFile()});
  const auto collector = Make(watcher);
  auto reading = watcher.Look(*collector);
  ASSERT_TRUE(reading.ok());
  for (Fact& fact : reading->facts) watcher.facts().Publish(std::move(fact));
  const auto fact = watcher.facts().Latest<spire::SchemaVersionFact>("datastore");
  ASSERT_TRUE(fact.has_value());
  EXPECT_EQ(fact->value->schema, 25);
  EXPECT_EQ(fact->value->highest_server, "1.15.3");
}

TEST_F(SummaryWireTest, PublishesWhenTheFirstAgentsThatAreNotBannedExpire) {
  MakeTables(*server_, 25);
  const auto agent = [](const std::string& id, const std::string& serial, const std::string& in) {
    return "INSERT INTO attested_node_entries (spiffe_id, serial_number, expires_at) VALUES ('" +
           id + "', '" + serial + "', date_trunc('second', now()) + interval '" + in + "');";
  };
  Sql(agent("banned", "", "1 minute") + agent("gone", "1", "-1 minute") +
      agent("first", "2", "5 minutes") + agent("second", "3", "9 minutes"));
  Watcher watcher({server_->ConninfoFile()});
  const auto collector = Make(watcher);
  auto reading = watcher.Look(*collector);
  ASSERT_TRUE(reading.ok());
  for (Fact& fact : reading->facts) watcher.facts().Publish(std::move(fact));
  const auto horizon = watcher.facts().Latest<spire::Horizon>("agent/datastore");
  ASSERT_TRUE(horizon.has_value());
  EXPECT_TRUE(horizon->value->whole);
  ASSERT_EQ(horizon->value->groups.size(), 2u);
  EXPECT_EQ(horizon->value->groups[1].expiry - horizon->value->groups[0].expiry, seconds(240));
  MakeTables(*server_, 25);
}

// Lifetimes are an hour. Times are minutes from now.
std::string Agent(const std::string& id, int renewed, int expires) {
  const auto at = [](int from_now) {
    return "date_trunc('second', now()) + interval '" + std::to_string(from_now) + " minutes'";
  };
  return "INSERT INTO attested_node_entries (spiffe_id, serial_number, updated_at, expires_at)"
         " VALUES ('" +
         id + "', '1', " + at(renewed) + ", " + at(expires) + ");";
}

TEST_F(SummaryWireTest, AMachineThatIsGoneIsNotTheFirstAndAnAgentThatEndedIs) {
  MakeTables(*server_, 25);
  std::string fleet = Agent("gone", -55, 5) + Agent("also gone", -70, -10);
  for (int i = 0; i < 10; ++i) fleet += Agent("lives " + std::to_string(i), -i, 60 - i);
  Sql(fleet + Agent("of a CA that ends", 0, 6));
  Watcher watcher({server_->ConninfoFile()});
  const auto collector = Make(watcher);
  const auto minutes_left = [&] {
    auto reading = watcher.Look(*collector);
    for (Fact& fact : reading->facts) watcher.facts().Publish(std::move(fact));
    const auto horizon = watcher.facts().Latest<spire::Horizon>("agent/datastore");
    std::vector<double> left;
    if (!horizon) return left;
    for (const auto& group : horizon->value->groups) {
      const auto from_first = group.expiry - horizon->value->groups[0].expiry;
      left.push_back(std::chrono::duration<double, std::ratio<60>>(from_first).count());
    }
    return left;
  };
  const std::vector<double> all = {0, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54};
  EXPECT_EQ(minutes_left(), all);
  // SPIRE stops, and its database answers: what ends does not make room for the next.
  Sql("UPDATE attested_node_entries SET updated_at = updated_at - interval '58 minutes',"
      " expires_at = expires_at - interval '58 minutes'");
  EXPECT_EQ(minutes_left(), all);
  MakeTables(*server_, 25);
}

TEST_F(SummaryWireTest, FindsTheTablesInAnySchema) {
  Sql("CREATE SCHEMA \"Spire's\"; ALTER TABLE migrations SET SCHEMA \"Spire's\";"
      "ALTER TABLE registered_entries SET SCHEMA \"Spire's\";");
  Watcher watcher({server_->ConninfoFile()});
  const auto collector = Make(watcher);
  const Page page = watcher.LookWell(*collector);
  EXPECT_EQ(page.Value("spire_datastore_schema_version"), 25);
  EXPECT_EQ(page.State("spire_datastore_look_state", "state", "part=\"entries\""), "ok");
  EXPECT_EQ(page.State("spire_datastore_look_state", "state", "part=\"agents\""), "no_table");
  Sql("DROP SCHEMA \"Spire's\" CASCADE");
}

TEST_F(SummaryWireTest, CountsAnEntryThatLivedBetweenTwoLooks) {
  Watcher watcher({server_->ConninfoFile()});
  const auto collector = Make(watcher);
  Sql(Create("before"));
  EXPECT_EQ(watcher.LookWell(*collector).Value("spire_entry_changes_total", "change=\"created\""),
            0);
  Sql(Create("brief") + Create("stays") + Delete("brief") + Delete("before"));
  const Page page = watcher.LookWell(*collector);
  EXPECT_EQ(page.Value("spire_entry_changes_total", "change=\"created\""), 2);
  EXPECT_EQ(page.Value("spire_entry_changes_total", "change=\"deleted\""), 2);
  EXPECT_EQ(page.Value("spire_entry_changes_total", "change=\"updated\""), 0);
  EXPECT_EQ(page.Value("spire_entries_short_lived_total"), 1);
  EXPECT_EQ(page.Value("spire_events_missing_ids", "table=\"registered_entries_events\""), 0);
}

TEST_F(SummaryWireTest, AnEmptiedTableHasNoRowsWhateverTheStatisticsSay) {
  constexpr const char* kRows = "spire_datastore_rows";
  constexpr const char* kEntryRows = "table=\"registered_entries\"";
  Watcher watcher({server_->ConninfoFile()});
  const auto collector = Make(watcher);
  Sql(Create("a") + Create("b") + "ANALYZE registered_entries");
  EXPECT_EQ(watcher.LookWell(*collector).Value(kRows, kEntryRows), 2);
  Sql("DELETE FROM registered_entries");
  EXPECT_EQ(watcher.LookWell(*collector).Value(kRows, kEntryRows), 0);
  Sql("SELECT pg_stat_reset()");
  EXPECT_EQ(watcher.LookWell(*collector).Value(kRows, kEntryRows), 0);
  // Statistics that began anew know of a few rows where there are many.
  Sql("INSERT INTO registered_entries_events (created_at, updated_at, entry_id)"
      " SELECT now(), now(), 'many' FROM generate_series(1, 3000);"
      "ANALYZE registered_entries_events; SELECT pg_stat_reset();" +
      With(kInsertEvent, "one"));
  const auto many =
      watcher.LookWell(*collector).Value(kRows, "table=\"registered_entries_events\"");
  ASSERT_TRUE(many);
  EXPECT_GE(*many, 3000);
}

TEST_F(SummaryWireTest, NoticesAnEntryThatWasWrittenBehindSpiresBack) {
  Watcher watcher({server_->ConninfoFile()});
  const auto collector = Make(watcher);
  watcher.LookWell(*collector);
  Sql(With(kInsertEntry, "foreign") + Create("proper"));
  EXPECT_EQ(watcher.LookWell(*collector).Value("spire_entries_unannounced_total"), 0);
  watcher.clock().Advance(seconds(61));
  EXPECT_EQ(watcher.LookWell(*collector).Value("spire_entries_unannounced_total"), 1);
}

TEST_F(SummaryWireTest, SaysThatTheDatabaseWasRestoredOrEmptied) {
  Watcher watcher({server_->ConninfoFile()});
  const auto collector = Make(watcher);
  Sql(Create("a") + Create("b") + Create("c"));
  EXPECT_EQ(watcher.LookWell(*collector).State("spire_datastore_condition", "condition"), "normal");
  // Yesterday's dump: fewer rows, and the sequences where they were.
  Sql("DELETE FROM registered_entries WHERE id > 1; DELETE FROM registered_entries_events WHERE id "
      "> 1; SELECT setval('registered_entries_id_seq', 1);"
      "SELECT setval('registered_entries_events_id_seq', 1);");
  const Page restored = watcher.LookWell(*collector);
  EXPECT_EQ(restored.State("spire_datastore_condition", "condition"), "restored");
  EXPECT_EQ(restored.Value("spire_datastore_rewinds_total"), 1);
  EXPECT_TRUE(restored.Value("spire_datastore_restored_timestamp_seconds"));
  // Its events are followed from there.
  Sql(Create("d"));
  EXPECT_EQ(watcher.LookWell(*collector).Value("spire_entry_changes_total", "change=\"created\""),
            1);
  Sql("DELETE FROM registered_entries");
  EXPECT_EQ(watcher.LookWell(*collector).State("spire_datastore_condition", "condition"),
            "emptied");
  watcher.clock().Advance(minutes(11));  // the columns are read anew
  Sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  const Page gone = watcher.LookWell(*collector);
  EXPECT_EQ(gone.State("spire_datastore_condition", "condition"), "emptied");
  EXPECT_EQ(gone.State("spire_datastore_look_state", "state", "part=\"ids\""), "no_table");
}

TEST_F(SummaryWireTest, AMissingRightTakesItsPartAlone) {
  Sql("GRANT SELECT (id, entry_id, created_at) ON registered_entries_events TO watcher;"
      "GRANT SELECT (version) ON migrations TO watcher;"
      "GRANT SELECT (id) ON selectors TO watcher; INSERT INTO selectors (value) VALUES ('a');");
  Watcher watcher({server_->ConninfoFile("watcher")});
  const auto collector = Make(watcher);
  const Page page = watcher.LookWell(*collector);
  const auto state = [&](const char* part) {
    return page.State("spire_datastore_look_state", "state", "part=\"" + std::string(part) + "\"");
  };
  EXPECT_EQ(state("entry_events"), "ok");
  EXPECT_EQ(state("agent_events"), "no_right");
  EXPECT_EQ(state("changes"), "no_right");
  EXPECT_EQ(state("entries"), "no_right");
  EXPECT_EQ(state("versions"), "ok");
  EXPECT_EQ(state("ids"), "ok");
  EXPECT_EQ(page.Value("spire_ids_used_total", "table=\"selectors\""), 1);
  EXPECT_EQ(page.Value("spire_ids_used_total", "table=\"bundles\""), std::nullopt);
  EXPECT_EQ(page.Value("spire_datastore_schema_version"), 25);
  EXPECT_EQ(page.Value("spire_entries_expired"), std::nullopt);
}

TEST_F(SummaryWireTest, LocksOnTwoTablesHideNothingElse) {
  Watcher watcher({server_->ConninfoFile()});
  const auto collector = Make(watcher);
  watcher.LookWell(*collector);
  std::thread locker([&] {
    (void)server_->Sql(
        "BEGIN; LOCK TABLE attested_node_entries, registered_entries_events;"
        "SELECT pg_sleep(4); COMMIT;");
  });
  Page page({});
  Status problem;
  const auto state = [&](const char* part) {
    return page.State("spire_datastore_look_state", "state", "part=\"" + std::string(part) + "\"");
  };
  // The table that is locked last.
  const Deadline within = Deadline::After(watcher.clock(), seconds(20));
  while (state("entry_events") != "locked" && !within.Passed(watcher.clock())) {
    page = watcher.LookWell(*collector, &problem);
  }
  locker.join();
  ASSERT_FALSE(problem.ok());
  EXPECT_EQ(state("agents"), "locked");
  EXPECT_EQ(state("entry_events"), "locked");
  EXPECT_EQ(state("changes"), "locked");
  EXPECT_EQ(state("agent_events"), "ok");
  EXPECT_EQ(state("entries"), "ok");
  EXPECT_EQ(state("ids"), "ok");
  EXPECT_EQ(page.State("spire_events_node_state", "state"), "primary");
}

TEST_F(SummaryWireTest, SaysHowFarAStandbyIsBehind) {
  auto standby = pg::TestPostgres::MakeStandby(*server_, "summary");
  ASSERT_TRUE(standby.ok()) << standby.error().ToString();
  Watcher watcher({server_->ConninfoFile(), (*standby)->ConninfoFile()});
  const auto collector = Make(watcher);
  const std::string labels = "node=\"ro/0\",table=\"registered_entries_events\"";
  const auto look_until = [&](const std::string& state) {
    const Deadline within = Deadline::After(watcher.clock(), seconds(20));
    Page page = watcher.LookWell(*collector);
    while (page.State("spire_events_node_state", "state", "ro/0") != state &&
           !within.Passed(watcher.clock())) {
      page = watcher.LookWell(*collector);
    }
    EXPECT_EQ(page.State("spire_events_node_state", "state", "ro/0"), state);
    return page;
  };
  Sql(Create("a"));
  Page page = look_until("current");
  EXPECT_EQ(page.Value("spire_events_lag", labels), 0);
  EXPECT_EQ(page.Value("spire_events_lag_seconds", labels), 0);
  // Nothing comes for an hour: still no lag.
  watcher.clock().Advance(hours(1));
  EXPECT_EQ(watcher.LookWell(*collector).Value("spire_events_lag_seconds", labels), 0);

  ASSERT_TRUE((*standby)->Sql("SELECT pg_wal_replay_pause()").ok());
  Sql(Create("b") + Create("c"));
  page = look_until("behind");
  EXPECT_EQ(page.Value("spire_events_lag", labels), 2);
  watcher.clock().Advance(minutes(2));
  page = watcher.LookWell(*collector);
  EXPECT_NEAR(page.Value("spire_events_lag_seconds", labels).value_or(-1), 120, 15);

  ASSERT_TRUE((*standby)->Sql("SELECT pg_wal_replay_resume()").ok());
  page = look_until("current");
  const Series* const propagation = page.Find("spire_event_propagation_seconds", "node=\"ro/0\"");
  ASSERT_NE(propagation, nullptr);
  EXPECT_GE(propagation->histogram->sum, 120);

  // The primary is gone: what is behind of what is not known any more.
  ASSERT_TRUE(server_->Stop().ok());
  Status problem;
  page = watcher.LookWell(*collector, &problem);
  EXPECT_FALSE(problem.ok());
  EXPECT_EQ(page.State("spire_events_node_state", "state", "rw/0"), "unreachable");
  EXPECT_EQ(page.State("spire_events_node_state", "state", "ro/0"), "unknown");
  EXPECT_EQ(page.Value("spire_events_lag", labels), std::nullopt);
  EXPECT_EQ(page.State("spire_datastore_look_state", "state", "part=\"agents\""), "no_primary");
  ASSERT_TRUE(server_->Resume().ok());
  (void)server_->Sql("SELECT pg_drop_replication_slot('summary')");
}

}  // namespace
}  // namespace spire_exporter::datastore
