#include "collectors/telemetry/scrape_client.h"

#include <array>
#include <string_view>
#include <utility>

#include "collectors/clients/spiffe/class_map.h"

namespace spire_exporter::telemetry {
namespace {

// A busy server's page has 70 KiB and is read in a quarter of a millisecond. The worst page of this
// size takes 50 ms, which keeps a call within reach of its deadline.
constexpr uint64_t kMaxPageBytes = uint64_t{4} << 20;

}  // namespace

OpenWorkload OverSocket() {
  return [](const std::string& socket, const Clock& clock) {
    return WorkloadCertificates::OverSocket(socket, clock, {});
  };
}

ScrapeClient::ScrapeClient(const ScrapeOptions& options, OpenWorkload open)
    : options_(options), open_(std::move(open)) {}

Status ScrapeClient::Open(const Clock& clock) {
  HttpClientOptions client;
  client.max_body = kMaxPageBytes;
  client.accept = "text/plain;version=0.0.4";
  client.tls.ca_file = options_.ca_file;
  client.tls.server_name = options_.server_name;
  client.tls.cert_file = options_.cert_file;
  client.tls.key_file = options_.key_file;
  if (!options_.spiffe_socket.empty()) {
    const std::array<spiffe::ClassOptions, 1> who = {{{"server", options_.spiffe_server_id}}};
    const auto pattern = spiffe::ClassMap::Make(who);
    if (!pattern.ok()) return pattern.error();
    auto workload = open_(options_.spiffe_socket, clock);
    if (!workload.ok()) return workload.error();
    workload_ = *std::move(workload);
    client.tls.spiffe.source = workload_;
    std::string_view id = options_.spiffe_server_id;
    id.remove_prefix(std::string_view("spiffe://").size());
    client.tls.spiffe.trust_domain = std::string(id.substr(0, id.find('/')));
    client.tls.spiffe.is_who = [pattern = *pattern](std::string_view peer) {
      return pattern.Find(peer) == 0;
    };
  }
  http_.emplace(std::move(client));
  return {};
}

Result<HttpReply> ScrapeClient::Get(const Url& url, const Deadline& deadline, const Clock& clock,
                                    std::stop_token stop) {
  if (!http_) {
    if (Status opened = Open(clock); !opened.ok()) return std::move(opened).error();
  }
  if (workload_ != nullptr && workload_->waiting()) {
    workload_->AwaitFirst(Deadline::After(clock, deadline.Remaining(clock) / 2), clock, stop);
  }
  return http_->Get(url, deadline, clock, std::move(stop));
}

}  // namespace spire_exporter::telemetry
