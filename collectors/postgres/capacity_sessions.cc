#include "collectors/postgres/capacity_sessions.h"

#include <algorithm>

#include "collectors/postgres/statistics_gates.h"

namespace spire_exporter::postgres {
namespace {

// The function behind pg_stat_activity and pg_stat_ssl, once instead of once for each and without
// the joins for names; its columns are the same from 12 to 18.
std::string SessionsStatement(const StatisticsScope& scope, Duration long_transaction,
                              bool reserved) {
  const std::string database = std::to_string(scope.database);
  const std::string threshold = std::to_string(Seconds(long_transaction));
  return "SELECT kind, state, in_database, CASE WHEN spires THEN usesysid END, "
         "spires AND client_addr IS NOT NULL AND ssl IS NOT TRUE AND gss_enc IS NOT TRUE, "
         "CASE WHEN spires THEN host(client_addr) END, count(*), "
         "count(*) FILTER (WHERE theirs AND extract(epoch FROM clock_timestamp() - xact_start) > " +
         threshold +
         "), max(extract(epoch FROM clock_timestamp() - xact_start)::float8) FILTER (WHERE "
         "theirs), "
         "max(extract(epoch FROM clock_timestamp() - state_change)::float8) FILTER (WHERE theirs "
         "AND state LIKE 'idle in transaction%'), max(age(backend_xmin)) FILTER (WHERE theirs), "
         "current_setting('max_connections')::int, "
         "current_setting('superuser_reserved_connections')::int" +
         (reserved ? " + current_setting('reserved_connections')::int" : "") +
         " FROM (SELECT *, pid <> pg_backend_pid() AS theirs, datid IS NOT DISTINCT FROM " +
         database + "::oid AS in_database, coalesce(usesysid IN (" + RoleList(scope) +
         ") AND datid = " + database +
         " AND application_name <> current_setting('application_name'), false) AS spires, "
         "CASE WHEN backend_type IN ('client backend', 'walsender', 'autovacuum worker') "
         "THEN backend_type WHEN backend_type IS NOT NULL THEN 'other' "
         "WHEN datid IS NOT NULL AND usesysid IS NOT NULL THEN 'hidden' ELSE 'hidden_other' END "
         "AS kind FROM pg_stat_get_activity(NULL)) s GROUP BY 1, 2, 3, 4, 5, 6";
}

SessionState StateOf(const SessionGroup& group) {
  if (group.kind == "hidden" || !group.state) return SessionState::kHidden;
  if (*group.state == "active") return SessionState::kActive;
  if (*group.state == "idle") return SessionState::kIdle;
  if (group.state->starts_with("idle in transaction")) return SessionState::kIdleInTransaction;
  return SessionState::kOther;
}

template <typename T>
void Raise(T& value, const std::optional<T>& candidate) {
  if (candidate) value = std::max(value, *candidate);
}

}  // namespace

Result<SessionsReading> ReadSessions(pg::Connection& connection, const StatisticsScope& scope,
                                     Duration long_transaction) {
  const auto rows = connection.Query(
      "sessions",
      SessionsStatement(scope, long_transaction, Has(connection, Gate::kReservedConnections)));
  if (!rows.ok()) return rows.error();
  SessionsReading reading;
  rows->ForEach([&](const pg::Row& row) {
    SessionGroup group;
    group.kind = row.TextOr(0, "");
    if (const auto state = row.Text(1)) group.state = std::string(*state);
    group.in_database = row.Bool(2).value_or(false);
    group.spire_role = row.Int(3);
    group.plaintext = row.Bool(4).value_or(false);
    group.address = row.TextOr(5, "");
    group.count = row.Int(6).value_or(0);
    group.long_transactions = row.Int(7).value_or(0);
    group.transaction_seconds = row.Double(8);
    group.idle_seconds = row.Double(9);
    group.xmin_age = row.Int(10);
    reading.connections_limit = row.Int(11).value_or(0);
    reading.reserved = row.Int(12).value_or(0);
    reading.groups.push_back(std::move(group));
  });
  return reading;
}

Result<TransactionsReading> ReadTransactions(pg::Connection& connection) {
  const auto rows = connection.Query(
      "prepared transactions and slots",
      "SELECT p.*, (SELECT max(greatest(age(xmin), age(catalog_xmin))) FROM pg_replication_slots) "
      "FROM (SELECT count(*), extract(epoch FROM clock_timestamp() - min(prepared))::float8, "
      "max(age(transaction)) FROM pg_prepared_xact()) p");
  if (!rows.ok()) return rows.error();
  TransactionsReading reading;
  reading.prepared = rows->Int(0).value_or(0);
  reading.prepared_seconds = rows->Double(1);
  reading.prepared_xmin_age = rows->Int(2);
  reading.slot_xmin_age = rows->Int(3);
  return reading;
}

SessionSummary Summarize(const SessionsReading& reading, const StatisticsScope& scope) {
  SessionSummary summary;
  int64_t clients = 0;
  int64_t in_database = 0;
  std::map<int64_t, int64_t> by_role;
  for (const SessionGroup& group : reading.groups) {
    const bool client = group.kind == "client backend" || group.kind == "hidden";
    const bool hidden = group.kind.starts_with("hidden");
    if (hidden) summary.hidden += group.count;
    const bool sends = group.kind == "walsender" || group.kind == "hidden_other";
    // What vacuum sees holds nothing back.
    if (group.kind != "autovacuum worker") {
      Raise(sends ? summary.feedback_xmin_age : summary.backend_xmin_age, group.xmin_age);
    }
    if (!client) continue;
    clients += group.count;
    if (group.in_database) in_database += group.count;
    const auto state = static_cast<size_t>(StateOf(group));
    summary.connections[state] += group.count;
    summary.long_transactions += group.long_transactions;
    Raise(summary.transaction_seconds, group.transaction_seconds);
    Raise(summary.idle_seconds, group.idle_seconds);
    if (!group.spire_role) continue;
    by_role[*group.spire_role] += group.count;
    summary.spires[state] += group.count;
    if (hidden) {
      summary.spires_hidden += group.count;
    } else {
      summary.clients.insert(group.address);
    }
    if (group.plaintext) summary.plaintext += group.count;
    const StatisticsScope::Role* role = scope.FindRole(group.spire_role);
    if (role != nullptr && role->superuser) summary.superuser += group.count;
  }
  int64_t available = reading.connections_limit - reading.reserved - clients;
  if (scope.database_limit) available = std::min(available, *scope.database_limit - in_database);
  if (!scope.roles.empty()) {
    // The role with most room, as SPIRE needs one that lets it in.
    std::optional<int64_t> room;
    bool unlimited = false;
    for (const StatisticsScope::Role& role : scope.roles) {
      if (!role.limit) {
        unlimited = true;
      } else {
        room = std::max(room.value_or(0), *role.limit - by_role[role.oid]);
      }
    }
    if (!unlimited && room) available = std::min(available, *room);
  }
  summary.available = std::max<int64_t>(available, 0);
  return summary;
}

}  // namespace spire_exporter::postgres
