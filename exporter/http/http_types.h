// What a handler sees of a request and gives back: plain values, no trace of the engine below.
#ifndef EXPORTER_HTTP_HTTP_TYPES_H_
#define EXPORTER_HTTP_HTTP_TYPES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/base/clock.h"

namespace spire_exporter {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

// A complete request. The body, if one came, has been read and dropped: no endpoint takes one.
struct HttpRequest {
  std::string method;  // as sent; one of those the route allows
  std::string path;    // percent-decoded, without the query
  HttpFields query;    // decoded pairs in the order sent; a name may repeat
  HttpFields headers;  // in the order sent
  std::string peer;    // address without port, or `unix`; for debug logs only

  // All lines of a header joined by ", ", as RFC 9110 5.2 says; empty when there is none. Names are
  // compared without regard to case.
  std::string Header(std::string_view name) const;
  bool HasHeader(std::string_view name) const;
  // Every value of a query parameter, in the order sent.
  std::vector<std::string> Query(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  // Beside Content-Type, Content-Length, Connection, Date and X-Content-Type-Options, which the
  // server writes itself. A name or value with a control character is left out.
  HttpFields headers;
  // May be shared between responses: it is sent from where it lies and never copied. Null is empty.
  std::shared_ptr<const std::string> body;
  // The connection closes when the response has been sent, even if the client would keep it.
  bool close = false;

  static HttpResponse Text(int status, std::string body);
};

// Called from several threads at once. Must return within a second or so by itself: the server
// cannot cut it short, and shutdown waits for it. An exception becomes a 500.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual HttpResponse Handle(const HttpRequest& request) = 0;
};

// An exact path. GET brings HEAD with it; another method gets 405 with `Allow`.
struct HttpRoute {
  std::string path;
  std::vector<std::string> methods = {"GET"};
  // Not owned; must outlive the server.
  HttpHandler* handler = nullptr;
  // For self metrics: `metrics`, `healthy`; from a closed set.
  std::string label;
  // Also served on the probe listeners, which serve nothing else.
  bool probe = false;
};

// What the server did with one request.
struct HttpRequestRecord {
  // Of the route; `none` when no route was reached (404, 405, 4xx by the reader, 503 by a limit).
  std::string_view label;
  int status = 0;
  // From the complete request to the finished response, waiting for a worker included; the sending
  // is not.
  Duration duration{};
  uint64_t body_bytes = 0;  // as said in Content-Length; zero for HEAD
};

// Self metrics of the server, if somebody wants them. Called from several threads; must be quick.
class HttpObserver {
 public:
  virtual ~HttpObserver() = default;
  virtual void OnRequest(const HttpRequestRecord& record) = 0;
};

// Why connections and requests were turned away or dropped. Each is a counter since start.
struct HttpRejections {
  uint64_t evicted_for_peer = 0;  // oldest waiting connection of an address at its cap
  // Oldest waiting connection of the busiest address when all places or descriptors were taken, or
  // the longest unfinished head when these held too much memory.
  uint64_t evicted_for_total = 0;
  uint64_t evicted_for_bytes = 0;  // slowest reader when unsent responses held too much memory
  uint64_t refused = 0;            // no place at all: every connection was being answered
  uint64_t request_timeout = 0;    // an unfinished request met its deadline
  uint64_t idle_timeout = 0;       // a connection without a request met its deadline
  uint64_t write_timeout = 0;      // a reader too slow for its response
  uint64_t malformed = 0;          // 400, 411, 501, 505
  uint64_t too_large = 0;          // 413, 414, 431
  uint64_t too_many_requests = 0;  // 503: max_requests, or no worker became free in time
  uint64_t tls_failed = 0;   // a handshake that could not be: no TLS, no common ground, no trust
  uint64_t tls_timeout = 0;  // a handshake that met its deadline
  uint64_t denied = 0;       // the gate said no: 401, 403, 429
};

// A moment's view, each number read by itself.
struct HttpStats {
  uint64_t accepted = 0;  // connections since start
  uint64_t waiting = 0;   // open: no or not all of a request has come, or its password is checked
  uint64_t queued = 0;    // open: request complete, no worker free
  uint64_t running = 0;   // open: in a handler
  uint64_t writing = 0;   // open: response not wholly taken by the kernel, or closing
  uint64_t unsent_bytes = 0;
  HttpRejections rejections;
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_HTTP_TYPES_H_
