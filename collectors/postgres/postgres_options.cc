#include "collectors/postgres/postgres_options.h"

#include <utility>

#include "collectors/clients/postgres/read_nodes.h"
#include "exporter/base/text.h"

namespace spire_exporter::postgres {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr size_t kRolesMax = 16;

}  // namespace

std::string PostgresOptions::Fingerprint() const {
  std::string text = pg::Fingerprint(client) + "\n" + FormatDuration(interval) + " " +
                     FormatDuration(replication_interval) + " " + FormatDuration(timeout);
  for (const std::string& role : spire_roles) text += "\nrole " + role;
  return text + "\n" + std::to_string(spire_max_open_conns.value_or(-1));
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
  reader.Read("replication_interval", &read.replication_interval, milliseconds(500), seconds(30));
  reader.Read("timeout", &read.timeout, milliseconds(500), minutes(1));
  reader.Read("spire_roles", &read.spire_roles);
  if (read.spire_roles.size() > kRolesMax) reader.Fail("spire_roles", "more than 16 roles");
  int64_t conns = 0;
  reader.Read("spire_max_open_conns", &conns, 1, 10'000);
  if (conns > 0) read.spire_max_open_conns = conns;
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
