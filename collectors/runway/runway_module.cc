#include "collectors/runway/runway_module.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/runway/runway_families.h"
#include "collectors/runway/runway_judge.h"
#include "collectors/runway/runway_options.h"

namespace spire_exporter {
namespace {

using runway::RunwayOptions;

// Asks nobody: reads the board and judges. Costs some microseconds.
class RunwayCollector final : public Collector {
 public:
  explicit RunwayCollector(const RunwayOptions& options) : options_(options), judge_(options) {}

  std::string_view Name() const override { return "runway"; }
  std::string_view Target() const override { return "runway"; }
  std::string Fingerprint() const override { return options_.Fingerprint(); }
  Duration Period() const override { return std::chrono::seconds(5); }
  Duration Timeout() const override { return std::chrono::seconds(1); }

  Result<Reading> Collect(const CollectContext& context) override {
    const SystemTime system = context.clock.System();
    Reading reading;
    runway::AddRunway(judge_.Judge(context.facts, context.clock.Steady(), system), system,
                      reading.families);
    // For whoever else must know the lifetime.
    spire::SpireConfigFact said;
    said.x509_svid_ttl = options_.x509_svid_ttl;
    said.agent_ttl = options_.agent_ttl;
    said.sync_interval = options_.sync_interval;
    reading.facts.push_back(
        Fact::Make<spire::SpireConfigFact>("runway", context.clock.Steady(), std::move(said)));
    return reading;
  }

 private:
  const RunwayOptions options_;
  runway::RunwayJudge judge_;
};

class RunwayModule final : public Module {
 public:
  explicit RunwayModule(const ModuleDeps& deps) : role_(deps.role) {}

  Status Apply(const ConfigNode& config) override {
    return runway::ReadRunwayOptions(config, role_, &options_);
  }
  std::vector<std::unique_ptr<Collector>> Targets() override {
    std::vector<std::unique_ptr<Collector>> targets;
    targets.push_back(std::make_unique<RunwayCollector>(options_));
    return targets;
  }
  // Nothing is connected to.
  std::vector<CheckLine> Check(const ConfigNode& config, const Deadline&) override {
    RunwayOptions options;
    const Status read = runway::ReadRunwayOptions(config, role_, &options);
    if (read.ok()) return {};
    return {{"runway", false, read.error().ToString(), "correct the configuration"}};
  }

 private:
  const Role role_;
  RunwayOptions options_;
};

Status Validate(const ConfigNode& config, Role role) {
  RunwayOptions options;
  return runway::ReadRunwayOptions(config, role, &options);
}

}  // namespace

const CatalogEntry& RunwayCatalogEntry() {
  static constexpr std::string_view kScalarKeys[] = {"runway.x509_svid_ttl", "runway.agent_ttl",
                                                     "runway.sync_interval"};
  static const CatalogEntry entry = {
      "runway",
      "How long identities last if nothing is issued any more",
      [](Role) { return true; },
      runway::RunwayFamilies(),
      &Validate,
      [](const ModuleDeps& deps) -> std::unique_ptr<Module> {
        return std::make_unique<RunwayModule>(deps);
      },
      // What is not set is not known.
      [](const ConfigNode& config, Role) { return config; },
      kScalarKeys,
  };
  return entry;
}

}  // namespace spire_exporter
