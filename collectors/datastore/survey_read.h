// Tier 2: what one elected reader asks every ten minutes. Each statement is a job of its own, so
// that others who share the connection get in between.
#ifndef COLLECTORS_DATASTORE_SURVEY_READ_H_
#define COLLECTORS_DATASTORE_SURVEY_READ_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/clients/postgres/connection.h"
#include "collectors/clients/spiffe/class_map.h"
#include "collectors/datastore/agent_tally.h"
#include "collectors/datastore/schema.h"
#include "exporter/base/result.h"
#include "exporter/metrics/gauge_histogram.h"

namespace spire_exporter::datastore {

// The lifetime that agents' SVIDs are issued with is in no table. The 256 agents whose expiries are
// farthest off were renewed last, and a row is written when that happens.
struct AgentTtl {
  int64_t now = 0;  // Unix time of the database
  std::optional<double> seconds;
  std::optional<int64_t> renewed;  // Unix time of the last renewal
};

struct AgentTotals {
  int64_t all = 0;  // rows
  int64_t banned = 0;
  int64_t expired = 0;  // longer ago than ten minutes, not banned
  // What a prune with `expired_for` of a day, a week and thirty days would delete: expired longer
  // ago, not banned, able to attest again. Nothing when can_reattest may not be read.
  std::vector<std::pair<std::string_view, int64_t>> prunable;
};

struct EntryTotals {
  int64_t all = 0;
  int64_t admin = 0;
  int64_t downstream = 0;
  int64_t store_svid = 0;
  int64_t expiring = 0;  // that have an expiry of their own, passed or not
};

struct EntriesPerParent {
  GaugeHistogram entries;  // of each parent that has one
};

std::string AgentTtlStatement(const Schema& schema);
std::string AgentsStatement(const Schema& schema, std::optional<int64_t> renewed);
std::string AgentTotalsStatement(const Schema& schema);
std::string EntryTotalsStatement(const Schema& schema);
std::string EntryIdsStatement(const Schema& schema);
std::string ParentsStatement(const Schema& schema);

Result<AgentTtl> ReadAgentTtl(pg::Connection& connection, const Schema& schema);
// Streams the agents that have not expired for longer than ten minutes, or had not when one last
// renewed: never a table in memory.
Result<AgentCounts> ReadAgents(pg::Connection& connection, const Schema& schema,
                               const AgentTtl& ttl,
                               std::shared_ptr<const spiffe::ClassMap> classes);
Result<AgentTotals> ReadAgentTotals(pg::Connection& connection, const Schema& schema);
Result<EntryTotals> ReadEntryTotals(pg::Connection& connection, const Schema& schema);
// By class, as ClassMap::names(): streams all SPIFFE IDs of entries. For a map that is not trivial.
Result<std::vector<uint64_t>> ReadEntryClasses(pg::Connection& connection, const Schema& schema,
                                               const spiffe::ClassMap& classes);
Result<EntriesPerParent> ReadEntriesPerParent(pg::Connection& connection, const Schema& schema);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_SURVEY_READ_H_
