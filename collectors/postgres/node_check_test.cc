#include "collectors/postgres/node_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spire_exporter::postgres {
namespace {

using ::testing::HasSubstr;

NodeLook Well() {
  NodeLook look;
  look.version = 150018;
  look.database = "spire";
  look.role = "spire_exporter";
  look.reads_statistics = true;
  look.tls = "TLSv1.3";
  return look;
}

pg::Node Node(pg::Expect expect = pg::Expect::kAny) {
  return {"ro/1", "ro", expect, "10.0.0.7:5432", nullptr};
}

// The one line that is not good.
CheckLine Finding(const std::vector<CheckLine>& lines) {
  CheckLine found;
  size_t count = 0;
  for (const CheckLine& line : lines) {
    if (line.good) continue;
    found = line;
    ++count;
  }
  EXPECT_EQ(count, 1u);
  return found;
}

TEST(NodeCheckTest, SaysWhatIsWellInOneLine) {
  const std::vector<CheckLine> lines = JudgeNode(Node(pg::Expect::kPrimary), Well());
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].good);
  EXPECT_EQ(lines[0].subject, "postgres ro/1");
  EXPECT_EQ(lines[0].detail, "PostgreSQL 15.18, a primary, TLSv1.3, as role spire_exporter");
  EXPECT_EQ(lines[0].remedy, "");
}

TEST(NodeCheckTest, NamesANodeOfTheOtherRole) {
  const CheckLine primary = Finding(JudgeNode(Node(pg::Expect::kStandby), Well()));
  EXPECT_THAT(primary.detail, HasSubstr("a standby is expected at 10.0.0.7:5432"));
  NodeLook look = Well();
  look.in_recovery = true;
  EXPECT_THAT(Finding(JudgeNode(Node(pg::Expect::kPrimary), look)).detail,
              HasSubstr("a standby, TLSv1.3, as role spire_exporter: a primary is expected"));
  EXPECT_EQ(JudgeNode(Node(pg::Expect::kStandby), look).size(), 1u);
}

TEST(NodeCheckTest, KnowsItsVersions) {
  NodeLook look = Well();
  for (const int version : {120022, 180004}) {
    look.version = version;
    EXPECT_EQ(JudgeNode(Node(), look).size(), 1u);
  }
  for (const int version : {110022, 190000}) {
    look.version = version;
    EXPECT_THAT(Finding(JudgeNode(Node(), look)).remedy, HasSubstr("12 to 18"));
  }
}

TEST(NodeCheckTest, WantsTlsOverTheNetworkAlone) {
  NodeLook look = Well();
  look.tls.reset();
  const CheckLine line = Finding(JudgeNode(Node(), look));
  EXPECT_EQ(line.subject, "postgres ro/1 TLS");
  EXPECT_THAT(line.remedy, HasSubstr("sslmode=verify-full"));
  look.local = true;
  EXPECT_EQ(JudgeNode(Node(), look).size(), 1u);
}

TEST(NodeCheckTest, RefusesARoleWithPowers) {
  NodeLook look = Well();
  look.role = "postgres";
  look.powers = {"SUPERUSER", "CREATEDB"};
  const CheckLine line = Finding(JudgeNode(Node(), look));
  EXPECT_THAT(line.detail, HasSubstr("role postgres is SUPERUSER, CREATEDB"));
  EXPECT_THAT(line.remedy, HasSubstr("grants --role=spire_exporter | psql -X -d spire"));
}

TEST(NodeCheckTest, NamesTheMissingRightToStatistics) {
  NodeLook look = Well();
  look.reads_statistics = false;
  const CheckLine line = Finding(JudgeNode(Node(), look));
  EXPECT_THAT(line.detail, HasSubstr("no pg_read_all_stats"));
  EXPECT_THAT(line.remedy, HasSubstr("spire-exporter grants --role=spire_exporter | psql"));
}

TEST(NodeCheckTest, AllowsForTheTimeThatTheAskingTook) {
  NodeLook look = Well();
  look.clock_ahead = -2.5;
  EXPECT_THAT(Finding(JudgeNode(Node(), look)).detail, HasSubstr("2.500 s behind ours"));
  look.clock_ahead = 2.5;
  EXPECT_THAT(Finding(JudgeNode(Node(), look)).detail, HasSubstr("2.500 s ahead of ours"));
  look.clock_known_to = 0.6;
  EXPECT_EQ(JudgeNode(Node(), look).size(), 1u);
}

TEST(NodeCheckTest, SaysWhatMendsAConnection) {
  const auto remedy = [](Code code) {
    return Unreachable("postgres rw/0", Error{code, "why", "", true}).remedy;
  };
  EXPECT_THAT(remedy(Code::kUnauthenticated), HasSubstr("pg_hba.conf"));
  EXPECT_THAT(remedy(Code::kResourceExhausted), HasSubstr("--connection-limit"));
  EXPECT_THAT(remedy(Code::kUnavailable), HasSubstr("its port"));
  EXPECT_THAT(remedy(Code::kFailedPrecondition), HasSubstr("sslrootcert"));
}

}  // namespace
}  // namespace spire_exporter::postgres
