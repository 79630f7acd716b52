// TLS for the HTTP client: OpenSSL stops here. The peer is always verified; there is no option to
// leave it out.
#ifndef COLLECTORS_CLIENTS_HTTP_TLS_CONNECTION_H_
#define COLLECTORS_CLIENTS_HTTP_TLS_CONNECTION_H_

#include <memory>
#include <string>

#include "collectors/clients/http/connection.h"
#include "collectors/clients/http/spiffe_peer.h"
#include "exporter/base/result.h"

struct ssl_ctx_st;  // SSL_CTX

namespace spire_exporter {

struct TlsOptions {
  std::string ca_file;      // PEM; empty means the system's roots
  std::string server_name;  // what the certificate must be for; empty means the address's host
  std::string cert_file;    // PEM chain and key to show to the peer, both or neither
  std::string key_file;
  // In place of all these, where it has a source.
  SpiffePeer spiffe{};
};

// Reads the files, and again whenever one of them has changed on disk; or asks the source of
// certificates. Used by one thread.
class TlsContext {
 public:
  explicit TlsContext(TlsOptions options) : options_(std::move(options)) {}

  // Reads what has changed. kFailedPrecondition with the file and the reason, or the source's
  // error.
  Status Refresh();
  // Handshakes over a connected socket: TLS 1.2 or newer, the chain and the name (or the SPIFFE ID)
  // verified. `host` is used where the options name no server. kUnauthenticated when the peer is
  // not who it should be, kPermissionDenied when it does not take our certificate,
  // kFailedPrecondition when it does not speak TLS. Needs a good Refresh(); `waiter` outlives the
  // connection.
  Result<std::unique_ptr<Connection>> Connect(UniqueFd fd, const std::string& host,
                                              const Waiter& waiter);

 private:
  std::string Fingerprint() const;
  Status RefreshFromSource();

  const TlsOptions options_;
  std::shared_ptr<const void> verification_;  // outlives context_, which verifies by it
  std::shared_ptr<ssl_ctx_st> context_;
  TlsMaterial material_;     // of the source, behind context_
  std::string fingerprint_;  // of the files behind context_
};

}  // namespace spire_exporter

#endif  // COLLECTORS_CLIENTS_HTTP_TLS_CONNECTION_H_
