#include "collectors/postgres/statistics_scope.h"

#include <algorithm>
#include <iterator>

namespace spire_exporter::postgres {
namespace {

std::string_view KnownTable(std::string_view name) {
  const auto* at = std::lower_bound(std::begin(kSpireTables), std::end(kSpireTables), name);
  return at != std::end(kSpireTables) && *at == name ? *at : std::string_view();
}

std::string TableNames() {
  std::string names;
  for (const std::string_view table : kSpireTables) {
    names += (names.empty() ? "" : ", ") + pg::Quoted(table);
  }
  return names;
}

struct Tables {
  std::map<int64_t, std::string_view> tables;
  std::optional<int64_t> owner;  // of registered_entries
};

Result<Tables> ReadTables(pg::Connection& connection) {
  const auto rows = connection.Query(
      "SPIRE's tables",
      "SELECT c.oid, c.relname, c.relowner, n.nspname FROM pg_class c "
      "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') "
      "AND n.nspname !~ '^(pg_|information_schema$)' AND c.relname IN (" +
          TableNames() + ") ORDER BY n.nspname <> 'public', n.nspname");
  if (!rows.ok()) return rows.error();
  std::optional<std::string> schema;
  rows->ForEach([&](const pg::Row& row) {
    if (!schema && row.Text(1) == "registered_entries") schema = row.TextOr(3, "");
  });
  Tables found;
  rows->ForEach([&](const pg::Row& row) {
    const auto oid = row.Int(0);
    const std::string_view name = KnownTable(row.TextOr(1, ""));
    if (!schema || row.Text(3) != *schema || !oid || name.empty()) return;
    found.tables[*oid] = name;
    if (name == "registered_entries") found.owner = row.Int(2);
  });
  return found;
}

// PostgreSQL's -1 is no limit.
std::optional<int64_t> Limit(std::optional<int64_t> value) {
  return value && *value >= 0 ? value : std::nullopt;
}

std::string WhichRoles(const std::vector<std::string>& names, std::optional<int64_t> owner) {
  if (!names.empty()) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + pg::Quoted(name);
    return "r.rolname IN (" + list + ")";
  }
  if (!owner) return "false";
  const std::string oid = std::to_string(*owner);
  return "(r.oid = " + oid +
         " OR (r.rolcanlogin AND r.oid IN (SELECT m.member FROM pg_auth_members m "
         "JOIN pg_roles o ON o.oid = m.roleid WHERE o.oid = " +
         oid + " AND NOT o.rolcanlogin)))";
}

}  // namespace

const StatisticsScope::Role* StatisticsScope::FindRole(std::optional<int64_t> oid) const {
  for (const Role& role : roles) {
    if (oid == role.oid) return &role;
  }
  return nullptr;
}

Result<StatisticsScope> ReadScope(pg::Connection& connection,
                                  const std::vector<std::string>& role_names) {
  auto tables = ReadTables(connection);
  if (!tables.ok()) return std::move(tables).error();
  const auto rows = connection.Query(
      "SPIRE's roles",
      "SELECT d.oid, d.datconnlimit, r.oid, r.rolsuper, r.rolconnlimit FROM pg_database d "
      "LEFT JOIN pg_roles r ON " +
          WhichRoles(role_names, tables->owner) +
          " WHERE d.datname = current_database() ORDER BY r.oid LIMIT 100");
  if (!rows.ok()) return rows.error();
  StatisticsScope scope;
  scope.tables = std::move(tables->tables);
  scope.database = rows->Int(0).value_or(0);
  scope.database_limit = Limit(rows->Int(1));
  rows->ForEach([&](const pg::Row& row) {
    if (const auto oid = row.Int(2)) {
      scope.roles.push_back({*oid, row.Bool(3).value_or(false), Limit(row.Int(4))});
    }
  });
  return scope;
}

std::string OidList(const std::vector<int64_t>& oids) {
  std::string list;
  for (const int64_t oid : oids) list += (list.empty() ? "" : ", ") + std::to_string(oid);
  return list.empty() ? "NULL" : list;
}

std::string RoleList(const StatisticsScope& scope) {
  std::vector<int64_t> oids;
  for (const StatisticsScope::Role& role : scope.roles) oids.push_back(role.oid);
  return OidList(oids);
}

std::string TableList(const StatisticsScope& scope) {
  std::vector<int64_t> oids;
  for (const auto& [oid, name] : scope.tables) oids.push_back(oid);
  return OidList(oids);
}

}  // namespace spire_exporter::postgres
