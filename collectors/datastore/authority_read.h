// Reads ca_journals and bundles: tables of tens of rows, whose records travel when they changed.
#ifndef COLLECTORS_DATASTORE_AUTHORITY_READ_H_
#define COLLECTORS_DATASTORE_AUTHORITY_READ_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/clients/postgres/connection.h"
#include "collectors/clients/spire/authority_set.h"
#include "collectors/datastore/schema.h"
#include "exporter/base/result.h"

namespace spire_exporter::datastore {

// Rows that are read, the newest journals and the oldest bundles; what is beyond is not watched. A
// journal lives for two weeks after its server.
inline constexpr size_t kJournalsRead = 64;
inline constexpr size_t kBundlesRead = 512;

// What was read before, by digest; null for what cannot be read.
struct KnownRecords {
  std::map<std::string, std::shared_ptr<const spire::Journal>> journals;
  std::map<std::string, std::shared_ptr<const spire::Bundle>> bundles;
};

struct AuthorityTables {
  Schema schema;  // as it was found, or as it was given
  // kNotFound: no such table, as ca_journals before schema 23. kPermissionDenied names the columns.
  Status journals_status;
  std::vector<spire::JournalRow> journals;  // by id
  bool journals_cut = false;                // there are more rows, or records too long to read
  Status bundles_status;
  std::vector<spire::BundleRow> bundles;  // by id
  bool bundles_cut = false;

  // For the next reading.
  KnownRecords Records() const;
};

// Nothing on a standby. One statement sees both tables at one moment; it hashes the records and
// sends those that are not `known`, 4 MiB at most. Without `schema` that is read first.
// `trust_domain`, when not empty, comes before the other bundles.
Result<std::optional<AuthorityTables>> ReadAuthorities(pg::Connection& connection,
                                                       const std::optional<Schema>& schema,
                                                       const KnownRecords& known,
                                                       const std::string& trust_domain);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_AUTHORITY_READ_H_
