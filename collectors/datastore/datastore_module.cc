#include "collectors/datastore/datastore_module.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/clients/postgres/node_set.h"
#include "collectors/clients/spiffe/class_map.h"
#include "collectors/datastore/audit_collector.h"
#include "collectors/datastore/authority_collector.h"
#include "collectors/datastore/datastore_options.h"
#include "collectors/datastore/grants.h"
#include "collectors/datastore/rights.h"
#include "collectors/datastore/summary_collector.h"
#include "collectors/datastore/survey_collector.h"

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
    auto classes = spiffe::ClassMap::Make(options.classes);
    if (!classes.ok()) return std::move(classes).error();
    classes_ = std::make_shared<const spiffe::ClassMap>(*std::move(classes));
    nodes_->Configure(options.client);
    options_ = std::move(options);
    return {};
  }

  std::vector<std::unique_ptr<Collector>> Targets() override {
    std::vector<std::unique_ptr<Collector>> targets;
    if (options_.client.groups.empty()) return targets;
    const std::string fingerprint = options_.Fingerprint();
    targets.push_back(
        datastore::MakeSummaryCollector(options_.interval, options_.timeout, fingerprint, nodes_));
    targets.push_back(datastore::MakeAuthoritiesCollector(
        options_.interval, options_.timeout, options_.trust_domain, fingerprint, nodes_));
    targets.push_back(
        datastore::MakeSurveyCollector(options_.deep_interval, fingerprint, classes_, nodes_));
    targets.push_back(datastore::MakeAuditCollector(options_.audit_interval, fingerprint, nodes_));
    return targets;
  }

  std::vector<CheckLine> Check(const ConfigNode& config, const Deadline& deadline) override {
    DatastoreOptions options;
    if (const Status read = datastore::ReadDatastoreOptions(config, deps_.role, &options);
        !read.ok()) {
      return {{"datastore", false, read.error().ToString(), "correct the configuration"}};
    }
    if (options.client.groups.empty()) return {};
    nodes_->Configure(options.client);
    return datastore::CheckRights(*nodes_, deadline);
  }

 private:
  const ModuleDeps deps_;
  const std::shared_ptr<pg::NodeSet> nodes_;  // the same for all who ask the database
  DatastoreOptions options_;
  std::shared_ptr<const spiffe::ClassMap> classes_;
};

std::vector<const FamilyDescription*> AllFamilies() {
  std::vector<const FamilyDescription*> all;
  for (const auto families : {datastore::SummaryFamilies(), datastore::AuthorityFamilies(),
                              datastore::SurveyFamilies(), datastore::AuditFamilies()}) {
    all.insert(all.end(), families.begin(), families.end());
  }
  return all;
}

Status Validate(const ConfigNode& config, Role role) {
  DatastoreOptions options;
  return datastore::ReadDatastoreOptions(config, role, &options);
}

}  // namespace

const CatalogEntry& DatastoreCatalogEntry() {
  static constexpr std::string_view kScalarKeys[] = {
      "datastore.tables", "datastore.interval", "datastore.deep_interval",
      "datastore.audit_interval", "datastore.timeout"};
  static constexpr std::string_view kOtherKeys[] = {"classes"};
  static const std::vector<const FamilyDescription*> families = AllFamilies();
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
      kOtherKeys,
      Grants{datastore::GrantFlags(), &datastore::GrantsText},
  };
  return entry;
}

}  // namespace spire_exporter
