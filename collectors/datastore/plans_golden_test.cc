// The plans of tier 1 on a real PostgreSQL, against golden/plans_<major>.txt: those at a million
// entries and agents. What is asked every few seconds must stay index look-ups.
//
// The files were written with PLANS_ROWS=1000000 UPDATE_GOLDEN=1 in the environment (two minutes).
// The test fills 30,000 rows, at which the planner takes the same ways: they come from ranges at
// the end of an index, which do not depend on how many rows lie before them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <utility>

#include "collectors/clients/postgres/ask.h"
#include "collectors/datastore/summary_read.h"
#include "collectors/datastore/survey_read.h"
#include "collectors/datastore/test_database.h"

namespace spire_exporter::datastore {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(PlansGoldenTest, Tier1IsIndexLookUpsAtAMillionRows) {
  auto started = pg::TestPostgres::Start("autovacuum = off\nmax_parallel_workers_per_gather = 0");
  ASSERT_TRUE(started.ok()) << started.error().ToString();
  pg::TestPostgres& server = **started;
  MakeTables(server, 25);
  const char* const given = std::getenv("PLANS_ROWS");
  const std::string rows = given == nullptr ? "30000" : given;
  const auto filled =
      server.Sql("\\set entries " + rows + "\n\\set agents " + rows + "\n" +
                 ReadFile(std::string(HOUSE_SOURCE_DIR) + "/tests/bench/datastore_generator.sql"));
  ASSERT_TRUE(filled.ok()) << filled.error().what;

  Watcher watcher({server.ConninfoFile()});
  const pg::NodeList list = watcher.nodes()->List(
      Duration::zero(), Deadline::After(watcher.clock(), std::chrono::seconds(10)), {});
  ASSERT_EQ(list.nodes.size(), 1u);
  const int64_t last = std::atoll(rows.c_str()) / 2;
  using Plans = std::string;
  static constexpr std::string_view kEvents[] = {"registered_entries_events",
                                                 "attested_node_entries_events"};
  const auto plans = pg::Ask<Plans>(
      list.nodes[0],
      {Deadline::After(watcher.clock(), std::chrono::seconds(30)), std::chrono::seconds(10)}, {},
      [last](pg::Connection& connection) -> Result<Plans> {
        const auto schema = ReadSchema(connection);
        if (!schema.ok()) return schema.error();
        const std::vector<TableRows> few = {{"bundles", 0}, {"registered_entries", 0}};
        const std::pair<const char*, std::string> statements[] = {
            {"the newest events", LookStatement(*schema, kEvents)},
            {"expiries of agents", AgentExpiriesStatement(*schema)},
            {"the first agents to expire", FirstAgentsStatement(*schema)},
            {"newest and expired entries", EntryLookStatement(*schema)},
            {"events since the last look", FollowEventsStatement(*schema, {last - 3, {}, {}})},
            {"events since the last look and gaps",
             FollowEventsStatement(*schema, {last - 3, {last - 9, last - 7}, {}})},
            {"entries since the last look", FollowRowsStatement(*schema, 2 * last - 3)},
            {"few rows", FewRowsStatement(*schema, few)},
            {"lifetime of agents", AgentTtlStatement(*schema)},
        };
        Plans text;
        for (const auto& [name, statement] : statements) {
          text += "-- " + std::string(name) + "\n";
          const auto plan = connection.Query(name, "EXPLAIN (COSTS OFF) " + statement);
          if (!plan.ok()) return plan.error();
          plan->ForEach([&](const pg::Row& row) { text += row.TextOr(0, "") + "\n"; });
          text += "\n";
        }
        return text;
      });
  ASSERT_TRUE(plans.ok()) << plans.error().ToString();
  // Ids depend on the number of rows.
  const std::string text = std::regex_replace(*plans, std::regex("\\b\\d{5,}\\b"), "N");
  const std::string path = std::string(HOUSE_SOURCE_DIR) + "/collectors/datastore/golden/plans_" +
                           std::to_string(server.major()) + ".txt";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
    return;
  }
  EXPECT_EQ(text.find("Seq Scan on registered_entries"), std::string::npos);
  EXPECT_EQ(text.find("Seq Scan on attested_node_entries"), std::string::npos);
  const std::string expected = ReadFile(path);
  if (expected.empty()) {
    GTEST_SKIP() << "no plans of PostgreSQL " << server.major() << " are written down";
  }
  EXPECT_EQ(text, expected);
}

}  // namespace
}  // namespace spire_exporter::datastore
