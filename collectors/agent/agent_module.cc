#include "collectors/agent/agent_module.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/agent/agent_options.h"
#include "collectors/agent/health_collector.h"
#include "collectors/agent/state_collector.h"
#include "collectors/agent/state_families.h"

namespace spire_exporter {
namespace {

using agent::AgentOptions;

class AgentModule final : public Module {
 public:
  explicit AgentModule(const ModuleDeps& deps) : deps_(deps) {}

  Status Apply(const ConfigNode& config) override {
    return agent::ReadAgentOptions(config, deps_.role, &options_);
  }

  std::vector<std::unique_ptr<Collector>> Targets() override {
    std::vector<std::unique_ptr<Collector>> targets;
    if (!options_.enabled) return targets;
    if (!options_.health_url.empty()) targets.push_back(agent::MakeHealthCollector(options_));
    targets.push_back(agent::MakeStateCollector(options_));
    return targets;
  }

  std::vector<CheckLine> Check(const ConfigNode& config, const Deadline& deadline) override {
    AgentOptions options;
    if (const Status read = agent::ReadAgentOptions(config, deps_.role, &options); !read.ok()) {
      return {{"agent", false, read.error().ToString(), "correct the configuration"}};
    }
    std::vector<CheckLine> lines;
    if (!options.health_url.empty()) {
      lines.push_back(agent::CheckHealth(options, deps_.clock, deadline));
    }
    if (!options.admin_socket.empty()) {
      lines.push_back(agent::CheckAdmin(options, deps_.clock, deadline));
    }
    return lines;
  }

 private:
  const ModuleDeps deps_;
  AgentOptions options_;
};

Status Validate(const ConfigNode& config, Role role) {
  AgentOptions options;
  return agent::ReadAgentOptions(config, role, &options);
}

}  // namespace

const CatalogEntry& AgentCatalogEntry() {
  static constexpr std::string_view kScalarKeys[] = {
      "agent.health_url",       "agent.live_path",      "agent.ready_path", "agent.health_interval",
      "agent.admin_socket",     "agent.interval",       "agent.timeout",    "agent.sync_interval",
      "agent.x509_cache_limit", "agent.jwt_cache_limit"};
  static const std::vector<const FamilyDescription*> families = [] {
    std::vector<const FamilyDescription*> all;
    for (const auto some : {agent::HealthFamilies(), agent::StateFamilies()}) {
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }();
  static const CatalogEntry entry = {
      "agent",
      "The agent beside this process: health, synchronisation, caches, its own SVID",
      [](Role role) { return role == Role::kAgent; },
      families,
      &Validate,
      [](const ModuleDeps& deps) -> std::unique_ptr<Module> {
        return std::make_unique<AgentModule>(deps);
      },
      &agent::WithAgentDefaults,
      kScalarKeys,
  };
  return entry;
}

}  // namespace spire_exporter
