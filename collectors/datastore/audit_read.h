// Tier 3: what the elected reader asks every hour, whole tables held against each other.
#ifndef COLLECTORS_DATASTORE_AUDIT_READ_H_
#define COLLECTORS_DATASTORE_AUDIT_READ_H_

#include <cstdint>
#include <string>

#include "collectors/clients/postgres/connection.h"
#include "collectors/datastore/schema.h"
#include "exporter/base/result.h"

namespace spire_exporter::datastore {

// Entries whose parent is no agent, no alias (another entry's SPIFFE ID) and no server: nobody gets
// them.
struct Orphans {
  int64_t entries = 0;
  int64_t parents = 0;
};

std::string OrphansStatement(const Schema& schema);
std::string SelectorsStatement(const Schema& schema);
std::string WithoutEventStatement(const Schema& schema);

Result<Orphans> ReadOrphans(pg::Connection& connection, const Schema& schema);
// Selectors of agents that have no row any more (spiffe/spire#3919).
Result<int64_t> ReadOrphanedSelectors(pg::Connection& connection, const Schema& schema);
// Entries that were written while events were kept, and that no event names: not SPIRE's doing.
// Events are pruned after a time that SPIRE alone knows, so that only what was written since the
// oldest of them can be judged, and for the last minute not yet. When there is no event at all it
// is the last ten minutes. A row without the times that SPIRE always writes counts.
Result<int64_t> ReadEntriesWithoutEvent(pg::Connection& connection, const Schema& schema);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_AUDIT_READ_H_
