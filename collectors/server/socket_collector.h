// What the server says on its API socket: the target `socket`. Opt-in: whoever may connect to that
// socket has full power over the trust domain. Only what spire::ServerSocket declares is called.
#ifndef COLLECTORS_SERVER_SOCKET_COLLECTOR_H_
#define COLLECTORS_SERVER_SOCKET_COLLECTOR_H_

#include <memory>
#include <span>

#include "collectors/server/server_options.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "exporter/collect/collector.h"
#include "exporter/collect/module.h"

namespace spire_exporter::server {

std::span<const FamilyDescription* const> SocketFamilies();

// A round is a health check, which has the server read one bundle from its database now, and the
// states of its authorities, from memory; each five minutes a list of its federation
// relationships. `options.api_socket` is not empty. kInvalidArgument for what is no socket's
// address.
Result<std::unique_ptr<Collector>> MakeSocketCollector(const ServerOptions& options);

// One try, for `spire-exporter check`.
CheckLine CheckSocket(const ServerOptions& options, const Clock& clock, const Deadline& deadline);

}  // namespace spire_exporter::server

#endif  // COLLECTORS_SERVER_SOCKET_COLLECTOR_H_
