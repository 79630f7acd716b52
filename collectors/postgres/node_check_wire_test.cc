// The check of nodes on a real PostgreSQL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/clients/postgres/test_postgres.h"
#include "collectors/postgres/node_check.h"

namespace spire_exporter::postgres {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

class NodeCheckWireTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto server = pg::TestPostgres::Start();
    ASSERT_TRUE(server.ok()) << server.error().ToString();
    server_ = std::move(*server);
    ASSERT_TRUE(server_
                    ->Sql("CREATE ROLE watcher LOGIN; GRANT pg_read_all_stats TO watcher;"
                          "CREATE ROLE blind LOGIN NOINHERIT; CREATE ROLE crowd LOGIN CONNECTION "
                          "LIMIT 0;")
                    .ok());
    if (server_->major() < 16) {  // from 16 on a membership says for itself what it gives
      ASSERT_TRUE(server_->Sql("GRANT pg_read_all_stats TO blind").ok());
    }
  }
  static void TearDownTestSuite() { server_.reset(); }

  std::vector<CheckLine> Check(const std::string& user, pg::Expect expect = pg::Expect::kAny) {
    pg::ClientOptions options;
    options.groups.push_back({"rw", server_->ConninfoFile(user), expect});
    pg::NodeSet nodes(clock_, logger_);
    nodes.Configure(options);
    return CheckNodes(nodes, clock_, Deadline::After(clock_, seconds(20)));
  }

  static std::unique_ptr<pg::TestPostgres> server_;
  const RealClock clock_;
  NullLogger logger_;
};
std::unique_ptr<pg::TestPostgres> NodeCheckWireTest::server_;

TEST_F(NodeCheckWireTest, FindsAWatcherThatIsAsItShouldBe) {
  const std::vector<CheckLine> lines = Check("watcher", pg::Expect::kPrimary);
  ASSERT_EQ(lines.size(), 1u) << lines.back().detail;
  EXPECT_TRUE(lines[0].good);
  EXPECT_EQ(lines[0].subject, "postgres rw/0");
  EXPECT_THAT(lines[0].detail, HasSubstr("PostgreSQL " + std::to_string(server_->major()) + "."));
  EXPECT_THAT(lines[0].detail, HasSubstr("a primary, without TLS, as role watcher"));
}

TEST_F(NodeCheckWireTest, FindsASuperuserAndOneWithoutStatistics) {
  const std::vector<CheckLine> boss = Check("postgres");
  ASSERT_EQ(boss.size(), 2u);
  EXPECT_THAT(boss[1].detail, HasSubstr("SUPERUSER, CREATEROLE, CREATEDB, REPLICATION, BYPASSRLS"));
  // A membership that would have to be taken on by SET ROLE does not count.
  const std::vector<CheckLine> blind = Check("blind");
  ASSERT_EQ(blind.size(), 2u);
  EXPECT_THAT(blind[1].detail, HasSubstr("no pg_read_all_stats"));
  EXPECT_THAT(blind[1].remedy, HasSubstr("--role=blind | psql -X -d test"));
}

TEST_F(NodeCheckWireTest, FindsTheWrongRole) {
  const std::vector<CheckLine> lines = Check("watcher", pg::Expect::kStandby);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_FALSE(lines[0].good);
  EXPECT_THAT(lines[0].detail, HasSubstr("a standby is expected at 127.0.0.1:"));
}

TEST_F(NodeCheckWireTest, SaysWhyANodeCannotBeAsked) {
  const std::vector<CheckLine> crowd = Check("crowd");
  ASSERT_EQ(crowd.size(), 1u);
  EXPECT_THAT(crowd[0].detail, HasSubstr("too many connections for role"));
  EXPECT_THAT(crowd[0].remedy, HasSubstr("--connection-limit"));
  const std::vector<CheckLine> stranger = Check("stranger");
  ASSERT_EQ(stranger.size(), 1u);
  EXPECT_THAT(stranger[0].remedy, HasSubstr("pg_hba.conf"));
}

}  // namespace
}  // namespace spire_exporter::postgres
