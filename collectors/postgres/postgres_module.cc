#include "collectors/postgres/postgres_module.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/clients/postgres/node_set.h"
#include "collectors/postgres/node_check.h"
#include "collectors/postgres/postgres_options.h"
#include "collectors/postgres/replication_collector.h"
#include "collectors/postgres/replication_families.h"
#include "collectors/postgres/statistics_collector.h"

namespace spire_exporter {
namespace {

using postgres::PostgresOptions;

class PostgresModule final : public Module {
 public:
  explicit PostgresModule(const ModuleDeps& deps)
      : deps_(deps), nodes_(deps.shared->Get<pg::NodeSet>([&deps] {
          return std::make_shared<pg::NodeSet>(deps.clock, deps.logger);
        })) {}

  Status Apply(const ConfigNode& config) override {
    PostgresOptions options;
    if (Status read = postgres::ReadPostgresOptions(config, deps_.role, &options); !read.ok()) {
      return read;
    }
    nodes_->Configure(options.client);
    options_ = std::move(options);
    return {};
  }

  std::vector<std::unique_ptr<Collector>> Targets() override {
    std::vector<std::unique_ptr<Collector>> targets;
    if (options_.client.groups.empty()) return targets;
    postgres::StatisticsOptions statistics;
    statistics.period = options_.interval;
    statistics.timeout = options_.timeout;
    statistics.spire_roles = options_.spire_roles;
    statistics.spire_pool_max = options_.spire_max_open_conns;
    statistics.client_fingerprint = options_.Fingerprint();
    targets.push_back(postgres::MakeReplicationCollector(
        options_.replication_interval, options_.timeout, options_.Fingerprint(), nodes_));
    targets.push_back(postgres::MakeStatisticsCollector(statistics, nodes_));
    return targets;
  }

  std::vector<CheckLine> Check(const ConfigNode& config, const Deadline& deadline) override {
    PostgresOptions options;
    if (const Status read = postgres::ReadPostgresOptions(config, deps_.role, &options);
        !read.ok()) {
      return {{"postgres", false, read.error().ToString(), "correct the configuration"}};
    }
    if (options.client.groups.empty()) return {};
    nodes_->Configure(options.client);
    return postgres::CheckNodes(*nodes_, deps_.clock, deadline);
  }

 private:
  const ModuleDeps deps_;
  const std::shared_ptr<pg::NodeSet> nodes_;  // the same for all who ask the database
  PostgresOptions options_;
};

Status Validate(const ConfigNode& config, Role role) {
  PostgresOptions options;
  return postgres::ReadPostgresOptions(config, role, &options);
}

}  // namespace

const CatalogEntry& PostgresCatalogEntry() {
  static constexpr std::string_view kScalarKeys[] = {
      "postgres.interval", "postgres.replication_interval", "postgres.timeout",
      "postgres.spire_max_open_conns"};
  static constexpr std::string_view kListKeys[] = {"postgres.spire_roles"};
  static const std::vector<const FamilyDescription*> families = [] {
    std::vector<const FamilyDescription*> all = postgres::StatisticsFamilies();
    const auto replication = postgres::ReplicationFamilies();
    all.insert(all.end(), replication.begin(), replication.end());
    return all;
  }();
  static const CatalogEntry entry = {
      "postgres",
      "PostgreSQL behind SPIRE: replication, locks and capacity of every node",
      [](Role role) { return role != Role::kAgent; },
      families,
      &Validate,
      [](const ModuleDeps& deps) -> std::unique_ptr<Module> {
        return std::make_unique<PostgresModule>(deps);
      },
      &postgres::WithPostgresDefaults,
      kScalarKeys,
      kListKeys,
      {},
  };
  return entry;
}

}  // namespace spire_exporter
