// The collector's whole reading as roles that have what `spire-exporter grants` gives, and no more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/clients/postgres/ask.h"
#include "collectors/datastore/audit_read.h"
#include "collectors/datastore/grants.h"
#include "collectors/datastore/spire_database.h"
#include "collectors/datastore/summary_read.h"
#include "collectors/datastore/survey_read.h"

namespace spire_exporter::datastore {
namespace {

using std::chrono::seconds;

// The state of each part, by its name.
using States = std::map<std::string, std::string>;

class LeastPowerWireTest : public SpireDatabaseTest {
 protected:
  static void Note(States& states, const std::string& part, const Status& status) {
    states[part] = StateOf(status);
  }
  static Result<States> ReadAll(pg::Connection& connection) {
    FollowRequest request;
    request.after_event = 0;
    request.after_row = 0;
    auto summary = ReadSummary(connection, nullptr, request);
    if (!summary.ok()) return summary.error();
    const Schema& schema = *summary->schema;
    const auto status = [](const auto& result) {
      return result.ok() ? Status() : Status(result.error());
    };
    States states;
    Note(states, "entry events", status(summary->entry_events));
    Note(states, "agent events", status(summary->agent_events));
    Note(states, "versions", status(summary->versions));
    Note(states, "agent expiries", status(summary->agents));
    Note(states, "entry look", status(summary->entries));
    Note(states, "ids", status(summary->ids));
    Note(states, "rows", status(summary->rows));
    Note(states, "followed entries", status(summary->followed));
    const auto classes = std::make_shared<const spiffe::ClassMap>();
    const auto ttl = ReadAgentTtl(connection, schema);
    Note(states, "agent ttl", status(ttl));
    Note(states, "agents", status(ReadAgents(connection, schema, AgentTtl{}, classes)));
    Note(states, "agent totals", status(ReadAgentTotals(connection, schema)));
    Note(states, "entry totals", status(ReadEntryTotals(connection, schema)));
    Note(states, "entry classes", status(ReadEntryClasses(connection, schema, *classes)));
    Note(states, "entries per parent", status(ReadEntriesPerParent(connection, schema)));
    Note(states, "orphans", status(ReadOrphans(connection, schema)));
    Note(states, "orphaned selectors", status(ReadOrphanedSelectors(connection, schema)));
    Note(states, "entries without event", status(ReadEntriesWithoutEvent(connection, schema)));
    return states;
  }
  // All parts whose state is not `ok`, with it.
  States Troubles(const std::string& user) {
    const std::string path = server_->directory() + "/" + user + "." + database_;
    std::ofstream(path) << "host=127.0.0.1 port=" << server_->port() << " dbname=" << database_
                        << " user=" << user << " sslmode=disable\n";
    pg::ClientOptions options;
    options.groups.push_back({"rw", path, pg::Expect::kAny});
    pg::NodeSet nodes(clock_, logger_);
    nodes.Configure(options);
    const Deadline deadline = Deadline::After(clock_, seconds(20));
    const pg::NodeList list = nodes.List(Duration::zero(), deadline, {});
    if (list.nodes.empty()) return {{"node", "none"}};
    const Result<States> states =
        pg::Ask<States>(list.nodes[0], pg::JobLimits{deadline}, {}, &ReadAll);
    if (!states.ok()) return {{"node", states.error().ToString()}};
    EXPECT_EQ(states->size(), 17u);
    States troubles = *states;
    std::erase_if(troubles, [](const auto& part) { return part.second == "ok"; });
    return troubles;
  }
  void Apply(int level, const std::string& role) {
    GrantOptions options;
    options.level = level;
    options.role = role;
    ASSERT_EQ(Failure(GrantsSql(options)), "");
  }

  const RealClock clock_;
  NullLogger logger_;
};

TEST_F(LeastPowerWireTest, LevelOneIsEnoughForEverythingAtEveryVersion) {
  for (const int version : {22, 23, 25}) {
    MakeDatabase("least" + std::to_string(version), version);
    Apply(1, "least");
    EXPECT_EQ(Troubles("least"), States()) << version;
  }
}

// What needs single rows says that the right is missing; what can be counted is.
TEST_F(LeastPowerWireTest, LevelTwoCountsAndSaysWhatItCannotSee) {
  MakeDatabase("counted", 25);
  Apply(2, "counted");
  EXPECT_EQ(Troubles("counted"), (States{{"agent ttl", "no_right"},
                                         {"agents", "no_right"},
                                         {"entries per parent", "no_right"},
                                         {"entry classes", "no_right"},
                                         {"followed entries", "no_right"}}));
}

TEST_F(LeastPowerWireTest, WithoutAnyRightEachPartSaysSo) {
  MakeDatabase("bare", 25);
  ASSERT_EQ(Failure("CREATE ROLE bare LOGIN"), "");
  States troubles = Troubles("bare");
  EXPECT_EQ(troubles.size(), 16u);  // all but the estimates of rows, which are everybody's
  for (const auto& [part, state] : troubles) EXPECT_EQ(state, "no_right") << part;
}

}  // namespace
}  // namespace spire_exporter::datastore
