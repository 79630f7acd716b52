// Reads the records that SPIRE keeps in its tables as protobuf. They hold public keys alone.
#ifndef COLLECTORS_CLIENTS_SPIRE_RECORDS_H_
#define COLLECTORS_CLIENTS_SPIRE_RECORDS_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "collectors/clients/spire/authority.h"
#include "exporter/base/result.h"

namespace spire_exporter::spire {

// A bundle that SPIRE can still hand out (a hundred authorities) has a fifth of this.
inline constexpr size_t kRecordBytesMax = size_t{512} << 10;
// Authorities of a bundle or a journal.
inline constexpr size_t kAuthoritiesMax = 1000;

// Whoever can write to the database can write anything here, so that sizes are bounded before
// anything is built: a longer record or one of more authorities is kResourceExhausted. What is no
// such record is kDataLoss. What is wrong with one authority costs that one, and is counted.
// Costs about 10 us a certificate. Safe from any thread.
Result<Bundle> ReadBundle(std::string_view record);
Result<Journal> ReadJournal(std::string_view record);

// The name of a trust domain, with or without `spiffe://` before it; empty when it is none
// (SPIFFE-ID, section 2.1).
std::string_view TrustDomainName(std::string_view id);

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_RECORDS_H_
