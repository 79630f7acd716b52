// The authorities on a real PostgreSQL with what real servers of SPIRE 1.15.3 wrote.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/clients/postgres/ask.h"
#include "collectors/clients/spire/test_records.h"
#include "collectors/datastore/authority_collector.h"
#include "collectors/datastore/authority_read.h"
#include "collectors/datastore/granted_columns.h"
#include "collectors/datastore/test_database.h"

namespace spire_exporter::datastore {
namespace {

using spire::At;
using spire::RecordHex;
using std::chrono::minutes;
using std::chrono::seconds;

// The day of the records, with the pace of ours.
class ThatDay final : public Clock {
 public:
  SteadyTime Steady() const override { return real_.Steady() + moved_; }
  SystemTime System() const override { return now_ + moved_; }
  void Set(const std::string& time) { now_ = At(time); }
  void Advance(Duration by) { moved_ += by; }

 private:
  RealClock real_;
  SystemTime now_ = At("21:30:00");
  Duration moved_{0};
};

class AuthorityWireTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto server = pg::TestPostgres::Start("max_prepared_transactions = 1");
    ASSERT_TRUE(server.ok()) << server.error().ToString();
    server_ = std::move(*server);
    ASSERT_TRUE(server_->Sql("CREATE ROLE watcher LOGIN").ok());
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override { MakeTables(*server_, 25); }

  static std::string Sql(const std::string& statements) {
    const auto done = server_->Sql(statements);
    EXPECT_TRUE(done.ok()) << (done.ok() ? "" : done.error().what);
    return done.ok() ? *done : "";
  }
  static std::string Decoded(const std::string& record) {
    return "decode('" + RecordHex(record) + "', 'hex')";
  }
  static std::string AddBundle(const std::string& domain, const std::string& record) {
    return "INSERT INTO bundles (created_at, updated_at, trust_domain, data) VALUES"
           " (now(), to_timestamp(1800000000), 'spiffe://" +
           domain + "', " + Decoded(record) + ");";
  }
  static std::string AddJournal(const std::string& record) {
    return "INSERT INTO ca_journals (created_at, updated_at, data, active_x509_authority_id,"
           " active_jwt_authority_id) VALUES (now(), now(), " +
           Decoded(record) + ", '', '');";
  }
  // The database of two servers.
  static void Fill(const std::string& scenario) {
    Sql(AddBundle("example.org", scenario + "/bundle") + AddJournal(scenario + "/journal_1") +
        AddJournal(scenario + "/journal_2"));
  }

  void Watch(const std::string& trust_domain = "", const std::string& user = "postgres") {
    watcher_ = std::make_unique<Watcher>(std::vector<std::string>{server_->ConninfoFile(user)});
    collector_ =
        MakeAuthoritiesCollector(seconds(15), seconds(5), trust_domain, "", watcher_->nodes());
  }
  Page Look(Status* problem = nullptr) {
    auto reading =
        collector_->Collect({Deadline::After(clock_, seconds(20)), {}, clock_, watcher_->facts()});
    EXPECT_TRUE(reading.ok()) << (reading.ok() ? "" : reading.error().what);
    if (!reading.ok()) return Page({});
    for (Fact& fact : reading->facts) watcher_->facts().Publish(std::move(fact));
    if (problem != nullptr) {
      *problem = reading->problem;
    } else {
      EXPECT_TRUE(reading->problem.ok()) << reading->problem.error().what;
    }
    return Page(reading->families.Take());
  }
  Page LookTwice() {
    Look();
    clock_.Advance(seconds(15));
    return Look();
  }
  static std::string State(const Page& page, const std::string& source) {
    return page.State("spire_authority_source_state", "state", "source=\"" + source + "\"");
  }

