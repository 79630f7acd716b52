#include "collectors/datastore/datastore_module.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/clients/postgres/node_set.h"
#include "collectors/datastore/datastore_options.h"
#include "collectors/datastore/grants.h"

namespace spire_exporter {
namespace {

using datastore::DatastoreOptions;

class DatastoreModule final : public Module {
 public:
  explicit DatastoreModule(const ModuleDeps& deps)
      : deps_(deps), nodes_(deps.shared->Get<pg::NodeSet>([&deps] {
          return std::make_shared<pg::NodeSet>(deps.clock, deps.logger);
        })) {}

  Status Apply(const ConfigNode& config) override {
    DatastoreOptions options;
    if (Status read = datastore::ReadDatastoreOptions(config, deps_.role, &options); !read.ok()) {
      return read;
    }
    nodes_->Configure(options.client);
    options_ = std::move(options);
    return {};
  }

  std::vector<std::unique_ptr<Collector>> Targets() override {
    std::vector<std::unique_ptr<Collector>> targets;
    if (options_.client.groups.empty()) return targets;
    return targets;
  }

  std::vector<CheckLine> Check(const ConfigNode& config, const Deadline& deadline) override {
    DatastoreOptions options;
    if (const Status read = datastore::ReadDatastoreOptions(config, deps_.role, &options);
        !read.ok()) {
      return {{"datastore", false, read.error().ToString(), "correct the configuration"}};
    }
    (void)deadline;
    return {};
  }

 private:
  const ModuleDeps deps_;
  const std::shared_ptr<pg::NodeSet> nodes_;  // the same for all who ask the database
  DatastoreOptions options_;
};

Status Validate(const ConfigNode& config, Role role) {
  DatastoreOptions options;
  return datastore::ReadDatastoreOptions(config, role, &options);
}

}  // namespace

const CatalogEntry& DatastoreCatalogEntry() {
  static constexpr std::string_view kScalarKeys[] = {
      "datastore.tables", "datastore.interval", "datastore.deep_interval",
      "datastore.audit_interval", "datastore.timeout"};
  static const std::vector<const FamilyDescription*> families = {};
  static const CatalogEntry entry = {
      "datastore",
      "SPIRE's own tables: entries, agents, events, authorities",
      [](Role role) { return role != Role::kAgent; },
      families,
      &Validate,
      [](const ModuleDeps& deps) -> std::unique_ptr<Module> {
        return std::make_unique<DatastoreModule>(deps);
      },
      &datastore::WithDatastoreDefaults,
      kScalarKeys,
      {},
      {},
      Grants{datastore::GrantFlags(), &datastore::GrantsText},
  };
  return entry;
}

}  // namespace spire_exporter
