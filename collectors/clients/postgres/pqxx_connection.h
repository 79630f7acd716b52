// Opens connections by libpq and speaks through libpqxx; the only door to both.
#ifndef COLLECTORS_CLIENTS_POSTGRES_PQXX_CONNECTION_H_
#define COLLECTORS_CLIENTS_POSTGRES_PQXX_CONNECTION_H_

#include <memory>
#include <string>

#include "collectors/clients/net/waiter.h"
#include "collectors/clients/postgres/client_options.h"
#include "collectors/clients/postgres/conninfo.h"
#include "collectors/clients/postgres/session.h"
#include "exporter/base/result.h"

namespace spire_exporter::pg {

// Connects to one address of a connection string: `host.hostaddr` set, or the directory of a unix
// socket. Waits for nothing but `waiter`; the session's settings are made by the first
// SetUp(). libpqxx's own ways to connect know no deadline, so libpq does that half.
Result<std::unique_ptr<ServerConnection>> OpenConnection(const Conninfo& info, const Host& host,
                                                         const ClientOptions& options,
                                                         const Waiter& waiter);

}  // namespace spire_exporter::pg

#endif  // COLLECTORS_CLIENTS_POSTGRES_PQXX_CONNECTION_H_
