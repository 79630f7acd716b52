#include "collectors/skew/skew_module.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/skew/skew_collector.h"
#include "collectors/skew/skew_families.h"
#include "exporter/base/text.h"

namespace spire_exporter {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Status ReadOptions(const ConfigNode& config, skew::SkewOptions* options) {
  skew::SkewOptions read;
  ConfigReader reader(config["skew"]);
  reader.Read("interval", &read.interval, seconds(1), hours(1));
  reader.Read("roll_window", &read.roll_window, minutes(1), hours(24 * 30));
  if (const Status status = reader.Finish(); !status.ok()) return status;
  *options = read;
  return {};
}

class SkewModule final : public Module {
 public:
  Status Apply(const ConfigNode& config) override { return ReadOptions(config, &options_); }
  std::vector<std::unique_ptr<Collector>> Targets() override {
    std::vector<std::unique_ptr<Collector>> targets;
    targets.push_back(skew::MakeSkewCollector(options_));
    return targets;
  }
  // It asks nobody.
  std::vector<CheckLine> Check(const ConfigNode&, const Deadline&) override { return {}; }

 private:
  skew::SkewOptions options_;
};

Status Validate(const ConfigNode& config, Role) {
  skew::SkewOptions options;
  return ReadOptions(config, &options);
}

ConfigNode WithDefaults(const ConfigNode& config, Role role) {
  skew::SkewOptions options;
  if (role == Role::kAgent || !ReadOptions(config, &options).ok()) return config;
  return config.WithDefault("skew.interval", FormatDuration(options.interval))
      .WithDefault("skew.roll_window", FormatDuration(options.roll_window));
}

}  // namespace

const CatalogEntry& SkewCatalogEntry() {
  static constexpr std::string_view kScalarKeys[] = {"skew.interval", "skew.roll_window"};
  static const CatalogEntry entry = {
      "skew",
      "Versions of servers, agents and schema, and whether they fit together",
      [](Role role) { return role == Role::kServer; },
      skew::SkewFamilies(),
      &Validate,
      [](const ModuleDeps&) -> std::unique_ptr<Module> { return std::make_unique<SkewModule>(); },
      &WithDefaults,
      kScalarKeys,
  };
  return entry;
}

}  // namespace spire_exporter