  ThatDay clock_;
  std::unique_ptr<Watcher> watcher_;
  std::unique_ptr<Collector> collector_;
  static std::unique_ptr<pg::TestPostgres> server_;
};
std::unique_ptr<pg::TestPostgres> AuthorityWireTest::server_;

TEST_F(AuthorityWireTest, AllServersOfARotationAreOnThePage) {
  Fill("natural_rotation");
  clock_.Set("21:18:20");
  Watch("example.org");
  const Page page = LookTwice();
  EXPECT_EQ(State(page, "ca_journals"), "ok");
  EXPECT_EQ(State(page, "bundles"), "ok");
  const double unix_second = static_cast<double>(At("21:21:14").time_since_epoch().count());
  const std::string active = R"(authority="2c77fda3",journal="2",slot="active",type="x509")";
  EXPECT_EQ(page.Value("spire_authority_expiry_timestamp_seconds", active), unix_second);
  EXPECT_EQ(page.Value("spire_authority_lifetime_seconds", active), 360);
  EXPECT_EQ(page.Value("spire_authority_tainted", active), 0);
  EXPECT_EQ(page.Value("spire_authority_in_bundle", active), 1);
  EXPECT_EQ(page.Value("spire_authority_upstream_expiry_timestamp_seconds", active), std::nullopt);
  const std::string server = R"(journal="1",type="jwt")";
  EXPECT_EQ(page.Value("spire_authority_prepared", server), 1);
  EXPECT_EQ(page.Value("spire_authority_preparation_due_timestamp_seconds", server),
            unix_second - 180);
  EXPECT_EQ(page.Value("spire_authority_activation_due_timestamp_seconds", server),
            unix_second - 60);
  EXPECT_EQ(page.Value("spire_authority_overdue", R"(step="prepare",type="x509")"), 0);
  EXPECT_EQ(page.Value("spire_authority_journals", R"(state="live")"), 2);
  EXPECT_EQ(page.Value("spire_authority_active_missing", R"(type="x509")"), 0);
  EXPECT_EQ(page.Value("spire_authority_active_missing", R"(type="wit")"), 0);
  EXPECT_EQ(page.Value("spire_authority_unowned", R"(origin="unknown",type="jwt")"), 0);
  EXPECT_EQ(page.Value("spire_bundle_authorities", R"(state="expired",type="x509")"), 2);
  EXPECT_EQ(page.Value("spire_bundle_sequence_number"), 11);
  EXPECT_EQ(page.Value("spire_bundle_updated_timestamp_seconds"), 1800000000);
  EXPECT_EQ(page.Value("spire_bundle_refresh_hint_seconds"), std::nullopt);
  EXPECT_EQ(page.Value("spire_bundle_unsequenced_changes_total"), 0);
  EXPECT_EQ(page.Value("spire_bundle_sequence_rewinds_total"), 0);
  EXPECT_EQ(page.Value("spire_federated_bundles"), 0);
}

TEST_F(AuthorityWireTest, TheFactHasEverything) {
  Fill("after_upgrade");
  Watch();
  LookTwice();
  const auto fact = watcher_->facts().Latest<spire::AuthoritySet>(spire::kAuthoritySetSubject);
  ASSERT_TRUE(fact.has_value());
  EXPECT_EQ(fact->value->journals.size(), 2u);
  EXPECT_TRUE(fact->value->journals_whole);
  ASSERT_TRUE(fact->value->bundle.has_value());
  EXPECT_EQ(fact->value->bundle->trust_domain, "example.org");
  EXPECT_EQ(fact->value->unowned.size(), 4u);
  EXPECT_EQ(fact->value->unowned[0].origin, spire::Origin::kLeftover);
}

TEST_F(AuthorityWireTest, ARootThatWasWrittenBySqlIsFoundTwice) {
  Fill("tainted");
  Watch();
  const Page before = LookTwice();
  EXPECT_EQ(before.Value("spire_authority_unowned", R"(origin="unknown",type="x509")"), 0);
  // Fields of a record may come in any order: another root after the others. It is what stands
  // after the 22 bytes of the trust domain's name and before the keys.
  const std::string other = RecordHex("upstream_authority/bundle");
  constexpr size_t kLength = 3 + 0x1b8;  // with its tag and its length
  Sql("UPDATE bundles SET data = data || decode('" + other.substr(44, 2 * kLength) + "', 'hex')");
  const Page once = Look();
  EXPECT_EQ(once.Value("spire_bundle_unsequenced_changes_total"), 1);
  EXPECT_EQ(once.Value("spire_bundle_authorities", R"(state="valid",type="x509")"), 3);
  EXPECT_EQ(once.Value("spire_authority_unowned", R"(origin="unknown",type="x509")"), 0);
  const Page twice = Look();
  EXPECT_EQ(twice.Value("spire_authority_unowned", R"(origin="unknown",type="x509")"), 1);
  EXPECT_EQ(twice.Value("spire_bundle_unsequenced_changes_total"), 1);
}

TEST_F(AuthorityWireTest, AnOlderDatabaseTurnsTheSequenceBack) {
  Fill("natural_rotation");
  Watch();
  Look();
  Sql("UPDATE bundles SET data = " + Decoded("tainted/bundle"));
  const Page page = Look();
  EXPECT_EQ(page.Value("spire_bundle_sequence_rewinds_total"), 1);
  EXPECT_EQ(page.Value("spire_bundle_unsequenced_changes_total"), 0);
}

TEST_F(AuthorityWireTest, WhatDidNotChangeDoesNotTravel) {
  Fill("tainted");
  Watch();
  const auto nodes = watcher_->nodes()->List(seconds(1), Deadline::After(clock_, seconds(5)), {});
  ASSERT_EQ(nodes.nodes.size(), 1u);
  using Answer = std::optional<AuthorityTables>;
  const auto read = [&](const KnownRecords& known) {
    auto answer = pg::Ask<Answer>(
        nodes.nodes[0], {Deadline::After(clock_, seconds(5))}, {},
        [known](pg::Connection& connection) { return ReadAuthorities(connection, {}, known, ""); });
    EXPECT_TRUE(answer.ok() && answer->has_value());
    return **answer;
  };
  const AuthorityTables first = read({});
  Sql("UPDATE ca_journals SET updated_at = now(), data = " + Decoded("tainted/journal_1") +
      " WHERE id = 2; UPDATE bundles SET updated_at = to_timestamp(1900000000)");
  // Another record under each digest, which comes back where nothing new is sent.
  KnownRecords known = first.Records();
  for (auto& [digest, journal] : known.journals) journal = std::make_shared<spire::Journal>();
  for (auto& [digest, bundle] : known.bundles) bundle = std::make_shared<spire::Bundle>();
  const AuthorityTables second = read(known);
  ASSERT_EQ(second.journals.size(), 2u);
  EXPECT_EQ(second.journals[0].journal, known.journals[first.journals[0].digest]);
  EXPECT_EQ(second.journals[1].digest, first.journals[0].digest);
  EXPECT_EQ(second.bundles[0].bundle, known.bundles[first.bundles[0].digest]);
  EXPECT_EQ(second.bundles[0].updated_seconds, 1900000000);
}

TEST_F(AuthorityWireTest, FederatedBundlesHaveTheirNames) {
  Fill("tainted");
  Sql(AddBundle("partner.example", "natural_rotation/bundle"));
  clock_.Set("21:18:20");
  Watch();
  const Page page = Look();
  const std::string domain = R"(trust_domain="partner.example")";
  const auto seconds_of = [](const std::string& time) {
    return static_cast<double>(At(time).time_since_epoch().count());
  };
  EXPECT_EQ(page.Value("spire_federated_bundles"), 1);
  EXPECT_EQ(page.Value("spire_federated_bundle_updated_timestamp_seconds", domain), 1800000000);
  EXPECT_EQ(page.Value("spire_federated_bundle_first_expiry_timestamp_seconds", domain),
            seconds_of("21:21:14"));
  EXPECT_EQ(page.Value("spire_federated_bundle_last_expiry_timestamp_seconds", domain),
            seconds_of("21:24:14"));
  EXPECT_EQ(page.Value("spire_federated_bundle_authorities", domain + R"(,type="x509")"), 6);
  EXPECT_EQ(page.Value("spire_bundle_sequence_number"), 7);
}

TEST_F(AuthorityWireTest, AnEmptyJournalTableIsUnknownAndNotNone) {
  Sql(AddBundle("example.org", "tainted/bundle"));
  Watch();
  const Page page = LookTwice();
  EXPECT_EQ(State(page, "ca_journals"), "empty");
  EXPECT_EQ(State(page, "bundles"), "ok");
  EXPECT_EQ(page.Value("spire_authority_unowned", R"(origin="unknown",type="x509")"), std::nullopt);
  EXPECT_EQ(page.Value("spire_authority_active_missing", R"(type="x509")"), std::nullopt);
  EXPECT_EQ(page.Value("spire_authority_journals", R"(state="live")"), std::nullopt);
  EXPECT_EQ(page.Value("spire_bundle_authorities", R"(state="valid",type="jwt")"), 2);
}

TEST_F(AuthorityWireTest, TablesOfSpire17HaveNoJournals) {
  MakeTables(*server_, 22);
  Sql(AddBundle("example.org", "tainted/bundle"));
  Watch();
  const Page page = Look();
  EXPECT_EQ(State(page, "ca_journals"), "no_table");
  EXPECT_EQ(page.Value("spire_bundle_authorities", R"(state="tainted",type="x509")"), 1);
}

TEST_F(AuthorityWireTest, TheGrantedColumnsAreEnoughAndLessIsSaid) {
  Fill("tainted");
  std::string grants;
  for (const GrantedColumn& each : kGrantedColumns) {
    if (each.table == "bundles") {
      grants += "GRANT SELECT (" + std::string(each.column) + ") ON bundles TO watcher;";
    }
  }
  Sql(grants);
  Watch("", "watcher");
  const Page less = Look();
  EXPECT_EQ(State(less, "ca_journals"), "no_right");
  EXPECT_EQ(State(less, "bundles"), "ok");
  EXPECT_EQ(less.Value("spire_bundle_sequence_number"), 7);
  grants.clear();
  for (const GrantedColumn& each : kGrantedColumns) {
    if (each.table == "ca_journals") {
      grants += "GRANT SELECT (" + std::string(each.column) + ") ON ca_journals TO watcher;";
    }
  }
  Sql(grants);
  clock_.Advance(seconds(61));
  const Page page = Look();
  EXPECT_EQ(State(page, "ca_journals"), "ok");
  EXPECT_EQ(page.Value("spire_authority_journals", R"(state="live")"), 2);
}

TEST_F(AuthorityWireTest, WhatIsLockedKeepsItsLastValuesForTwoMinutes) {
  Fill("tainted");
  Watch();
  Look();
  Sql("BEGIN; LOCK TABLE bundles IN ACCESS EXCLUSIVE MODE; PREPARE TRANSACTION 'held'");
  Status problem;
  const Page locked = Look(&problem);
  EXPECT_FALSE(problem.ok());
  EXPECT_EQ(State(locked, "ca_journals"), "locked");
  EXPECT_EQ(locked.Value("spire_authority_journals", R"(state="live")"), 2);
  clock_.Advance(minutes(3));
  const Page later = Look(&problem);
  EXPECT_EQ(State(later, "bundles"), "locked");
  EXPECT_EQ(later.Value("spire_authority_journals", R"(state="live")"), std::nullopt);
  Sql("ROLLBACK PREPARED 'held'");
  EXPECT_EQ(State(Look(), "bundles"), "ok");
}

TEST_F(AuthorityWireTest, MoreThanIsReadIsPartialAndNobodyIsAccused) {
  Fill("tainted");
  Sql("INSERT INTO ca_journals (updated_at, data) SELECT to_timestamp(i), '' FROM"
      " generate_series(1, 70) AS i; INSERT INTO bundles (trust_domain, data) VALUES"
      " ('spiffe://big.example', convert_to(repeat('x', 600000), 'UTF8')),"
      " ('spiffe://odd.example', 'no record'), ('spiffe://none.example', NULL)");
  Watch("example.org");
  const Page page = LookTwice();
  EXPECT_EQ(State(page, "ca_journals"), "partial");
  EXPECT_EQ(State(page, "bundles"), "partial");
  EXPECT_EQ(page.Value("spire_authority_journals", R"(state="live")"), 2);
  EXPECT_EQ(page.Value("spire_authority_unowned", R"(origin="unknown",type="x509")"), std::nullopt);
  EXPECT_EQ(page.Value("spire_federated_bundles"), 3);
  EXPECT_EQ(page.Value("spire_bundle_sequence_number"), 7);
}

TEST_F(AuthorityWireTest, AMissingOwnBundleIsSaid) {
  Fill("tainted");
  Watch("other.org");
  const Page page = Look();
  EXPECT_EQ(State(page, "bundles"), "no_own");
  EXPECT_EQ(page.Value("spire_bundle_sequence_number"), std::nullopt);
  EXPECT_EQ(page.Value("spire_federated_bundles"), std::nullopt);
  EXPECT_EQ(page.Value("spire_authority_prepared", R"(journal="1",type="x509")"), 0);
}

TEST_F(AuthorityWireTest, AStandbyIsNotRead) {
  Fill("tainted");
  auto standby = pg::TestPostgres::MakeStandby(*server_, "authorities");
  ASSERT_TRUE(standby.ok()) << standby.error().ToString();
  watcher_ = std::make_unique<Watcher>(
      std::vector<std::string>{(*standby)->ConninfoFile(), server_->ConninfoFile()});
  collector_ = MakeAuthoritiesCollector(seconds(15), seconds(5), "", "", watcher_->nodes());
  EXPECT_EQ(Look().Value("spire_bundle_sequence_number"), 7);
  watcher_ = std::make_unique<Watcher>(std::vector<std::string>{(*standby)->ConninfoFile()});
  collector_ = MakeAuthoritiesCollector(seconds(15), seconds(5), "", "", watcher_->nodes());
  Status problem;
  const Page page = Look(&problem);
  EXPECT_FALSE(problem.ok());
  EXPECT_EQ(State(page, "bundles"), "unreachable");
  Sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active");
}

}  // namespace
}  // namespace spire_exporter::datastore
