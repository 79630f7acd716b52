// The options under `telemetry.scrape`.
#ifndef COLLECTORS_TELEMETRY_SCRAPE_OPTIONS_H_
#define COLLECTORS_TELEMETRY_SCRAPE_OPTIONS_H_

#include <chrono>
#include <string>

#include "exporter/base/clock.h"
#include "exporter/base/config_node.h"
#include "exporter/base/result.h"
#include "exporter/collect/module.h"

namespace spire_exporter::telemetry {

struct ScrapeOptions {
  std::string url;  // of SPIRE's Prometheus endpoint; empty turns the scrape off
  Duration interval = std::chrono::seconds(15);
  Duration timeout = std::chrono::seconds(5);  // at most the interval
  // The interval while the stream is silent, at the least (see ScrapePoll); zero is off, which is
  // the default for an endpoint that is not on the loopback; on it, it is 200 ms.
  Duration poll{};
  // For https alone. The peer is always verified: against ca_file or else the system's roots, for
  // server_name or else the host of the url.
  std::string ca_file;
  std::string server_name;
  std::string cert_file;  // shown to the peer, with its key; both or neither
  std::string key_file;
  // In place of these, `spiffe.socket` and `spiffe.server_id`: the Workload API that we have our
  // SVID and the bundle from, and the SPIFFE ID of the endpoint, a pattern as ClassMap has them.
  std::string spiffe_socket;
  std::string spiffe_server_id;
  // SPIRE's MetricPrefix where one is set; not a key of `scrape` itself.
  std::string prefix;
  std::string trust_domain;  // likewise: SPIRE's own, where it is known

  bool enabled() const { return !url.empty(); }
};

// Starts from the defaults of the role: http://127.0.0.1:9988/ beside a server or an agent, off
// when standalone. An endpoint's SPIFFE ID is by default that of the trust domain's server or of
// any of its agents. Touches `options` only on success.
Status ReadScrapeOptions(const ConfigNode& scrape, Role role, ScrapeOptions* options);

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_SCRAPE_OPTIONS_H_
