#include "collectors/datastore/survey_read.h"

#include <algorithm>
#include <utility>

namespace spire_exporter::datastore {
namespace {}  // namespace

std::string AgentTtlStatement(const Schema& schema) {
  return "SELECT date_part('epoch', now())::bigint, percentile_disc(0.9) WITHIN GROUP (ORDER BY t),"
         " floor(max(u))::bigint FROM (SELECT date_part('epoch', expires_at - updated_at) AS t,"
         " date_part('epoch', updated_at) AS u FROM " +
         schema.Qualified(kAgentsTable) +
         " WHERE serial_number <> '' ORDER BY expires_at DESC LIMIT 256)"
         " AS s";
}

std::string AgentsStatement(const Schema& schema, std::optional<int64_t> renewed) {
  const std::string lapsed = "now() - interval '10 minutes'";
  return "SELECT date_part('epoch', expires_at)::bigint, " +
         schema.ColumnOrNull(kAgentsTable, "data_type") + ", " +
         schema.ColumnOrNull(kAgentsTable, "agent_version") + ", " +
         schema.ColumnOrNull(kAgentsTable, "spiffe_id") + " FROM " +
         schema.Qualified(kAgentsTable) + " WHERE expires_at >= " +
         (renewed ? "least(" + lapsed + ", to_timestamp(" + std::to_string(*renewed) + "))"
                  : lapsed) +
         " AND serial_number <> ''";
}

// Times are worked out once, in scalar subqueries: in the filters they would be for every row.
std::string AgentTotalsStatement(const Schema& schema) {
  const bool prunable = schema.Reads(kAgentsTable, {"can_reattest"}).ok();
  const auto expired = [](const std::string& age, const std::string& rest) {
    return ", count(*) FILTER (WHERE expires_at < (SELECT now() - interval '" + age +
           "') AND serial_number <> ''" + rest + ")";
  };
  std::string statement =
      "SELECT count(*), count(*) FILTER (WHERE serial_number = '')" + expired("10 minutes", "");
  for (const char* const age : {"1 day", "7 days", "30 days"}) {
    statement += prunable ? expired(age, " AND can_reattest") : ", NULL";
  }
  return statement + " FROM " + schema.Qualified(kAgentsTable);
}

std::string EntryTotalsStatement(const Schema& schema) {
  return "SELECT count(*), count(*) FILTER (WHERE admin), count(*) FILTER (WHERE downstream),"
         " count(*) FILTER (WHERE store_svid), count(*) FILTER (WHERE expiry > 0) FROM " +
         schema.Qualified(kEntriesTable);
}

// Alone: with the flags beside it, their text would cost three times as much.
std::string EntryIdsStatement(const Schema& schema) {
  return "SELECT spiffe_id FROM " + schema.Qualified(kEntriesTable);
}

std::string ParentsStatement(const Schema& schema) {
  return "SELECT n, count(*) FROM (SELECT count(*) AS n FROM " + schema.Qualified(kEntriesTable) +
         " GROUP BY parent_id) AS p GROUP BY n";
}

Result<AgentTtl> ReadAgentTtl(pg::Connection& connection, const Schema& schema) {
  const Status reads = schema.Reads(kAgentsTable, {"expires_at", "updated_at", "serial_number"});
  if (!reads.ok()) return reads.error();
  const auto row = connection.Query("the lifetime of agents", AgentTtlStatement(schema));
  if (!row.ok()) return row.error();
  AgentTtl ttl{row->Int(0).value_or(0), row->Double(1), row->Int(2)};
  // Rows that somebody touched afterwards, or wrote by hand.
  if (ttl.seconds && !(*ttl.seconds >= 1)) ttl.seconds.reset();
  return ttl;
}

Result<AgentCounts> ReadAgents(pg::Connection& connection, const Schema& schema,
                               const AgentTtl& ttl,
                               std::shared_ptr<const spiffe::ClassMap> classes) {
  const Status reads = schema.Reads(kAgentsTable, {"expires_at", "serial_number"});
  if (!reads.ok()) return reads.error();
  AgentTally tally(std::move(classes), ttl.now, ttl.seconds, ttl.renewed);
  const Status streamed =
      connection.Stream("agents", AgentsStatement(schema, ttl.renewed), [&](const pg::Row& row) {
        if (const auto expiry = row.Int(0)) {
          tally.Add(*expiry, row.Text(1).value_or(""), row.Text(2).value_or(""),
                    row.Text(3).value_or(""));
        }
      });
  if (!streamed.ok()) return streamed.error();
  return tally.Finish();
}

Result<AgentTotals> ReadAgentTotals(pg::Connection& connection, const Schema& schema) {
  const auto ask = schema.Ask(schema.Reads(kAgentsTable, {"expires_at", "serial_number"}),
                              AgentTotalsStatement(schema), "agent_totals");
  if (!ask.ok()) return ask.error();
  const auto row = QueryHeavy(connection, "counts of agents", *ask);
  if (!row.ok()) return row.error();
  AgentTotals totals{row->Int(0).value_or(0), row->Int(1).value_or(0), row->Int(2).value_or(0), {}};
  size_t column = 3;
  for (const std::string_view age : {"1d", "7d", "30d"}) {
    if (const auto count = row->Int(column++)) totals.prunable.emplace_back(age, *count);
  }
  return totals;
}

Result<EntryTotals> ReadEntryTotals(pg::Connection& connection, const Schema& schema) {
  const auto ask =
      schema.Ask(schema.Reads(kEntriesTable, {"admin", "downstream", "store_svid", "expiry"}),
                 EntryTotalsStatement(schema), "entry_totals");
  if (!ask.ok()) return ask.error();
  const auto row = QueryHeavy(connection, "counts of entries", *ask);
  if (!row.ok()) return row.error();
  return EntryTotals{row->Int(0).value_or(0), row->Int(1).value_or(0), row->Int(2).value_or(0),
                     row->Int(3).value_or(0), row->Int(4).value_or(0)};
}

Result<std::vector<uint64_t>> ReadEntryClasses(pg::Connection& connection, const Schema& schema,
                                               const spiffe::ClassMap& classes) {
  const Status reads = schema.Reads(kEntriesTable, {"spiffe_id"});
  if (!reads.ok()) return reads.error();
  std::vector<uint64_t> counts(classes.names().size());
  const Status streamed = connection.Stream(
      "SPIFFE IDs of entries", EntryIdsStatement(schema),
      [&](const pg::Row& row) { ++counts[classes.Find(row.Text(0).value_or(""))]; });
  if (!streamed.ok()) return streamed.error();
  return counts;
}

Result<EntriesPerParent> ReadEntriesPerParent(pg::Connection& connection, const Schema& schema) {
  const Status reads = schema.Reads(kEntriesTable, {"parent_id"});
  if (!reads.ok()) return reads.error();
  static constexpr int kSchema = 2;
  NativeHistogram histogram(
      *HistogramLayout::Make(kSchema, {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10'000}));
  std::optional<double> min, max;
  const Status streamed =
      connection.Stream("entries by parent", ParentsStatement(schema), [&](const pg::Row& row) {
        const auto entries = row.Double(0);
        const auto parents = row.Int(1);
        if (!entries || !parents || *parents < 0) return;
        histogram.Observe(*entries, static_cast<uint64_t>(*parents));
        min = std::min(min.value_or(*entries), *entries);
        max = std::max(max.value_or(*entries), *entries);
      });
  if (!streamed.ok()) return streamed.error();
  return EntriesPerParent{{histogram.Snapshot(), min, max}};
}

}  // namespace spire_exporter::datastore
