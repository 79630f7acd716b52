#include "collectors/spire_config/config_families.h"

#include "collectors/spire_config/config_names.h"

namespace spire_exporter::spire_config {
namespace {

constexpr Duration kConfigAge = std::chrono::minutes(5);
constexpr std::string_view kFromFiles = "server.conf, agent.conf";
constexpr std::array<std::string_view, 2> kComponents = {"server", "agent"};
constexpr std::array<std::string_view, 2> kOrigins = {"file", "default"};
constexpr LabelDescription kComponent{"component", "whose file", kComponents};

constexpr std::array kFileStateLabels = {
    kComponent, LabelDescription{"state", "whether it could be read, and why not", kFileStates}};
constexpr std::array kTimeLabels = {
    kComponent, LabelDescription{"setting", "SPIRE's name of it", kTimeNames},
    LabelDescription{"origin", "whether the file says it or SPIRE's default holds", kOrigins}};
constexpr std::array kPluginLabels = {
    kComponent, LabelDescription{"type", "SPIRE's type of plugin", kPluginTypes},
    LabelDescription{"name", "name of one of SPIRE's own plugins", kPluginNames}};
constexpr std::array kRuleLabels = {kComponent,
                                    LabelDescription{"rule", "what was found", kRuleNames}};
constexpr std::array kFeatureLabels = {
    kComponent, LabelDescription{"feature", "what can be on or off", kFeatureNames}};
constexpr std::array kComponentOnly = {kComponent};

constexpr FamilyDescription kFileState{
    .name = "spire_config_file_state",
    .type = MetricType::kStateSet,
    .labels = kFileStateLabels,
    .help = "Whether SPIRE's configuration file could be read.",
    .source = kFromFiles,
    .series_max = static_cast<uint32_t>(kComponents.size() * kFileStates.size()),
    .age_max = kConfigAge,
    .detail = Detail::kFull};
constexpr FamilyDescription kTime{
    .name = "spire_config_setting_seconds",
    .unit = "seconds",
    .labels = kTimeLabels,
    .help =
        "A lifetime or interval of SPIRE's configuration as it holds; absent when SPIRE takes it "
        "from its environment.",
    .source = kFromFiles,
    .series_max = 8,
    .age_max = kConfigAge};
constexpr FamilyDescription kPlugin{.name = "spire_config_plugin_info",
                                    .type = MetricType::kInfo,
                                    .labels = kPluginLabels,
                                    .help = "Plugins that SPIRE's configuration names.",
                                    .source = kFromFiles,
                                    .series_max = 64,
                                    .age_max = kConfigAge,
                                    .detail = Detail::kFull};
constexpr FamilyDescription kFinding{
    .name = "spire_config_findings",
    .labels = kRuleLabels,
    .help =
        "What stands out in SPIRE's configuration, by rule; a rule that cannot be judged is "
        "absent.",
    .source = kFromFiles,
    .series_max = 32,
    .age_max = kConfigAge};
constexpr FamilyDescription kFeature{
    .name = "spire_config_feature_enabled",
    .labels = kFeatureLabels,
    .help = "Whether SPIRE's configuration turns something on: 1 or 0.",
    .source = kFromFiles,
    .series_max = 20,
    .age_max = kConfigAge,
    .detail = Detail::kFull};
constexpr FamilyDescription kFederatesWith{
    .name = "spire_config_federated_trust_domains",
    .help = "Trust domains that the server's configuration federates with.",
    .source = "server.conf",
    .age_max = kConfigAge};
constexpr FamilyDescription kFingerprint{
    .name = "spire_config_fingerprint",
    .labels = kComponentOnly,
    .help =
        "48 bits of the settings that all servers, or all agents of a kind, should share: equal "
        "where these are; absent when one of them is not known.",
    .source = kFromFiles,
    .series_max = static_cast<uint32_t>(kComponents.size()),
    .age_max = kConfigAge};

constexpr const FamilyDescription* kConfigFamilies[] = {
    &kFileState, &kTime, &kPlugin, &kFinding, &kFeature, &kFederatesWith, &kFingerprint};

}  // namespace

std::span<const FamilyDescription* const> ConfigFamilies() {
  return kConfigFamilies;
}

std::string_view FileStateOf(Code code) {
  switch (code) {
    case Code::kOk:
      return "read";
    case Code::kNotFound:
      return "missing";
    case Code::kPermissionDenied:
      return "no_right";
    case Code::kFailedPrecondition:
      return "not_a_file";
    case Code::kResourceExhausted:
      return "too_large";
    case Code::kInvalidArgument:
      return "malformed";
    default:
      return "failed";
  }
}

void AddFileState(std::string_view component, std::string_view state, FamilyBuilder& families) {
  families.AddState(kFileState, {component}, state);
}

void AddConfig(const ConfigView& view, FamilyBuilder& families) {
  for (const TimeSetting& time : view.times) {
    families.Add(kTime, {view.component, time.name, time.from_file ? "file" : "default"},
                 Seconds(time.value));
  }
  for (const auto& [type, name] : view.plugins) {
    families.AddInfo(kPlugin, {view.component, type, name});
  }
  for (const auto& [rule, count] : view.findings) {
    families.Add(kFinding, {view.component, rule}, static_cast<double>(count));
  }
  for (const auto& [feature, on] : view.features) {
    families.Add(kFeature, {view.component, feature}, on ? 1 : 0);
  }
  if (view.federates_with) {
    families.Add(kFederatesWith, {}, static_cast<double>(*view.federates_with));
  }
  if (view.fingerprint) {
    families.Add(kFingerprint, {view.component}, static_cast<double>(*view.fingerprint));
  }
}

}  // namespace spire_exporter::spire_config
