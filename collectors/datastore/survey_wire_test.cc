// Tiers 2 and 3 on a real PostgreSQL with SPIRE's tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "collectors/clients/postgres/node_facts.h"
#include "collectors/clients/spire/version_facts.h"
#include "collectors/datastore/audit_collector.h"
#include "collectors/datastore/survey_collector.h"
#include "collectors/datastore/test_database.h"

namespace spire_exporter::datastore {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Ten agents of a lifetime of an hour and what there is to be told apart, entries of theirs.
constexpr const char* kFill = R"(
INSERT INTO attested_node_entries (created_at, updated_at, spiffe_id, data_type, serial_number,
                                   expires_at, can_reattest)
SELECT now() - interval '3 hours', e - interval '1 hour',
       'spiffe://example.org/spire/agent/k8s_psat/c' || i % 2 || '/' || i, 'k8s_psat',
       CASE WHEN i = 9 THEN '' ELSE i::text END, e, true
FROM (SELECT i, now() + CASE WHEN i < 5 THEN interval '40 minutes' + i * interval '1 minute'
      WHEN i = 5 THEN interval '5 minutes' WHEN i = 6 THEN interval '-5 minutes'
      WHEN i = 7 THEN interval '-2 days' WHEN i = 8 THEN interval '-40 days'
      ELSE interval '50 minutes' END AS e FROM generate_series(0, 9) AS i) AS s;
INSERT INTO registered_entries (created_at, updated_at, entry_id, spiffe_id, parent_id, admin,
                                downstream, store_svid, expiry)
SELECT now() - interval '1 day', now() - interval '1 day', 'e' || i,
       'spiffe://example.org/ns/' || CASE WHEN i < 3 THEN 'pay-a' ELSE 'shop' END || '/sa/s',
       CASE WHEN i < 7 THEN 'spiffe://example.org/spire/agent/k8s_psat/c0/0'
            WHEN i = 7 THEN 'spiffe://example.org/spire/server'
            WHEN i = 8 THEN 'spiffe://example.org/ns/shop/sa/s'
            ELSE 'spiffe://example.org/spire/agent/gone' END,
       i = 0, i = 1, i = 2, CASE WHEN i = 3 THEN 5 ELSE 0 END
FROM generate_series(0, 9) AS i;
INSERT INTO node_resolver_map_entries (spiffe_id, type, value) VALUES
  ('spiffe://example.org/spire/agent/k8s_psat/c0/0', 'a', 'b'),
  ('spiffe://example.org/gone', 'a', 'b');
)";

class SurveyWireTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto server = pg::TestPostgres::Start();
    ASSERT_TRUE(server.ok()) << server.error().ToString();
    server_ = std::move(*server);
    ASSERT_TRUE(server_->Sql("CREATE ROLE watcher LOGIN").ok());
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    MakeTables(*server_, 25);
    Sql(kFill);
  }

  void Sql(const std::string& statements) {
    const auto done = server_->Sql(statements);
    ASSERT_TRUE(done.ok()) << done.error().what;
  }

  static std::unique_ptr<Collector> MakeSurvey(Watcher& watcher) {
    const std::vector<spiffe::ClassOptions> options = {
        {"payments", "spiffe://example.org/ns/pay-*/sa/*"}};
    return MakeSurveyCollector(
        minutes(10), "", std::make_shared<const spiffe::ClassMap>(*spiffe::ClassMap::Make(options)),
        watcher.nodes());
  }
  // One whose first minute is over.
  static std::unique_ptr<Collector> MakeAudit(Watcher& watcher) {
    auto audit = MakeAuditCollector(hours(1), "", watcher.nodes());
    const Page page = watcher.LookWell(*audit);
    EXPECT_EQ(page.State("spire_datastore_audit_state", "state"), "waiting");
    EXPECT_EQ(audit->Period(), minutes(1));
    return audit;
  }
  static void Fresh(Watcher& watcher, bool fresh) {
    watcher.facts().Publish(
        Fact::Make("ro/0", watcher.clock().Steady(), pg::NodeStanding{true, false, {}, fresh}));
  }

  static std::unique_ptr<pg::TestPostgres> server_;
};
std::unique_ptr<pg::TestPostgres> SurveyWireTest::server_;

