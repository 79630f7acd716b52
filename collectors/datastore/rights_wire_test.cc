// What the check says of rights on a real PostgreSQL, and that its remedies mend.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/datastore/grants.h"
#include "collectors/datastore/rights.h"
#include "collectors/datastore/spire_database.h"

namespace spire_exporter::datastore {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

class RightsWireTest : public SpireDatabaseTest {
 protected:
  void Apply(int level, const std::string& role) {
    GrantOptions options;
    options.level = level;
    options.role = role;
    ASSERT_EQ(Failure(GrantsSql(options)), "");
  }
  std::vector<CheckLine> Check(const std::string& user) {
    const std::string path = server_->directory() + "/" + user + "." + database_;
    std::ofstream(path) << "host=127.0.0.1 port=" << server_->port() << " dbname=" << database_
                        << " user=" << user << " sslmode=disable\n";
    pg::ClientOptions options;
    options.groups.push_back({"rw", path, pg::Expect::kAny});
    pg::NodeSet nodes(clock_, logger_);
    nodes.Configure(options);
    return CheckRights(nodes, Deadline::After(clock_, seconds(20)));
  }

  const RealClock clock_;
  NullLogger logger_;
};

TEST_F(RightsWireTest, WhatGrantsPrintsIsWhatTheCheckWants) {
  for (const int version : {22, 23, 25}) {
    MakeDatabase("wanted" + std::to_string(version), version);
    for (const int level : {1, 2}) {
      Apply(level, "wanted");
      const std::vector<CheckLine> lines = Check("wanted");
      ASSERT_EQ(lines.size(), 1u) << lines.back().detail;
      EXPECT_TRUE(lines[0].good) << lines[0].detail;
      EXPECT_THAT(lines[0].detail, HasSubstr("level " + std::to_string(level) + ": "));
    }
  }
}

TEST_F(RightsWireTest, NamesWhatAnUpgradeAddedUntilGrantsRanAgain) {
  MakeDatabase("later", 23);
  Apply(1, "later");
  ASSERT_EQ(Failure("ALTER TABLE attested_node_entries ADD COLUMN agent_version text", "spire"),
            "");
  const std::vector<CheckLine> lines = Check("later");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].detail, "role later may not read attested_node_entries (agent_version)");
  Apply(1, "later");
  EXPECT_TRUE(Check("later").at(0).good);
}

TEST_F(RightsWireTest, NamesWhatIsTooLittleAndTooMuch) {
  MakeDatabase("amounts", 25);
  ASSERT_EQ(Failure("CREATE ROLE little LOGIN"), "");
  const std::vector<CheckLine> little = Check("little");
  ASSERT_EQ(little.size(), 2u);
  EXPECT_THAT(little[0].detail, HasSubstr("may read nothing"));
  EXPECT_THAT(little[1].detail, HasSubstr("12 sequences may not be read"));
  const std::vector<CheckLine> owner = Check("spire");
  ASSERT_EQ(owner.size(), 2u);
  EXPECT_THAT(owner[1].detail,
              ::testing::AllOf(HasSubstr("reads join_tokens.token"),
                               HasSubstr("may change 13 tables"), HasSubstr("12 sequences")));
  Apply(1, "much");
  ASSERT_EQ(Failure("GRANT SELECT ON join_tokens TO much; GRANT UPDATE (hint) ON"
                    " registered_entries TO much; GRANT USAGE ON selectors_id_seq TO much"),
            "");
  const std::vector<CheckLine> much = Check("much");
  ASSERT_EQ(much.size(), 2u);
  EXPECT_TRUE(much[0].good);
  EXPECT_THAT(much[1].detail,
              ::testing::AllOf(HasSubstr("reads join_tokens.token"),
                               HasSubstr("may change 1 table of"), HasSubstr("1 sequence")));
  Apply(1, "much");
  EXPECT_EQ(Check("much").size(), 1u);
}

TEST_F(RightsWireTest, NamesADatabaseThatIsNotSpires) {
  database_ = "postgres";
  const std::vector<CheckLine> lines = Check("spire");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0].detail, HasSubstr("database postgres has no tables of SPIRE's"));
}

TEST_F(RightsWireTest, LeavesAFailureToConnectToTheCheckOfNodes) {
  database_ = "postgres";
  const std::vector<CheckLine> lines = Check("stranger");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_FALSE(lines[0].good);
  EXPECT_EQ(lines[0].remedy, "see postgres rw/0");
}

}  // namespace
}  // namespace spire_exporter::datastore
