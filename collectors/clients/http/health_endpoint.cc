#include "collectors/clients/http/health_endpoint.h"

#include <utility>

#include "collectors/clients/http/url.h"

namespace spire_exporter {
namespace {

constexpr uint64_t kMaxBody = uint64_t{64} << 10;

HttpClientOptions ClientOptions() {
  HttpClientOptions client;
  client.max_body = kMaxBody;
  client.accept = "application/json";
  return client;
}

Result<HttpReply> Get(HttpClient& client, const std::string& address, const Clock& clock,
                      const Deadline& deadline, const std::stop_token& stop) {
  const auto url = ParseUrl(address);
  if (!url.ok()) return url.error();
  return client.Get(*url, deadline, clock, stop);
}

}  // namespace

HealthEndpoint::HealthEndpoint(const std::string& url, const std::string& live_path,
                               const std::string& ready_path)
    : addresses_{url + live_path, url + ready_path}, client_(ClientOptions()) {}

HealthEndpoint::Replies HealthEndpoint::Ask(const Clock& clock, const Deadline& deadline,
                                            const std::stop_token& stop) {
  const Deadline half = Deadline::After(clock, deadline.Remaining(clock) / 2);
  Result<HttpReply> live = Get(client_, addresses_[0], clock, half, stop);
  return {std::move(live), AskReady(clock, deadline, stop)};
}

Result<HttpReply> HealthEndpoint::AskReady(const Clock& clock, const Deadline& deadline,
                                           const std::stop_token& stop) {
  return Get(client_, addresses_[1], clock, deadline, stop);
}

}  // namespace spire_exporter
