// Tier 1: what every sidecar asks every few seconds. Index look-ups and the catalogue alone: about
// two milliseconds of the database's time at a million entries and agents.
#ifndef COLLECTORS_DATASTORE_SUMMARY_READ_H_
#define COLLECTORS_DATASTORE_SUMMARY_READ_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/postgres/connection.h"
#include "collectors/datastore/agent_tally.h"
#include "collectors/datastore/event_follower.h"
#include "collectors/datastore/schema.h"
#include "exporter/base/result.h"

namespace spire_exporter::datastore {

// One of the two tables of events.
struct EventIds {
  std::optional<int64_t> oldest;
  std::optional<int64_t> newest;
  std::optional<double> newest_created;  // Unix time
  std::optional<int64_t> recent;         // rows among the last kRecentIds ids
};
inline constexpr int64_t kRecentIds = 200;

struct AgentExpiries {            // Unix times
  std::optional<double> soonest;  // of those that have not expired
  std::optional<double> oldest;
  std::optional<double> newest;
};

// When the first kFirstAgents expire, rising, of agents that are not banned and had kOverdueShare
// of their life left when any agent last renewed: a machine that is gone leaves its row behind, and
// one that has ended since SPIRE stopped is still there. Where the lifetime is not known: of those
// that have not expired.
struct FirstAgents {
  std::vector<int64_t> expiries;  // Unix times
  bool all = false;               // there are no more
};
inline constexpr size_t kFirstAgents = 256;
inline constexpr int kNewestAgents = 64;  // that tell the lifetime and the last renewal
inline constexpr int kBriefAgents = 256;  // that are looked at for lives cut short

struct EntryLook {
  std::optional<int64_t> newest_row;
  // Entries whose own expiry has passed, counted up to kExpiredMax.
  std::optional<int64_t> expired;
};
inline constexpr int64_t kExpiredMax = 10'001;

struct TableIds {
  std::string table;
  int64_t last = 0;  // 0 when none was used
  int64_t max = 0;
  bool from_rows = false;  // the highest id there is: the sequence may not be read
};

// Exact below kFewRows, where the keys may be read; else an estimate.
struct TableRows {
  std::string table;
  double rows = 0;
};
inline constexpr int64_t kFewRows = 1000;

struct Versions {
  std::optional<int64_t> schema;
  std::optional<std::string> code;
};

struct Followed {
  std::vector<EntryEvent> events;
  std::vector<EntryRow> rows;
};

// What one node said. A part that could not be read is an error of its own, so that a lock on one
// table or a missing right hides nothing else.
struct NodeSummary {
  std::shared_ptr<const Schema> schema;  // null when the database has no tables of SPIRE's
  bool in_recovery = false;
  double now = 0;  // Unix time there
  Result<EventIds> entry_events = Error{};
  Result<EventIds> agent_events = Error{};
  // The rest of a primary alone; kUnknown on a standby.
  Result<Versions> versions = Error{};
  Result<AgentExpiries> agents = Error{};
  Result<FirstAgents> first_agents = Error{};  // for the runway; shown in no family
  Result<EntryLook> entries = Error{};
  Result<std::vector<TableIds>> ids = Error{};
  Result<std::vector<TableRows>> rows = Error{};
  Result<Followed> followed = Error{};
};

// The statements, for their plans to be looked at; from columns that were found.
// The role, the time and what is known of the events tables that are given, in one.
std::string LookStatement(const Schema& schema, std::span<const std::string_view> tables);
// The events of one table, as the functions of level 2 tell them.
std::string EventIdsStatement(const Schema& schema, std::string_view table);
std::string VersionsStatement(const Schema& schema);
std::string AgentExpiriesStatement(const Schema& schema);
std::string FirstAgentsStatement(const Schema& schema);
std::string EntryLookStatement(const Schema& schema);
std::string IdsStatement(const Schema& schema);
std::string RowsStatement(const Schema& schema);
std::string FewRowsStatement(const Schema& schema, std::span<const TableRows> tables);
std::string FollowEventsStatement(const Schema& schema, const FollowRequest& request);
std::string FollowRowsStatement(const Schema& schema, int64_t after);

// Reads the schema first where none is given. Without tables of SPIRE's all parts are kNotFound. An
// error is the node's: it could not be asked.
Result<NodeSummary> ReadSummary(pg::Connection& connection, std::shared_ptr<const Schema> schema,
                                const FollowRequest& request);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_SUMMARY_READ_H_
