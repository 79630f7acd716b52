// Asks SPIRE's Prometheus endpoint for its page: plainly, over TLS with files, or with our SVID.
#ifndef COLLECTORS_TELEMETRY_SCRAPE_CLIENT_H_
#define COLLECTORS_TELEMETRY_SCRAPE_CLIENT_H_

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "collectors/clients/http/http_client.h"
#include "collectors/clients/workload/workload_certificates.h"
#include "collectors/telemetry/scrape_options.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::telemetry {

// WorkloadCertificates::OverSocket, or what stands in for it.
using OpenWorkload = std::function<Result<std::shared_ptr<WorkloadCertificates>>(
    const std::string& socket, const Clock& clock)>;
OpenWorkload OverSocket();

// Used by one thread. Watches the Workload API from the first Get() on, where the options have one.
class ScrapeClient {
 public:
  ScrapeClient(const ScrapeOptions& options, OpenWorkload open);

  // HttpClient::Get(); waits up to half of the time for the first SVID.
  Result<HttpReply> Get(const Url& url, const Deadline& deadline, const Clock& clock,
                        std::stop_token stop);

 private:
  Status Open(const Clock& clock);

  const ScrapeOptions options_;
  const OpenWorkload open_;
  std::shared_ptr<WorkloadCertificates> workload_;
  std::optional<HttpClient> http_;
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_SCRAPE_CLIENT_H_
