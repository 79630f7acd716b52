// `spire-exporter grants`: the SQL that gives the role of this program its rights at SPIRE's
// database, and takes them away again.
#ifndef COLLECTORS_DATASTORE_GRANTS_H_
#define COLLECTORS_DATASTORE_GRANTS_H_

#include <span>
#include <string>

#include "exporter/base/result.h"
#include "exporter/collect/module.h"

namespace spire_exporter::datastore {

inline constexpr std::string_view kDefaultRole = "spire_exporter";

struct GrantOptions {
  // 1: columns of SPIRE's tables (granted_columns.h). 2: functions alone (definer_functions.h).
  int level = 1;
  std::string role{kDefaultRole};
  std::string owner;              // of the functions of level 2; empty: whoever owns SPIRE's tables
  std::string schema = "public";  // of SPIRE's tables
  int postgres_version = 15;      // 12 to 18; a script runs on newer servers, too
  int connection_limit = 8;       // SPIRE's servers and two
  bool remove = false;
};

// For psql -f -, one transaction: all of it or nothing. It may be run again at any time, gives what
// is there by then, and takes back what the other level or an older version of it gave. It refuses,
// by an error that says why, a role with powers that a watcher must not have and a database without
// SPIRE's tables. The role's password is not its business.
std::string GrantsSql(const GrantOptions& options);

// kInvalidArgument names the flag. Names are limited to what cannot end a literal or a comment.
Result<GrantOptions> ReadGrantOptions(const GrantChoices& choices);

// For the catalogue: flags and text.
std::span<const GrantFlag> GrantFlags();
Result<std::string> GrantsText(const GrantChoices& choices);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_GRANTS_H_
