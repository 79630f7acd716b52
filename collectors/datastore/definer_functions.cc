#include "collectors/datastore/definer_functions.h"

#include <array>

#include "collectors/datastore/audit_read.h"
#include "collectors/datastore/granted_columns.h"
#include "collectors/datastore/summary_read.h"
#include "collectors/datastore/survey_read.h"

namespace spire_exporter::datastore {
namespace {

constexpr std::string_view kEventColumns =
    "oldest bigint, newest bigint, newest_created double precision, recent bigint";

constexpr std::array kFunctions = {
    DefinerFunction{"agent_events", kEventColumns,
                    [](const Schema& schema) {
                      return EventIdsStatement(schema, "attested_node_entries_events");
                    },
                    "agents' events: ids, age, gaps"},
    DefinerFunction{"agent_expiries",
                    "soonest double precision, oldest double precision, newest double precision",
                    &AgentExpiriesStatement, "when the first and the last agent expires"},
    DefinerFunction{"agent_totals",
                    "agents bigint, banned bigint, expired bigint, prunable_1d bigint, "
                    "prunable_7d bigint, prunable_30d bigint",
                    &AgentTotalsStatement, "agents, counted"},
    DefinerFunction{"entries_without_event", "entries bigint", &WithoutEventStatement,
                    "entries that no event names"},
    DefinerFunction{
        "entry_events", kEventColumns,
        [](const Schema& schema) { return EventIdsStatement(schema, "registered_entries_events"); },
        "entries' events: ids, age, gaps"},
    DefinerFunction{"entry_look", "newest_row bigint, expired bigint", &EntryLookStatement,
                    "the newest entry, and those past their time"},
    DefinerFunction{"entry_totals",
                    "entries bigint, admin bigint, downstream bigint, store_svid bigint, "
                    "expiring bigint",
                    &EntryTotalsStatement, "entries, counted"},
    DefinerFunction{"orphaned_selectors", "selectors bigint", &SelectorsStatement,
                    "selectors of agents that are gone"},
    DefinerFunction{"orphans", "entries bigint, parents bigint", &OrphansStatement,
                    "entries whose parent is gone"},
    DefinerFunction{"versions", "schema_version bigint, code_version text", &VersionsStatement,
                    "versions of the schema and of the newest SPIRE that ran"},
};

// All columns that may be granted, as if they were there and could be read.
Schema FullSchema(const std::string& home) {
  Schema schema;
  schema.name = home;
  for (const GrantedColumn& granted : kGrantedColumns) {
    schema.tables[std::string(granted.table)].columns[std::string(granted.column)] = true;
  }
  return schema;
}

}  // namespace

std::span<const DefinerFunction> DefinerFunctions() {
  return kFunctions;
}

std::string FunctionBody(const DefinerFunction& function, const std::string& home) {
  std::string names, casts;
  for (std::string_view rest = function.columns; !rest.empty();) {
    const std::string_view column = rest.substr(0, rest.find(", "));
    rest.remove_prefix(std::min(column.size() + 2, rest.size()));
    const size_t space = column.find(' ');
    const std::string name(column.substr(0, space));
    names += (names.empty() ? "" : ", ") + name;
    casts += (casts.empty() ? "s." : ", s.") + name + "::" + std::string(column.substr(space + 1));
  }
  return "SELECT " + casts + "\n  FROM (" + function.statement(FullSchema(home)) + ") AS s (" +
         names + ")";
}

}  // namespace spire_exporter::datastore
