// A small blocking HTTP/1.1 client for one GET at a time: no redirects, no reuse of connections, no
// compression (on one machine it costs both sides more than it saves), no credentials but a TLS
// certificate.
#ifndef COLLECTORS_CLIENTS_HTTP_HTTP_CLIENT_H_
#define COLLECTORS_CLIENTS_HTTP_HTTP_CLIENT_H_

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "collectors/clients/http/response_reader.h"
#include "collectors/clients/http/tls_connection.h"
#include "collectors/clients/http/url.h"
#include "collectors/clients/net/dial.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter {

struct HttpClientOptions {
  uint64_t max_body = uint64_t{16} << 20;
  std::string accept;  // the header; empty leaves it out
  std::string user_agent = "spire-exporter";
  TlsOptions tls;
};

// Used by one thread.
class HttpClient {
 public:
  explicit HttpClient(HttpClientOptions options);

  // The whole reply, whatever its status. `deadline` holds for all of it: resolving, connecting,
  // handshake, head and body, however slowly they drip; a stop request ends it at once
  // (kCancelled). Errors: kUnavailable (refused, reset, closed early, unknown name),
  // kDeadlineExceeded, kResourceExhausted (body or head too long), kDataLoss (no HTTP),
  // kUnimplemented (an encoding that was not asked for), those of TlsContext, kInvalidArgument (an
  // address of another kind). `clock` is a real one: sockets wait in real time.
  Result<HttpReply> Get(const Url& url, const Deadline& deadline, const Clock& clock,
                        std::stop_token stop);

 private:
  Result<std::unique_ptr<Connection>> Connect(const Url& url, const Waiter& waiter);

  const HttpClientOptions options_;
  Resolver resolver_;
  TlsContext tls_;
};

}  // namespace spire_exporter

#endif  // COLLECTORS_CLIENTS_HTTP_HTTP_CLIENT_H_