TEST_F(SurveyWireTest, CountsAgentsAndEntries) {
  Sql("UPDATE attested_node_entries SET agent_version = '1.15.3' WHERE id % 2 = 0");
  Watcher watcher({server_->ConninfoFile()});
  const auto survey = MakeSurvey(watcher);
  const Page page = watcher.LookWell(*survey);
  EXPECT_EQ(survey->Period(), minutes(10));
  EXPECT_EQ(page.Value("spire_datastore_survey_elected"), 1);
  EXPECT_EQ(page.Value("spire_datastore_survey_info", "node=\"rw/0\""), 1);
  EXPECT_EQ(page.Value("spire_agents_svid_lifetime_seconds"), 3600);
  EXPECT_EQ(page.Value("spire_agents", "state=\"active\""), 5);
  EXPECT_EQ(page.Value("spire_agents", "state=\"overdue\""), 1);
  EXPECT_EQ(page.Value("spire_agents", "state=\"lapsed\""), 1);
  EXPECT_EQ(page.Value("spire_agents", "state=\"expired\""), 2);
  EXPECT_EQ(page.Value("spire_agents", "state=\"banned\""), 1);
  EXPECT_EQ(page.Value("spire_agents_expiring"), 1);
  EXPECT_EQ(page.Value("spire_agents_prunable", "expired_for=\"1d\""), 2);
  EXPECT_EQ(page.Value("spire_agents_prunable", "expired_for=\"30d\""), 1);
  EXPECT_EQ(page.Value("spire_agents_by_version", "version=\"1.15.3\""), 3);
  EXPECT_EQ(page.Value("spire_agents_by_version", "version=\"unknown\""), 3);
  EXPECT_EQ(page.Value("spire_agents_by_attestor", "attestor=\"k8s_psat\""), 6);
  EXPECT_EQ(page.Value("spire_agents_by_cluster", "cluster=\"c1\""), 3);
  EXPECT_EQ(page.Find("spire_agents_svid_remaining_seconds")->histogram->count, 6u);
  EXPECT_EQ(page.Find("spire_agents_svid_remaining_ratio")->histogram->count, 6u);
  EXPECT_EQ(page.Value("spire_entries"), 10);
  EXPECT_EQ(page.Value("spire_entries_admin"), 1);
  EXPECT_EQ(page.Value("spire_entries_downstream"), 1);
  EXPECT_EQ(page.Value("spire_entries_store_svid"), 1);
  EXPECT_EQ(page.Value("spire_entries_with_expiry"), 1);
  EXPECT_EQ(page.Value("spire_entries_by_class", "class=\"payments\""), 3);
  EXPECT_EQ(page.Value("spire_entries_by_class", "class=\"other\""), 7);
  const auto per_agent = page.Find("spire_entries_per_agent")->histogram;
  EXPECT_EQ(per_agent->count, 4u);
  EXPECT_EQ(per_agent->sum, 10);
}

TEST_F(SurveyWireTest, PublishesTheVersionsOfAgents) {
  Sql("UPDATE attested_node_entries SET agent_version = '1.15.3' WHERE id % 2 = 0");
  Watcher watcher({server_->ConninfoFile()});
  const auto survey = MakeSurvey(watcher);
  auto reading = watcher.Look(*survey);
  ASSERT_TRUE(reading.ok());
  for (Fact& fact : reading->facts) watcher.facts().Publish(std::move(fact));
  const auto fact = watcher.facts().Latest<spire::AgentVersionsFact>("agents");
  ASSERT_TRUE(fact.has_value());
  using Agents = std::vector<std::pair<std::string, uint64_t>>;
  EXPECT_EQ(fact->value->agents, (Agents{{"unknown", 3}, {"1.15.3", 3}}));
}

