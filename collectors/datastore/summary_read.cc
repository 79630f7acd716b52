#include "collectors/datastore/summary_read.h"

#include <utility>

namespace spire_exporter::datastore {
namespace {

std::string Epoch(const std::string& expression) {
  return "date_part('epoch', " + expression + ")";
}

// Where the table may not be read: what the function of level 2 gives.
Result<EventIds> ReadByFunction(pg::Connection& connection, const Schema& schema,
                                std::string_view table, const Status& reads) {
  const auto ask = schema.Ask(reads, EventIdsStatement(schema, table),
                              table == kEntryEventsTable ? "entry_events" : "agent_events");
  if (!ask.ok()) return ask.error();
  const auto row = connection.Query(table, *ask);
  if (!row.ok()) return row.error();
  return EventIds{row->Int(0), row->Int(1), row->Double(2), row->Int(3)};
}

struct EventColumns {
  std::string columns;
  std::string from;
};

// min() and max() would take the planner twice as long; and of a range that begins at a value which
// it does not know it expects a third of the table, for which it may read all of it.
EventColumns ColumnsOfEvents(const Schema& schema, std::string_view table, std::string_view alias) {
  const std::string name = schema.Qualified(table);
  const std::string newest(alias);
  const std::string recent = std::to_string(kRecentIds);
  return {"(SELECT id FROM " + name + " ORDER BY id LIMIT 1), " + newest + ".id, " + newest +
              ".at, (SELECT count(*) FROM (SELECT id FROM " + name + " ORDER BY id DESC LIMIT " +
              recent + ") AS l WHERE l.id > " + newest + ".id - " + recent + ")",
          " LEFT JOIN (SELECT id, " +
              Epoch(schema.ColumnOrNull(table, "created_at") + "::timestamptz") + " AS at FROM " +
              name + " ORDER BY id DESC LIMIT 1) AS " + newest + " ON true"};
}

// Columns that LookStatement() gives for each table.
constexpr size_t kEventColumns = 4;
constexpr size_t kLookColumns = 2;

// All in one statement, or, where that fails, each table by itself.
Status ReadLook(pg::Connection& connection, const Schema& schema, NodeSummary& summary) {
  std::vector<std::string_view> tables;
  std::vector<Result<EventIds>*> parts;
  const auto want = [&](std::string_view table, Result<EventIds>& part) {
    if (const Status reads = schema.Reads(table, {"id"}); !reads.ok()) {
      part = ReadByFunction(connection, schema, table, reads);
      return;
    }
    tables.push_back(table);
    parts.push_back(&part);
  };
  want(kEntryEventsTable, summary.entry_events);
  want(kAgentEventsTable, summary.agent_events);
  const auto look = [&](std::span<const std::string_view> some, size_t first) -> Status {
    const auto row = connection.Query("the newest events", LookStatement(schema, some));
    if (!row.ok()) return row.error();
    summary.in_recovery = row->Bool(0).value_or(false);
    summary.now = row->Double(1).value_or(0);
    for (size_t i = 0; i < some.size(); ++i) {
      const size_t at = kLookColumns + i * kEventColumns;
      *parts[first + i] =
          EventIds{row->Int(at), row->Int(at + 1), row->Double(at + 2), row->Int(at + 3)};
    }
    return {};
  };
  const Status all = look(tables, 0);
  if (all.ok() || tables.empty() || all.error().code == Code::kUnavailable) return all;
  if (const Status role = look({}, 0); !role.ok()) return role;
  for (size_t i = 0; i < tables.size(); ++i) {
    const Status one = look({&tables[i], 1}, i);
    if (!one.ok()) *parts[i] = one.error();
  }
  return {};
}

Result<Versions> ReadVersions(pg::Connection& connection, const Schema& schema) {
  const auto ask =
      schema.Ask(schema.Reads("migrations", {"version"}), VersionsStatement(schema), "versions");
  if (!ask.ok()) return ask.error();
  const auto row = connection.Query("migrations", *ask);
  if (!row.ok()) return row.error();
  return Versions{row->Int(0), row->Text(1)};
}

Result<AgentExpiries> ReadAgentExpiries(pg::Connection& connection, const Schema& schema) {
  const auto ask = schema.Ask(schema.Reads(kAgentsTable, {"expires_at"}),
                              AgentExpiriesStatement(schema), "agent_expiries");
  if (!ask.ok()) return ask.error();
  const auto row = connection.Query(kAgentsTable, *ask);
  if (!row.ok()) return row.error();
  return AgentExpiries{row->Double(0), row->Double(1), row->Double(2)};
}

Result<FirstAgents> ReadFirstAgents(pg::Connection& connection, const Schema& schema) {
  const Status reads = schema.Reads(kAgentsTable, {"expires_at", "serial_number"});
  if (!reads.ok()) return reads.error();
  const auto rows = connection.Query("the first agents to expire", FirstAgentsStatement(schema));
  if (!rows.ok()) return rows.error();
  FirstAgents first;
  rows->ForEach([&](const pg::Row& row) {
    if (const auto expiry = row.Int(0)) first.expiries.push_back(*expiry);
  });
  first.all = first.expiries.size() < kFirstAgents;
  return first;
}

Result<EntryLook> ReadEntryLook(pg::Connection& connection, const Schema& schema) {
  const auto ask = schema.Ask(schema.Reads(kEntriesTable, {"id", "expiry"}),
                              EntryLookStatement(schema), "entry_look");
  if (!ask.ok()) return ask.error();
  const auto row = connection.Query(kEntriesTable, *ask);
  if (!row.ok()) return row.error();
  return EntryLook{row->Int(0), row->Int(1)};
}

Result<std::vector<TableIds>> ReadIds(pg::Connection& connection, const Schema& schema) {
  std::vector<TableIds> ids;
  const std::string statement = IdsStatement(schema);
  if (statement.empty()) {
    return Error{Code::kPermissionDenied, "no right to a sequence, nor to a column id", "", false};
  }
  const auto row = connection.Query("ids", statement);
  if (!row.ok()) return row.error();
  size_t column = 0;
  for (const Sequence& sequence : schema.sequences) {
    const bool rows = schema.Reads(sequence.table, {sequence.column}).ok();
    if (!sequence.readable && !rows) continue;
    ids.push_back(
        {sequence.table, row->Int(column++).value_or(0), sequence.max, !sequence.readable});
  }
  return ids;
}

Result<std::vector<TableRows>> ReadRows(pg::Connection& connection, const Schema& schema) {
  const auto estimates = connection.Query("estimates of rows", RowsStatement(schema));
  if (!estimates.ok()) return estimates.error();
  std::vector<TableRows> found;
  // The counters begin anew with a crash, and stay at 0 on a standby; what the planner keeps is as
  // old as the last vacuum. A small number of either is no news of a small table.
  std::vector<TableRows> doubtful;
  estimates->ForEach([&](const pg::Row& row) {
    const std::string table = row.TextOr(0, "");
    const double planned = row.Double(1).value_or(0);
    const double counted = row.Double(2).value_or(0);
    if (counted >= static_cast<double>(kFewRows)) {
      found.push_back({table, counted});
    } else if (schema.Reads(table, {"id"}).ok()) {
      doubtful.push_back({table, std::max(counted, planned)});
    } else if (counted > 0) {
      found.push_back({table, counted});
    }
  });
  if (doubtful.empty()) return found;
  const auto few = connection.Query("numbers of rows", FewRowsStatement(schema, doubtful));
  if (!few.ok()) return few.error();
  for (size_t i = 0; i < doubtful.size(); ++i) {
    const auto exact = static_cast<double>(few->Int(i).value_or(0));
    const bool all = exact < static_cast<double>(kFewRows);
    found.push_back({doubtful[i].table, all ? exact : std::max(doubtful[i].rows, exact)});
  }
  return found;
}

Result<Followed> ReadFollowed(pg::Connection& connection, const Schema& schema,
                              const FollowRequest& request, const NodeSummary& look) {
  const Status reads_events = schema.Reads(kEntryEventsTable, {"id", "entry_id", "created_at"});
  if (!reads_events.ok()) return reads_events.error();
  const Status reads_rows = schema.Reads(kEntriesTable, {"id", "entry_id", "created_at"});
  if (!reads_rows.ok()) return reads_rows.error();
  if (!look.entries.ok()) return look.entries.error();
  if (!look.entry_events.ok()) return look.entry_events.error();
  Followed followed;
  if (!request.after_event) return followed;
  // Rows first: an event that comes in between is then early and not missing. Where nothing is new
  // nothing is asked.
  if (look.entries->newest_row.value_or(0) > request.after_row.value_or(0)) {
    const auto rows =
        connection.Query("new entries", FollowRowsStatement(schema, request.after_row.value_or(0)));
    if (!rows.ok()) return rows.error();
    rows->ForEach([&](const pg::Row& row) {
      if (const auto id = row.Int(0)) followed.rows.push_back({*id, row.TextOr(1, "")});
    });
  }
  if (look.entry_events->newest.value_or(0) <= *request.after_event && request.gaps.empty() &&
      followed.rows.empty()) {
    return followed;
  }
  const auto events = connection.Query("events of entries", FollowEventsStatement(schema, request));
  if (!events.ok()) return events.error();
  events->ForEach([&](const pg::Row& row) {
    if (const auto id = row.Int(0)) {
      followed.events.push_back({*id, row.TextOr(1, ""), row.Int(2), row.Bool(3).value_or(false)});
    }
  });
  return followed;
}

NodeSummary Nothing(NodeSummary summary, const Error& error) {
  summary.entry_events = error;
  summary.agent_events = error;
  summary.versions = error;
  summary.agents = error;
  summary.first_agents = error;
  summary.entries = error;
  summary.ids = error;
  summary.rows = error;
  summary.followed = error;
  return summary;
}

}  // namespace

std::string LookStatement(const Schema& schema, std::span<const std::string_view> tables) {
  std::string columns = "SELECT pg_is_in_recovery(), " + Epoch("clock_timestamp()");
  std::string from = " FROM (VALUES (1)) AS v";
  for (size_t i = 0; i < tables.size(); ++i) {
    const EventColumns of = ColumnsOfEvents(schema, tables[i], "n" + std::to_string(i));
    columns += ", " + of.columns;
    from += of.from;
  }
  return columns + from;
}

std::string EventIdsStatement(const Schema& schema, std::string_view table) {
  const EventColumns of = ColumnsOfEvents(schema, table, "n");
  return "SELECT " + of.columns + " FROM (VALUES (1)) AS v" + of.from;
}

std::string VersionsStatement(const Schema& schema) {
  return "SELECT version, " + schema.ColumnOrNull("migrations", "code_version") + " FROM " +
         schema.Qualified("migrations") + " LIMIT 1";
}

std::string AgentExpiriesStatement(const Schema& schema) {
  const std::string name = schema.Qualified(kAgentsTable);
  return "SELECT (SELECT " + Epoch("min(expires_at)") + " FROM " + name +
         " WHERE expires_at >= now()), (SELECT " + Epoch("min(expires_at)") + " FROM " + name +
         "), (SELECT " + Epoch("max(expires_at)") + " FROM " + name + ")";
}

// Bans are in no index: the rows are looked at in the order of the index until there are enough.
std::string FirstAgentsStatement(const Schema& schema) {
  const std::string from = " FROM " + schema.Qualified(kAgentsTable) + " WHERE serial_number <> ''";
  const std::string first = " ORDER BY expires_at LIMIT " + std::to_string(kFirstAgents);
  const std::string seconds = "SELECT floor(date_part('epoch', expires_at))::bigint";
  if (!schema.Reads(kAgentsTable, {"updated_at"}).ok()) {
    return seconds + from + " AND expires_at >= now()" + first;
  }
  const std::string share = std::to_string(kOverdueShare) + " * ";
  // `since`: the last renewal, which stands still with SPIRE. `cut`: what was then due to end.
  const std::string renewals =
      "WITH newest AS (SELECT least(max(updated_at), now()) AS since, percentile_disc(0.9) WITHIN"
      " GROUP (ORDER BY expires_at - updated_at) AS life FROM (SELECT expires_at, updated_at" +
      from + " ORDER BY expires_at DESC LIMIT " + std::to_string(kNewestAgents) +
      ") AS n), due AS (SELECT CASE WHEN life >= '1 second' THEN since ELSE now() END AS since,"
      " CASE WHEN life >= '1 second' THEN since + " +
      share + "life ELSE now() END AS cut FROM newest) ";
  // A life that the end of a CA cut short is judged by its own length. No upper bound inside: all
  // rows below it would be read and sorted.
  const std::string brief =
      "(SELECT expires_at FROM (SELECT expires_at, updated_at" + from +
      " AND expires_at >= (SELECT since FROM due) ORDER BY expires_at LIMIT " +
      std::to_string(kBriefAgents) +
      ") AS b WHERE expires_at < (SELECT cut FROM due)"
      " AND expires_at - (SELECT since FROM due) >= " +
      share + "(expires_at - updated_at))";
  return renewals + seconds + " FROM (" + brief + " UNION ALL (SELECT expires_at" + from +
         " AND expires_at >= (SELECT cut FROM due)" + first + ")) AS f" + first;
}

std::string EntryLookStatement(const Schema& schema) {
  const std::string name = schema.Qualified(kEntriesTable);
  // SPIRE's own `expiry <> 0 AND expiry < now` walks the whole index of zeros: 326 ms.
  return "SELECT (SELECT max(id) FROM " + name + "), (SELECT count(*) FROM (SELECT FROM " + name +
         " WHERE expiry > 0 AND expiry < date_part('epoch', now())::bigint LIMIT " +
         std::to_string(kExpiredMax) + ") AS e)";
}

std::string IdsStatement(const Schema& schema) {
  std::string columns;
  for (const Sequence& sequence : schema.sequences) {
    std::string column;
    if (sequence.readable) {
      column = "pg_sequence_last_value(" + std::to_string(sequence.oid) + ")";
    } else if (schema.Reads(sequence.table, {sequence.column}).ok()) {
      column = "(SELECT max(" + pg::QuotedName(sequence.column) + ") FROM " +
               schema.Qualified(sequence.table) + ")";
    } else {
      continue;
    }
    columns += (columns.empty() ? "SELECT " : ", ") + column;
  }
  return columns;
}

std::string RowsStatement(const Schema& schema) {
  std::string oids;
  for (const auto& [name, table] : schema.tables) {
    oids += (oids.empty() ? "" : ", ") + std::to_string(table.oid);
  }
  return "SELECT relname, reltuples, pg_stat_get_live_tuples(oid) FROM pg_class WHERE oid IN (" +
         oids + ")";
}

std::string FewRowsStatement(const Schema& schema, std::span<const TableRows> tables) {
  std::string columns;
  for (const TableRows& each : tables) {
    // In the order of the key, so that its index is read and nothing else.
    columns += std::string(columns.empty() ? "SELECT " : ", ") +
               "(SELECT count(*) FROM (SELECT id FROM " + schema.Qualified(each.table) +
               " ORDER BY id LIMIT " + std::to_string(kFewRows) + ") AS few)";
  }
  return columns;
}

std::string FollowEventsStatement(const Schema& schema, const FollowRequest& request) {
  const std::string events = schema.Qualified(kEntryEventsTable);
  const std::string after = std::to_string(request.after_event.value_or(0));
  std::string taken = "(SELECT id, entry_id, created_at FROM " + events + " WHERE id > " + after +
                      " ORDER BY id LIMIT " + std::to_string(EventFollower::kBatch) + ")";
  if (!request.gaps.empty()) {
    std::string gaps;
    for (const int64_t id : request.gaps) gaps += (gaps.empty() ? "" : ", ") + std::to_string(id);
    taken +=
        " UNION ALL SELECT id, entry_id, created_at FROM " + events + " WHERE id IN (" + gaps + ")";
  }
  return "SELECT e.id, e.entry_id, r.id, r.created_at >= e.created_at - interval '2 seconds'"
         " FROM (" +
         taken + ") AS e LEFT JOIN " + schema.Qualified(kEntriesTable) +
         " AS r ON r.entry_id = e.entry_id ORDER BY e.id";
}

std::string FollowRowsStatement(const Schema& schema, int64_t after) {
  return "SELECT id, entry_id FROM " + schema.Qualified(kEntriesTable) + " WHERE id > " +
         std::to_string(after) + " ORDER BY id LIMIT " + std::to_string(EventFollower::kBatch);
}

Result<NodeSummary> ReadSummary(pg::Connection& connection, std::shared_ptr<const Schema> schema,
                                const FollowRequest& request) {
  NodeSummary summary;
  if (schema == nullptr) {
    auto read = ReadSchema(connection);
    if (!read.ok() && read.error().code != Code::kNotFound) return std::move(read).error();
    if (!read.ok()) {
      const Status look = ReadLook(connection, Schema(), summary);
      return look.ok() ? Result<NodeSummary>(Nothing(std::move(summary), read.error()))
                       : Result<NodeSummary>(look.error());
    }
    schema = std::make_shared<const Schema>(*std::move(read));
  }
  summary.schema = schema;
  // First, so that all nodes are asked at the same time.
  if (const Status look = ReadLook(connection, *schema, summary); !look.ok()) return look.error();
  if (summary.in_recovery) return summary;
  summary.entries = ReadEntryLook(connection, *schema);
  summary.followed = ReadFollowed(connection, *schema, request, summary);
  summary.agents = ReadAgentExpiries(connection, *schema);
  summary.first_agents = ReadFirstAgents(connection, *schema);
  summary.versions = ReadVersions(connection, *schema);
  summary.ids = ReadIds(connection, *schema);
  summary.rows = ReadRows(connection, *schema);
  return summary;
}

}  // namespace spire_exporter::datastore
