#include "collectors/postgres/postgres_options.h"

#include <utility>

#include "collectors/clients/postgres/read_nodes.h"
#include "exporter/base/text.h"

namespace spire_exporter::postgres {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string PostgresOptions::Fingerprint() const {
  return pg::Fingerprint(client) + "\n" + FormatDuration(interval) + " " +
         FormatDuration(replication_interval) + " " + FormatDuration(timeout);
}

Status ReadPostgresOptions(const ConfigNode& config, Role role, PostgresOptions* options) {
  PostgresOptions read;
  ConfigReader reader(config["postgres"]);
  const ConfigNode nodes = reader.Take("nodes");
  reader.Check(pg::ReadNodes(nodes, &read.client.groups));
  if (role == Role::kAgent && !read.client.groups.empty()) {
    reader.Fail("nodes", "an agent's sidecar does not connect to the database: leave it out here");
  }
  reader.Read("interval", &read.interval, seconds(5), hours(1));
  reader.Read("replication_interval", &read.replication_interval, milliseconds(500), minutes(5));
  reader.Read("timeout", &read.timeout, milliseconds(500), minutes(1));
  if (const Status status = reader.Finish(); !status.ok()) return status;
  *options = std::move(read);
  return {};
}

ConfigNode WithPostgresDefaults(const ConfigNode& config, Role role) {
  PostgresOptions options;
  if (!ReadPostgresOptions(config, role, &options).ok() || options.client.groups.empty()) {
    return config;
  }
  return config.WithDefault("postgres.interval", FormatDuration(options.interval))
      .WithDefault("postgres.replication_interval", FormatDuration(options.replication_interval))
      .WithDefault("postgres.timeout", FormatDuration(options.timeout));
}

}  // namespace spire_exporter::postgres