TEST_F(SurveyWireTest, ReadsEverySchemaVersion) {
  for (const int version : {22, 23}) {
    MakeTables(*server_, version);
    Sql(kFill);
    Watcher watcher({server_->ConninfoFile()});
    const Page page = watcher.LookWell(*MakeSurvey(watcher));
    EXPECT_EQ(page.Value("spire_agents_by_version", "version=\"unknown\""), 6);
    for (const char* const part :
         {"agent_totals", "agents", "entries", "entry_classes", "parents", "ttl"}) {
      EXPECT_EQ(
          page.State("spire_datastore_survey_state", "state", "part=\"" + std::string(part) + "\""),
          "ok")
          << part << " of " << version;
    }
    EXPECT_EQ(watcher.LookWell(*MakeAudit(watcher)).Value("spire_entries_without_agent"), 1);
  }
}

TEST_F(SurveyWireTest, OneOfTwoProcessesReadsAndTheOtherTakesOver) {
  Watcher two({server_->ConninfoFile()});
  const auto second = MakeSurvey(two);
  {
    Watcher one({server_->ConninfoFile()});
    const auto first = MakeSurvey(one);
    EXPECT_EQ(one.LookWell(*first).Value("spire_datastore_survey_elected"), 1);
    const Page page = two.LookWell(*second);
    EXPECT_EQ(page.Value("spire_datastore_survey_elected"), 0);
    EXPECT_EQ(page.Value("spire_agents", "state=\"active\""), std::nullopt);
    EXPECT_EQ(page.State("spire_datastore_survey_state", "state", "part=\"agents\""),
              "not_elected");
    EXPECT_EQ(second->Period(), minutes(1));
    // The audit is an election of its own.
    EXPECT_EQ(two.LookWell(*MakeAudit(two)).Value("spire_datastore_audit_elected"), 1);
  }
  const Deadline within = Deadline::After(two.clock(), seconds(20));
  while (two.LookWell(*second).Value("spire_datastore_survey_elected") != 1) {
    ASSERT_FALSE(within.Passed(two.clock()));
  }
}

TEST_F(SurveyWireTest, WhoMayReadNothingLetsAnotherOneTry) {
  Watcher poor({server_->ConninfoFile("watcher")});
  const auto blind = MakeSurvey(poor);
  const Page page = poor.LookWell(*blind);
  EXPECT_EQ(page.State("spire_datastore_survey_state", "state", "part=\"agents\""), "no_right");
  EXPECT_EQ(page.Value("spire_agents", "state=\"active\""), std::nullopt);
  Watcher rich({server_->ConninfoFile()});
  EXPECT_EQ(rich.LookWell(*MakeSurvey(rich)).Value("spire_datastore_survey_elected"), 1);
}

TEST_F(SurveyWireTest, WithoutTheRightToTimesAgentsAreCountedAllTheSame) {
  Sql("GRANT SELECT (expires_at, serial_number) ON attested_node_entries TO watcher");
  Watcher watcher({server_->ConninfoFile("watcher")});
  const Page page = watcher.LookWell(*MakeSurvey(watcher));
  EXPECT_EQ(page.State("spire_datastore_survey_state", "state", "part=\"ttl\""), "no_right");
  EXPECT_EQ(page.Value("spire_agents", "state=\"active\""), 6);
  EXPECT_EQ(page.Value("spire_agents", "state=\"overdue\""), std::nullopt);
  EXPECT_EQ(page.Value("spire_agents", "state=\"banned\""), 1);
  EXPECT_EQ(page.Value("spire_agents_prunable", "expired_for=\"1d\""), std::nullopt);
  EXPECT_EQ(page.Value("spire_agents_by_attestor", "attestor=\"unknown\""), 6);
}

TEST_F(SurveyWireTest, AuditsEntriesParentsAndSelectors) {
  Watcher watcher({server_->ConninfoFile()});
  Sql("INSERT INTO registered_entries_events (created_at, entry_id) VALUES (now() - interval '1 "
      "hour', 'old');"
      "INSERT INTO registered_entries (created_at, updated_at, entry_id, parent_id)"
      " SELECT now() - interval '10 minutes', now() - interval '10 minutes', 'n' || i,"
      " 'spiffe://example.org/spire/server' FROM generate_series(1, 3) AS i;"
      "INSERT INTO registered_entries (created_at, updated_at, entry_id, parent_id)"
      " VALUES (now(), now(), 'just now', 'spiffe://example.org/spire/server'),"
      " (NULL, NULL, 'by hand', 'spiffe://example.org/spire/server');"
      "INSERT INTO registered_entries_events (created_at, entry_id) VALUES (now(), 'n1');");
  const auto audit = MakeAudit(watcher);
  const Page page = watcher.LookWell(*audit);
  EXPECT_EQ(audit->Period(), hours(1));
  EXPECT_EQ(page.Value("spire_entries_without_agent"), 1);
  EXPECT_EQ(page.Value("spire_entry_parents_missing"), 1);
  EXPECT_EQ(page.Value("spire_agent_selectors_orphaned"), 1);
  EXPECT_EQ(page.Value("spire_entries_without_event"), 3);
}

