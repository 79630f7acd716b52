// libpq, mapped when it is first needed: with what it brings along (Kerberos, LDAP, SASL) it takes
// 4 MiB, which a sidecar that watches no database shall not pay.
#ifndef COLLECTORS_CLIENTS_POSTGRES_LIBPQ_LATE_H_
#define COLLECTORS_CLIENTS_POSTGRES_LIBPQ_LATE_H_

#include "exporter/base/result.h"

namespace spire_exporter::pg {

// Maps libpq.so.5 and finds every function of libpq_late.cc in it. Before anything else of libpq or
// libpqxx is called; afterwards it costs nothing. kFailedPrecondition when the library is missing
// or too old. Safe from any thread.
Status LoadLibpq();

}  // namespace spire_exporter::pg

#endif  // COLLECTORS_CLIENTS_POSTGRES_LIBPQ_LATE_H_
