// Where SPIRE's tables are, and what of them this role may read.
#ifndef COLLECTORS_DATASTORE_SCHEMA_H_
#define COLLECTORS_DATASTORE_SCHEMA_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/postgres/connection.h"
#include "exporter/base/result.h"

namespace spire_exporter::datastore {

// SPIRE's tables, of any version; the values of the label `table`.
inline constexpr std::array<std::string_view, 13> kTableNames = {"attested_node_entries",
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
                                                                 "selectors"};

// Those that are read by name.
inline constexpr std::string_view kEntriesTable = "registered_entries";
inline constexpr std::string_view kEntryEventsTable = "registered_entries_events";
inline constexpr std::string_view kAgentsTable = "attested_node_entries";
inline constexpr std::string_view kAgentEventsTable = "attested_node_entries_events";
inline constexpr std::string_view kJournalsTable = "ca_journals";
inline constexpr std::string_view kAgentSelectorsTable = "node_resolver_map_entries";

// The schema of the functions of level 2 (definer_functions.h); nobody else's.
inline constexpr std::string_view kFunctionSchema = "spire_exporter";

// The same, quoted, as a statement lists them.
std::string TableList();

struct Table {
  int64_t oid = 0;
  std::map<std::string, bool, std::less<>> columns;  // name -> whether it may be read
};

// The counter behind a table's ids.
struct Sequence {
  int64_t oid = 0;
  std::string table;
  std::string column;
  int64_t max = 0;        // of the sequence or of the column's type, whichever is less
  bool readable = false;  // else its position is not known
};

// SPIRE changes its tables with its versions (schema 22 to 25 so far), so statements are made from
// the columns that are there. Value type.
struct Schema {
  std::string name;
  std::map<std::string, Table, std::less<>> tables;
  std::vector<Sequence> sequences;
  // Those of level 2 that may be called (definer_functions.h).
  std::set<std::string, std::less<>> functions;

  // The name as a statement has it, "public"."bundles".
  std::string Qualified(std::string_view table) const;
  bool Has(std::string_view table, std::string_view column) const;
  // Whether the columns may be read: kNotFound when the table or one of them is not there,
  // kPermissionDenied names those that may not be.
  Status Reads(std::string_view table, std::initializer_list<std::string_view> columns) const;
  // The column, or NULL where it is not there or may not be read.
  std::string ColumnOrNull(std::string_view table, std::string_view column) const;
  // How to ask for what `statement` gives, which needs what `reads` says: the statement itself, or
  // where a right is missing a call of the function that gives the same; else the error of `reads`.
  Result<std::string> Ask(const Status& reads, std::string statement,
                          std::string_view function) const;
};

// Three look-ups in the catalogue, 2 ms. SPIRE's schema is the one with both registered_entries and
// migrations, `public` before others. kNotFound when there is none: an empty database, or another
// one's.
Result<Schema> ReadSchema(pg::Connection& connection);

// The one row of a statement that reads much: through a cursor, for which PostgreSQL starts no
// parallel workers, so that it takes no more than one of the server's processors.
Result<pg::Rows> QueryHeavy(pg::Connection& connection, std::string_view what,
                            const std::string& statement);

// What a failure means for what was to be read, as the state families say it.
//   ok, no_table, no_right, locked (somebody holds a lock on it, or recovery cancelled us),
//   timeout, unreachable, failed
std::string_view StateOf(const Status& status);
// Whether trying again may help. Missing tables and rights are a state of things, said as such.
bool MayPass(const Status& status);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_SCHEMA_H_
