#include "collectors/runway/runway_options.h"

#include <utility>

#include "exporter/base/text.h"

namespace spire_exporter::runway {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

void ReadSome(ConfigReader& reader, std::string_view key, std::optional<Duration>* value,
              Duration min, Duration max) {
  Duration read{0};
  reader.Read(key, &read, min, max);
  if (read != Duration::zero()) *value = read;
}

}  // namespace

std::string RunwayOptions::Fingerprint() const {
  const auto text = [](const std::optional<Duration>& value) {
    return value ? FormatDuration(*value) : std::string("-");
  };
  return std::string(RoleName(role)) + ' ' + text(x509_svid_ttl) + ' ' + text(agent_ttl) + ' ' +
         text(sync_interval);
}

Status ReadRunwayOptions(const ConfigNode& config, Role role, RunwayOptions* options) {
  RunwayOptions read;
  read.role = role;
  ConfigReader reader(config["runway"]);
  ReadSome(reader, "x509_svid_ttl", &read.x509_svid_ttl, seconds(30), hours(24 * 365));
  ReadSome(reader, "agent_ttl", &read.agent_ttl, seconds(30), hours(24 * 365));
  ReadSome(reader, "sync_interval", &read.sync_interval, seconds(1), hours(1));
  if (Status status = reader.Finish(); !status.ok()) return status;
  *options = read;
  return {};
}

}  // namespace spire_exporter::runway
