// An HTTP/1.1 server for a handful of exact paths that hostile clients cannot keep from answering:
// idle connections, half-sent requests and slow readers cost a place in a table, never a thread.
#ifndef EXPORTER_HTTP_HTTP_SERVER_H_
#define EXPORTER_HTTP_HTTP_SERVER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/logger.h"
#include "exporter/base/result.h"
#include "exporter/http/gate.h"
#include "exporter/http/http_types.h"
#include "exporter/tls/tls_server.h"

namespace spire_exporter {

struct HttpServerOptions {
  // `host:port`, `:port`, `[v6]:port`, `unix:PATH`; port 0 takes a free one.
  std::vector<std::string> listen_addresses;
  // The same, for routes marked `probe` only.
  std::vector<std::string> probe_listen_addresses;
  // Takes the sockets that systemd has opened for this process in place of listen_addresses
  // (sd_listen_fds(3)).
  bool systemd_sockets = false;

  // Requests that run or wait for a worker; beyond it 503 with Retry-After. Responses being sent to
  // slow readers do not count. Probe listeners are exempt.
  size_t max_requests = 40;
  size_t workers = 4;  // 1 to 16
  // Not owned; outlive the server. Null: no TLS; everybody may come in. Probe listeners have
  // neither.
  const TlsServer* tls = nullptr;
  HttpGate* gate = nullptr;
  // Open connections in all; lowered at start to what the descriptor limit of the process allows.
  size_t max_connections = 1024;
  // Open connections of one address (an IPv6 /64 counts as one, all unix peers of a uid as one).
  size_t max_connections_per_peer = 512;
  // Responses not yet taken by their readers, summed over all connections.
  size_t max_unsent_bytes = size_t{32} << 20;

  Duration request_timeout =
      std::chrono::seconds(10);                       // from the first byte (or accept) to the last
  Duration idle_timeout = std::chrono::seconds(150);  // between requests of one connection
  Duration write_timeout = std::chrono::seconds(30);  // from the response to its last byte
  Duration drain_timeout = std::chrono::seconds(4);   // at Stop()
};

// Owns its threads (a door, `workers` workers and their master) from Start() to Stop(). Start() and
// Stop() are called from one thread; the rest is safe from any.
class HttpServer {
 public:
  // Handlers of the routes, clock, logger and observer (which may be null) must outlive the server.
  HttpServer(HttpServerOptions options, std::vector<HttpRoute> routes, const Clock& clock,
             Logger& logger, HttpObserver* observer);
  ~HttpServer();  // Stop()
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens and serves. Fails in one line that begins with the flag at fault:
  // `--web.listen-address=:9926: address already in use`. After a failure nothing listens.
  Status Start();

  // Stops listening, lets running requests finish and their responses leave for up to
  // `drain_timeout`, then closes everything. Safe to call again.
  void Stop();

  // Where it listens, with the real port where 0 was asked for: `127.0.0.1:9926`, `[::]:9926`,
  // `unix:/run/x.sock`. In the order of the options, first the ordinary ones. Valid after Start().
  std::vector<std::string> addresses() const;
  std::vector<std::string> probe_addresses() const;

  HttpStats Stats() const;

 private:
  struct Running;

  const HttpServerOptions options_;
  const std::vector<HttpRoute> routes_;
  const Clock& clock_;
  Logger& logger_;
  HttpObserver* const observer_;
  std::unique_ptr<Running> running_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_HTTP_SERVER_H_
