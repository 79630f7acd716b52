// What a SPIRE server shows to anybody who reaches its TCP port, without any right.
#ifndef COLLECTORS_CLIENTS_SPIRE_SERVER_PORT_H_
#define COLLECTORS_CLIENTS_SPIRE_SERVER_PORT_H_

#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/net/dial.h"
#include "collectors/clients/spire/authority.h"
#include "collectors/clients/spire/call.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::spire {

// A handshake of TLS without a client certificate. Nothing of the chain has been checked: whether
// it can be trusted is for the caller to find, against a bundle of its choice.
struct Handshake {
  std::vector<std::string> chain;  // DER, the leaf first, as it was sent
  std::string protocol;            // `TLSv1.3`
  std::string alpn;                // `h2`; empty when none was agreed on
  Duration connect{0};
  Duration handshake{0};
};

// The way to a server, in the order in which it is gone: where a probe ended.
enum class ServerStage { kName, kConnect, kTls, kBundle, kDone };
// `name`, `connect`, `tls`, `bundle`, `done`: the label `stage`.
std::string_view ServerStageName(ServerStage stage);

struct HandshakeOutcome {
  ServerStage ended = ServerStage::kConnect;  // kConnect or kTls when it failed, else kDone
  Result<Handshake> result = Error{};
};

// Connects, shakes hands, leaves. One address, one attempt. Errors: kUnavailable (refused, reset,
// closed early), kDeadlineExceeded, kCancelled, kDataLoss (no TLS), kResourceExhausted (a chain of
// more than 16 certificates or 256 KiB). Safe from any thread; about 3 ms and 20 KiB on the way.
HandshakeOutcome ShakeHands(const SocketAddress& address, const Call& call);

struct ServedBundle {
  Bundle bundle;                          // as records.h reads it
  std::vector<std::string> certificates;  // the X.509 authorities as DER, in the order served
  std::vector<std::string> chain;         // of the server that served it, the leaf first
};

// spire.api.server.bundle.v1.Bundle/GetBundle over a connection of its own to one address,
// accepting whatever certificate the server has; a message of more than 4 MiB is refused
// (kResourceExhausted). Servers keep the answer for about a second; it costs them a handshake and
// one read. Safe from any thread.
Result<ServedBundle> GetBundle(const SocketAddress& address, const Call& call);

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_SERVER_PORT_H_
