#include "collectors/spire_config/spire_config_options.h"

#include <utility>

#include "exporter/base/text.h"

namespace spire_exporter::spire_config {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string SpireConfigOptions::Fingerprint() const {
  std::string text = server + '\n' + agent + '\n' + audit_log + '\n' + FormatDuration(interval) +
                     ' ' + FormatDuration(audit_interval) + '\n' + telemetry.scrape_url;
  for (const std::string& address : telemetry.listen) text += '\n' + address;
  return text;
}

Status ReadSpireConfigOptions(const ConfigNode& config, SpireConfigOptions* options) {
  SpireConfigOptions read;
  ConfigReader reader(config["spire_config"]);
  reader.Read("server", &read.server);
  reader.Read("agent", &read.agent);
  reader.Read("audit_log", &read.audit_log);
  reader.Read("interval", &read.interval, seconds(5), hours(1));
  reader.Read("audit_interval", &read.audit_interval, milliseconds(500), minutes(1));
  if (const Status status = reader.Finish(); !status.ok()) return status;
  // What is wrong with them is the collector telemetry's to say.
  const ConfigNode telemetry = config["telemetry"];
  for (const ConfigNode& address : telemetry["stream"]["listen"].items()) {
    read.telemetry.listen.push_back(address.text());
  }
  read.telemetry.scrape_url = telemetry["scrape"]["url"].text();
  *options = std::move(read);
  return {};
}

ConfigNode WithSpireConfigDefaults(const ConfigNode& config, SpireConfigOptions options) {
  if (options.server.empty() && options.agent.empty() && options.audit_log.empty()) return config;
  return config.WithDefault("spire_config.interval", FormatDuration(options.interval))
      .WithDefault("spire_config.audit_interval", FormatDuration(options.audit_interval));
}

}  // namespace spire_exporter::spire_config
