#include "collectors/telemetry/telemetry_options.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "exporter/base/text.h"

namespace spire_exporter::telemetry {
namespace {

constexpr std::string_view kDefaultListen = "unixgram:///run/spire-exporter/dogstatsd.sock";
constexpr size_t kListenersMax = 16;
// Below this an ordinary server's series would not fit, above it is no bound any more.
constexpr int64_t kSeriesLeast = 500;
constexpr int64_t kSeriesMost = 100'000;

bool ParseMode(std::string_view text, mode_t* mode) {
  unsigned value = 0;
  const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  // Without the owner's rights nobody could take the file over after a restart.
  if (problem != std::errc() || stop != text.data() + text.size() || value > 0777 ||
      (value & 0600) != 0600) {
    return false;
  }
  *mode = value;
  return true;
}

Status ReadStream(const ConfigNode& node, Role role, TelemetryOptions* options) {
  ConfigReader reader(node);
  std::vector<std::string> listen;
  if (role != Role::kStandalone) listen.emplace_back(kDefaultListen);
  reader.Read("listen", &listen);
  if (listen.size() > kListenersMax) reader.Fail("listen", "more than 16 addresses");
  for (const std::string& text : listen) {
    Result<ListenAddress> address = ParseListenAddress(text);
    if (!address) {
      reader.Fail("listen", address.error().what);
      break;
    }
    if (std::find(options->listen.begin(), options->listen.end(), *address) !=
        options->listen.end()) {
      reader.Fail("listen", text + " is there twice");
    }
    options->listen.push_back(std::move(address).value());
  }
  reader.Read("max_series", &options->series_max, kSeriesLeast, kSeriesMost);
  std::string mode;
  reader.Read("socket_mode", &mode);
  if (!mode.empty() && !ParseMode(mode, &options->socket_mode)) {
    reader.Fail("socket_mode", "expected octal rights from \"0600\" to \"0777\", in quotes");
  }
  return reader.Finish();
}

}  // namespace

Status ReadTelemetryOptions(const ConfigNode& config, Role role, TelemetryOptions* options) {
  TelemetryOptions read;
  ConfigReader reader(config["telemetry"]);
  reader.Read("metric_prefix", &read.metric_prefix);
  read.scrape.prefix = read.metric_prefix;
  // The app checks it, as it does the limits.
  if (const ConfigNode domain = config["trust_domain"]; domain.present()) {
    read.scrape.trust_domain = domain.text();
  }
  reader.Check(ReadStream(reader.Take("stream"), role, &read));
  reader.Check(ReadScrapeOptions(reader.Take("scrape"), role, &read.scrape));
  if (const Status status = reader.Finish(); !status.ok()) return status;

  // The app checks the limits; here they are only looked at.
  if (const ConfigNode length = config["limits"]["max_label_length"]; length.present()) {
    const Result<int64_t> value = length.AsInt(1, 1 << 20);
    if (!value) return value.error();
    read.label_length_max = static_cast<uint64_t>(*value);
  }
  *options = std::move(read);
  return {};
}

ConfigNode WithTelemetryDefaults(const ConfigNode& config, Role role) {
  TelemetryOptions options;
  if (!ReadTelemetryOptions(config, role, &options).ok()) return config;
  std::vector<std::string> listen;
  for (const ListenAddress& address : options.listen) listen.push_back(address.text);
  ConfigNode all = config;
  if (!options.scrape.spiffe_socket.empty()) {
    all = all.WithDefault("telemetry.scrape.spiffe.server_id", options.scrape.spiffe_server_id);
  }
  return all.WithDefault("telemetry.stream.listen", listen)
      .WithDefault("telemetry.stream.max_series", std::to_string(options.series_max))
      .WithDefault("telemetry.stream.socket_mode", std::string("0660"))
      .WithDefault("telemetry.scrape.url", options.scrape.url)
      .WithDefault("telemetry.scrape.interval", FormatDuration(options.scrape.interval))
      .WithDefault("telemetry.scrape.timeout", FormatDuration(options.scrape.timeout))
      .WithDefault("telemetry.scrape.poll", FormatDuration(options.scrape.poll));
}

IngestOptions MakeIngestOptions(const TelemetryOptions& options, Role role) {
  IngestOptions ingest;
  ingest.listen = options.listen;
  ingest.socket_mode = options.socket_mode;
  ingest.scrape = options.scrape.enabled();
  ingest.store.series_max = static_cast<size_t>(options.series_max);
  ingest.store.label_length_max = options.label_length_max;
  ingest.store.page_age_max =
      std::max<Duration>(std::chrono::minutes(1), 3 * options.scrape.interval);
  ingest.store.metric_prefix = options.metric_prefix;
  if (role != Role::kStandalone) ingest.store.component_hint = RoleName(role);
  return ingest;
}

}  // namespace spire_exporter::telemetry
