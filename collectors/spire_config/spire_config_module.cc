#include "collectors/spire_config/spire_config_module.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/spire_config/audit_collector.h"
#include "collectors/spire_config/config_collector.h"
#include "collectors/spire_config/config_families.h"
#include "collectors/spire_config/spire_config_options.h"

namespace spire_exporter {
namespace {

using spire_config::Component;
using spire_config::SpireConfigOptions;

class SpireConfigModule final : public Module {
 public:
  explicit SpireConfigModule(const ModuleDeps& deps) : deps_(deps) {}

  Status Apply(const ConfigNode& config) override {
    return spire_config::ReadSpireConfigOptions(config, &options_);
  }

  std::vector<std::unique_ptr<Collector>> Targets() override {
    std::vector<std::unique_ptr<Collector>> targets;
    if (!options_.server.empty()) {
      targets.push_back(spire_config::MakeConfigCollector(Component::kServer, options_));
    }
    if (!options_.agent.empty()) {
      targets.push_back(spire_config::MakeConfigCollector(Component::kAgent, options_));
    }
    if (!options_.audit_log.empty()) targets.push_back(spire_config::MakeAuditCollector(options_));
    return targets;
  }

  std::vector<CheckLine> Check(const ConfigNode& config, const Deadline& deadline) override {
    SpireConfigOptions options;
    if (const Status read = spire_config::ReadSpireConfigOptions(config, &options); !read.ok()) {
      return {{"spire_config", false, read.error().ToString(), "correct the configuration"}};
    }
    std::vector<CheckLine> lines;
    if (!options.server.empty()) {
      lines.push_back(spire_config::CheckConfig(Component::kServer, options));
    }
    if (!options.agent.empty()) {
      lines.push_back(spire_config::CheckConfig(Component::kAgent, options));
      if (auto keys = spire_config::CheckKeysBesideAgent(config, options)) {
        lines.push_back(*std::move(keys));
      }
    }
    if (!options.audit_log.empty()) {
      lines.push_back(spire_config::CheckAudit(options, deps_.clock, deadline));
    }
    return lines;
  }

 private:
  const ModuleDeps deps_;
  SpireConfigOptions options_;
};

Status Validate(const ConfigNode& config, Role) {
  SpireConfigOptions options;
  return spire_config::ReadSpireConfigOptions(config, &options);
}

ConfigNode WithDefaults(const ConfigNode& config, Role) {
  SpireConfigOptions options;
  if (!spire_config::ReadSpireConfigOptions(config, &options).ok()) return config;
  return spire_config::WithSpireConfigDefaults(config, std::move(options));
}

}  // namespace

const CatalogEntry& SpireConfigCatalogEntry() {
  static constexpr std::string_view kScalarKeys[] = {
      "spire_config.server", "spire_config.agent", "spire_config.audit_log",
      "spire_config.interval", "spire_config.audit_interval"};
  static constexpr std::string_view kOtherKeys[] = {"telemetry"};
  static const std::vector<const FamilyDescription*> families = [] {
    std::vector<const FamilyDescription*> all;
    for (const auto& some : {spire_config::ConfigFamilies(), spire_config::AuditFamilies()}) {
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }();
  static const CatalogEntry entry = {
      "spire_config",
      "SPIRE's own configuration files and its audit log",
      [](Role) { return true; },
      families,
      &Validate,
      [](const ModuleDeps& deps) -> std::unique_ptr<Module> {
        return std::make_unique<SpireConfigModule>(deps);
      },
      &WithDefaults,
      kScalarKeys,
      {},
      kOtherKeys,
  };
  return entry;
}

}  // namespace spire_exporter
