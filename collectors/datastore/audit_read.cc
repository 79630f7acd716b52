#include "collectors/datastore/audit_read.h"

#include <utility>

namespace spire_exporter::datastore {
namespace {

constexpr std::string_view kEvents = "registered_entries_events";

Status Both(Status one, Status other) {
  return one.ok() ? std::move(other) : std::move(one);
}

}  // namespace

std::string OrphansStatement(const Schema& schema) {
  const std::string entries = schema.Qualified(kEntriesTable);
  return "SELECT COALESCE(sum(n), 0), count(*) FROM (SELECT parent_id, count(*) AS n FROM " +
         entries + " GROUP BY parent_id) AS p WHERE NOT EXISTS (SELECT FROM " +
         schema.Qualified(kAgentsTable) +
         " AS a WHERE a.spiffe_id = p.parent_id) AND NOT EXISTS (SELECT FROM " + entries +
         " AS e WHERE e.spiffe_id = p.parent_id) AND p.parent_id NOT LIKE "
         "'spiffe://%/spire/server'";
}

std::string SelectorsStatement(const Schema& schema) {
  return "SELECT count(*) FROM " + schema.Qualified(kAgentSelectorsTable) +
         " AS r WHERE NOT EXISTS (SELECT FROM " + schema.Qualified(kAgentsTable) +
         " AS a WHERE a.spiffe_id = r.spiffe_id)";
}

std::string WithoutEventStatement(const Schema& schema) {
  const std::string events = schema.Qualified(kEvents);
  return "SELECT count(*) FROM " + schema.Qualified(kEntriesTable) +
         " AS r WHERE (r.updated_at IS NULL OR r.created_at IS NULL OR (r.updated_at > COALESCE("
         "(SELECT created_at + interval '10 seconds' FROM " +
         events +
         " ORDER BY id LIMIT 1), now() - interval '10 minutes')"
         " AND r.updated_at < now() - interval '1 minute')) AND NOT EXISTS (SELECT FROM " +
         events + " AS e WHERE e.entry_id = r.entry_id)";
}

Result<Orphans> ReadOrphans(pg::Connection& connection, const Schema& schema) {
  const auto ask = schema.Ask(Both(schema.Reads(kEntriesTable, {"parent_id", "spiffe_id"}),
                                   schema.Reads(kAgentsTable, {"spiffe_id"})),
                              OrphansStatement(schema), "orphans");
  if (!ask.ok()) return ask.error();
  const auto row = QueryHeavy(connection, "entries without an agent", *ask);
  if (!row.ok()) return row.error();
  return Orphans{row->Int(0).value_or(0), row->Int(1).value_or(0)};
}

Result<int64_t> ReadOrphanedSelectors(pg::Connection& connection, const Schema& schema) {
  const auto ask = schema.Ask(Both(schema.Reads(kAgentSelectorsTable, {"spiffe_id"}),
                                   schema.Reads(kAgentsTable, {"spiffe_id"})),
                              SelectorsStatement(schema), "orphaned_selectors");
  if (!ask.ok()) return ask.error();
  const auto row = QueryHeavy(connection, "selectors without an agent", *ask);
  if (!row.ok()) return row.error();
  return row->Int(0).value_or(0);
}

Result<int64_t> ReadEntriesWithoutEvent(pg::Connection& connection, const Schema& schema) {
  const auto ask =
      schema.Ask(Both(schema.Reads(kEntriesTable, {"entry_id", "created_at", "updated_at"}),
                      schema.Reads(kEvents, {"id", "entry_id", "created_at"})),
                 WithoutEventStatement(schema), "entries_without_event");
  if (!ask.ok()) return ask.error();
  const auto row = QueryHeavy(connection, "entries without an event", *ask);
  if (!row.ok()) return row.error();
  return row->Int(0).value_or(0);
}

}  // namespace spire_exporter::datastore