TEST_F(SurveyWireTest, TheLastSurveyStaysWhileThePrimaryIsGone) {
  Watcher watcher({server_->ConninfoFile()});
  const auto survey = MakeSurvey(watcher);
  const auto before = MakeSurvey(watcher);
  watcher.LookWell(*survey);
  ASSERT_TRUE(server_->Stop().ok());
  const auto reading = watcher.Look(*survey);
  ASSERT_FALSE(reading.ok());  // so that the runner keeps the last one
  EXPECT_EQ(survey->Period(), minutes(1));
  Status problem;
  EXPECT_EQ(watcher.LookWell(*before, &problem)
                .State("spire_datastore_survey_state", "state", "part=\"agents\""),
            "no_primary");
  EXPECT_FALSE(problem.ok());
  ASSERT_TRUE(server_->Resume().ok());
}

TEST_F(SurveyWireTest, AFreshStandbyIsReadAndTheAuditWaitsForOne) {
  auto standby = pg::TestPostgres::MakeStandby(*server_, "survey");
  ASSERT_TRUE(standby.ok()) << standby.error().ToString();
  Watcher watcher({server_->ConninfoFile(), (*standby)->ConninfoFile()});
  const auto survey = MakeSurvey(watcher);
  const auto audit = MakeAudit(watcher);
  EXPECT_EQ(watcher.LookWell(*survey).Value("spire_datastore_survey_info", "node=\"rw/0\""), 1);
  Page page = watcher.LookWell(*audit);
  EXPECT_EQ(page.State("spire_datastore_audit_state", "state"), "no_fresh_standby");
  EXPECT_EQ(page.Value("spire_entries_without_agent"), std::nullopt);
  EXPECT_EQ(audit->Period(), minutes(1));

  Fresh(watcher, true);
  EXPECT_EQ(watcher.LookWell(*survey).Value("spire_datastore_survey_info", "node=\"ro/0\""), 1);
  EXPECT_EQ(watcher.LookWell(*audit).Value("spire_entries_without_agent"), 1);

  Fresh(watcher, false);
  EXPECT_EQ(watcher.LookWell(*survey).Value("spire_datastore_survey_info", "node=\"rw/0\""), 1);
  // What the standby cannot answer the primary is asked, and all that comes after it. A lock of the
  // primary's is replayed on the standby, so that this part is locked there too.
  Fresh(watcher, true);
  std::thread locker([&] {
    // The switch has the log sent.
    (void)server_->Sql(
        "BEGIN; LOCK TABLE attested_node_entries; SELECT pg_switch_wal(); SELECT pg_sleep(8);"
        "COMMIT;");
  });
  const Deadline within = Deadline::After(watcher.clock(), seconds(20));
  Status problem;
  const auto agents = [&] {
    return page.State("spire_datastore_survey_state", "state", "part=\"agents\"");
  };
  while (agents() != "locked" && !within.Passed(watcher.clock())) {
    page = watcher.LookWell(*survey, &problem);
  }
  locker.join();
  EXPECT_EQ(agents(), "locked");
  EXPECT_FALSE(problem.ok());
  EXPECT_EQ(page.State("spire_datastore_survey_state", "state", "part=\"parents\""), "ok");
  EXPECT_EQ(page.Value("spire_datastore_survey_info", "node=\"rw/0\""), 1);
  EXPECT_EQ(survey->Period(), minutes(1));
  standby->reset();
  (void)server_->Sql("SELECT pg_drop_replication_slot('survey')");
}

}  // namespace
}  // namespace spire_exporter::datastore
