// What is SPIRE's on a server: its tables and its roles, in the database we are connected to.
#ifndef COLLECTORS_POSTGRES_STATISTICS_SCOPE_H_
#define COLLECTORS_POSTGRES_STATISTICS_SCOPE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/postgres/connection.h"
#include "exporter/base/result.h"

namespace spire_exporter::postgres {

// Every table that a version of SPIRE has had, sorted.
inline constexpr std::string_view kSpireTables[] = {
    "attested_node_entries",
    "attested_node_entries_events",
    "bundles",
    "ca_journals",
    "dns_names",
    "federated_registration_entries",
    "federated_trust_domains",
    "join_tokens",
    "migrations",
    "node_resolver_map_entries",
    "registered_entries",
    "registered_entries_events",
    "selectors",
};

struct StatisticsScope {
  int64_t database = 0;  // oid of ours
  // Connections that the database may have at most; nothing for no limit.
  std::optional<int64_t> database_limit;

  // By oid; the names are those of kSpireTables. Empty in a database that is not SPIRE's.
  std::map<int64_t, std::string_view> tables;

  struct Role {
    int64_t oid = 0;
    bool superuser = false;
    std::optional<int64_t> limit;  // of its connections
  };
  // SPIRE's connections carry no application name: they are known as those of these roles to this
  // database. Empty when it is not known who SPIRE is.
  std::vector<Role> roles;

  const Role* FindRole(std::optional<int64_t> oid) const;
};

// The tables are those in the schema of `registered_entries`, `public` first; the roles are those
// named, else the owner of that table, and when the owner cannot log in, its members. Reads the
// catalogue alone and waits for no lock on a table.
Result<StatisticsScope> ReadScope(pg::Connection& connection,
                                  const std::vector<std::string>& role_names);

// `1, 2` for a list of constants; `NULL`, which nothing equals, for none.
std::string OidList(const std::vector<int64_t>& oids);
std::string RoleList(const StatisticsScope& scope);
std::string TableList(const StatisticsScope& scope);

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_STATISTICS_SCOPE_H_
