#include "collectors/datastore/datastore_options.h"

#include <array>
#include <string_view>
#include <utility>

#include "collectors/clients/postgres/read_nodes.h"
#include "collectors/clients/spiffe/read_classes.h"
#include "exporter/base/text.h"

namespace spire_exporter::datastore {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Whose tables they are; SPIRE's are the only ones so far.
constexpr std::array<std::string_view, 1> kTables = {"spire"};

}  // namespace

std::string DatastoreOptions::Fingerprint() const {
  return pg::Fingerprint(client) + "\n" + FormatDuration(interval) + " " +
         FormatDuration(deep_interval) + " " + FormatDuration(audit_interval) + " " +
         FormatDuration(timeout) + " " + trust_domain + "\n" + spiffe::Fingerprint(classes);
}

Status ReadDatastoreOptions(const ConfigNode& config, Role role, DatastoreOptions* options) {
  DatastoreOptions read;
  if (role != Role::kAgent) {
    // What is wrong with them is the collector postgres' to say.
    if (const Status nodes = pg::ReadNodes(config["postgres"]["nodes"], &read.client.groups);
        !nodes.ok()) {
      return nodes;
    }
  }
  ConfigReader reader(config["datastore"]);
  size_t tables = 0;
  reader.ReadChoice("tables", kTables, &tables);
  reader.Read("interval", &read.interval, seconds(5), hours(1));
  reader.Read("deep_interval", &read.deep_interval, minutes(1), hours(24));
  reader.Read("audit_interval", &read.audit_interval, minutes(10), hours(24));
  reader.Read("timeout", &read.timeout, milliseconds(500), minutes(1));
  if (const Status status = reader.Finish(); !status.ok()) return status;
  if (const Status classes = spiffe::ReadClasses(config["classes"], &read.classes); !classes.ok()) {
    return classes;
  }
  if (config["trust_domain"].present()) read.trust_domain = config["trust_domain"].text();
  *options = std::move(read);
  return {};
}

ConfigNode WithDatastoreDefaults(const ConfigNode& config, Role role) {
  DatastoreOptions options;
  if (!ReadDatastoreOptions(config, role, &options).ok() || options.client.groups.empty()) {
    return config;
  }
  return config.WithDefault("datastore.tables", std::string(kTables[0]))
      .WithDefault("datastore.interval", FormatDuration(options.interval))
      .WithDefault("datastore.deep_interval", FormatDuration(options.deep_interval))
      .WithDefault("datastore.audit_interval", FormatDuration(options.audit_interval))
      .WithDefault("datastore.timeout", FormatDuration(options.timeout));
}

}  // namespace spire_exporter::datastore
