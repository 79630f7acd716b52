// What our role may do at SPIRE's tables, for `spire-exporter check`.
#ifndef COLLECTORS_DATASTORE_RIGHTS_H_
#define COLLECTORS_DATASTORE_RIGHTS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/postgres/connection.h"
#include "collectors/clients/postgres/node_set.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "exporter/collect/module.h"

namespace spire_exporter::datastore {

// A column of SPIRE's tables, as this version of SPIRE has them.
struct ColumnRight {
  std::string table;
  std::string column;
  bool readable = false;
};

// As probed on one node; standbys have the rights of their primary. Value type.
struct Rights {
  std::string role;
  std::string database;
  std::string schema;          // of SPIRE's tables; empty when the database has none
  bool schema_usable = false;  // USAGE; without it no table can be named
  std::vector<ColumnRight> columns;
  std::vector<std::string> writable;  // tables that it may change in some way
  size_t sequences = 0;
  size_t sequences_readable = 0;
  size_t sequences_movable = 0;        // nextval or setval: ids can be used up
  std::vector<std::string> functions;  // of level 2, that it may call
};

// Four look-ups in the catalogue, for which nobody needs a right. kNotFound never.
Result<Rights> ProbeRights(pg::Connection& connection);

// In words: one line for what can be read, and one for each thing that is wrong with it: a right
// that is missing and the command that gives it, or one that is more than is needed.
std::vector<CheckLine> JudgeRights(std::string_view node, const Rights& rights);

// Asks all nodes that there are. `nodes` was configured with the options to check; what keeps a
// node from being asked is for the check of the collector `postgres` to explain.
std::vector<CheckLine> CheckRights(pg::NodeSet& nodes, const Deadline& deadline);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_RIGHTS_H_
