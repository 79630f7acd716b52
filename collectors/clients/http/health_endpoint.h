// SPIRE's `health_checks` listener, of a server or of an agent.
#ifndef COLLECTORS_CLIENTS_HTTP_HEALTH_ENDPOINT_H_
#define COLLECTORS_CLIENTS_HTTP_HEALTH_ENDPOINT_H_

#include <array>
#include <stop_token>
#include <string>
#include <string_view>

#include "collectors/clients/http/http_client.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter {

// The label `check`, in the order in which they are asked.
inline constexpr std::array<std::string_view, 2> kHealthChecks = {"live", "ready"};

// Not safe from several threads.
class HealthEndpoint {
 public:
  using Replies = std::array<Result<HttpReply>, kHealthChecks.size()>;

  // `url` is without a path: `http://127.0.0.1:8080`.
  HealthEndpoint(const std::string& url, const std::string& live_path,
                 const std::string& ready_path);

  // Both, whatever their status, of at most 64 KiB. The first has half of the time, so that one
  // that drips does not hide the other. kCancelled where a stop was requested.
  Replies Ask(const Clock& clock, const Deadline& deadline, const std::stop_token& stop);
  Result<HttpReply> AskReady(const Clock& clock, const Deadline& deadline,
                             const std::stop_token& stop);

 private:
  const std::array<std::string, kHealthChecks.size()> addresses_;
  HttpClient client_;
};

}  // namespace spire_exporter

#endif  // COLLECTORS_CLIENTS_HTTP_HEALTH_ENDPOINT_H_
