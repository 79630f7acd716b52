// The database's nodes in `spire-exporter check`: are they there, are they what they should be, and
// is our role the right one.
#ifndef COLLECTORS_POSTGRES_NODE_CHECK_H_
#define COLLECTORS_POSTGRES_NODE_CHECK_H_

#include <optional>
#include <string>
#include <vector>

#include "collectors/clients/postgres/connection.h"
#include "collectors/clients/postgres/node_set.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "exporter/collect/module.h"

namespace spire_exporter::postgres {

// The versions of PostgreSQL whose statistics are known.
inline constexpr int kOldestMajor = 12;
inline constexpr int kNewestMajor = 18;

// What one node says of itself and of us. Value type.
struct NodeLook {
  int version = 0;  // 150018
  bool in_recovery = false;
  std::string database;
  std::string role;                 // that we are
  std::vector<std::string> powers;  // of the role, that a watcher should not have: SUPERUSER
  bool reads_statistics = false;    // pg_read_all_stats holds without SET ROLE
  std::optional<std::string> tls;   // `TLSv1.3`; nothing when the connection is in the clear
  bool local = false;               // by a unix socket or over the loopback
  // The node's clock less ours, known to within half of the time that the asking took.
  double clock_ahead = 0;  // seconds
  double clock_known_to = 0;
};

// One statement. `clock` is kept until the statement has come back, however late.
Result<NodeLook> LookAtNode(pg::Connection& connection, const Clock& clock);

// In words, a line for what is well and one for each thing that is not.
std::vector<CheckLine> JudgeNode(const pg::Node& node, const NodeLook& look);
// Why a node could not be asked, and what mends it.
CheckLine Unreachable(const std::string& subject, const Error& error);

// Asks all nodes that there are. `nodes` was configured with the options to check.
std::vector<CheckLine> CheckNodes(pg::NodeSet& nodes, const Clock& clock, const Deadline& deadline);

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_NODE_CHECK_H_
