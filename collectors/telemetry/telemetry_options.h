// The options under `telemetry`.
#ifndef COLLECTORS_TELEMETRY_TELEMETRY_OPTIONS_H_
#define COLLECTORS_TELEMETRY_TELEMETRY_OPTIONS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "collectors/telemetry/ingest.h"
#include "collectors/telemetry/listen_address.h"
#include "collectors/telemetry/scrape_options.h"
#include "exporter/base/config_node.h"
#include "exporter/base/result.h"
#include "exporter/collect/module.h"

namespace spire_exporter::telemetry {

struct TelemetryOptions {
  // stream.listen. Beside a server or an agent it is unixgram:///run/spire-exporter/dogstatsd.sock,
  // else nothing; an empty list turns the stream off.
  std::vector<ListenAddress> listen;
  int64_t series_max = 5000;  // stream.max_series
  // stream.socket_mode, octal. A sender must be able to write to the socket file. The default lets
  // the owner and the group: containers of a pod share its fsGroup, and a volume's directory hands
  // its group on to what is made in it. 0666 lets everybody who can reach the directory.
  mode_t socket_mode = 0660;
  std::string metric_prefix;  // SPIRE's MetricPrefix where one is set
  ScrapeOptions scrape;
  uint64_t label_length_max = 128;  // limits.max_label_length
};

// `config` is the whole tree. Strict; touches `options` only on success.
Status ReadTelemetryOptions(const ConfigNode& config, Role role, TelemetryOptions* options);

// The whole tree with the defaults of these options filled in. `config` has been read well.
ConfigNode WithTelemetryDefaults(const ConfigNode& config, Role role);

// What the ingest thread needs of them.
IngestOptions MakeIngestOptions(const TelemetryOptions& options, Role role);

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_TELEMETRY_OPTIONS_H_
