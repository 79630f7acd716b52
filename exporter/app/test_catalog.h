// A catalogue of one module with one target, for the tests of this package.
#ifndef EXPORTER_APP_TEST_CATALOG_H_
#define EXPORTER_APP_TEST_CATALOG_H_

#include <array>
#include <memory>
#include <string>

#include "exporter/collect/module.h"

namespace spire_exporter {

inline constexpr std::array kColorLabels = {LabelDescription{"color", "a colour"}};
inline constexpr FamilyDescription kFakeLamps{.name = "spire_fake_lamps",
                                              .labels = kColorLabels,
                                              .help = "Lamps by colour.",
                                              .source = "a test",
                                              .series_max = 3};
inline constexpr std::array<const FamilyDescription*, 1> kLampFamilies = {&kFakeLamps};
inline constexpr std::array<std::string_view, 1> kLampScalars = {"lamps.color"};
inline constexpr std::array<std::string_view, 1> kLampLists = {"lamps.rooms"};

class LampCollector final : public Collector {
 public:
  explicit LampCollector(std::string color) : color_(std::move(color)) {}
  std::string_view Name() const override { return "lamps"; }
  std::string_view Target() const override { return "hall"; }
  std::string Fingerprint() const override { return color_; }
  Duration Period() const override { return std::chrono::hours(1); }
  Duration Timeout() const override { return std::chrono::seconds(1); }
  Result<Reading> Collect(const CollectContext&) override {
    if (color_ == "broken") return Error{Code::kUnavailable, "lamps: <no> \"light\"", "", true};
    Reading reading;
    reading.families.Add(kFakeLamps, {color_}, 2);
    return reading;
  }

 private:
  const std::string color_;
};

class LampModule final : public Module {
 public:
  Status Apply(const ConfigNode& config) override {
    color_ = config["lamps"]["color"].present() ? config["lamps"]["color"].text() : "white";
    return {};
  }
  std::vector<std::unique_ptr<Collector>> Targets() override {
    std::vector<std::unique_ptr<Collector>> targets;
    targets.push_back(std::make_unique<LampCollector>(color_));
    return targets;
  }
  std::vector<CheckLine> Check(const ConfigNode& config, const Deadline&) override {
    if (config["lamps"]["color"].text() == "broken")
      return {{"lamps hall", false, "no light", "change the bulb"}};
    return {{"lamps hall", true, "shines", ""}};
  }

 private:
  std::string color_;
};

inline Status ValidateLamps(const ConfigNode& config, Role) {
  ConfigReader reader(config["lamps"]);
  std::string color;
  reader.Read("color", &color);
  reader.Take("rooms");
  return reader.Finish();
}

inline constexpr std::array kLampGrants = {
    GrantFlag{"role", "NAME", "lamplighter", "Who may switch"},
    GrantFlag{"remove", "", "", "Take the key away again"}};

inline constexpr std::array<CatalogEntry, 1> kTestCatalog = {CatalogEntry{
    "lamps",
    "lamps and their colours",
    [](Role) { return true; },
    kLampFamilies,
    &ValidateLamps,
    [](const ModuleDeps&) -> std::unique_ptr<Module> { return std::make_unique<LampModule>(); },
    [](const ConfigNode& config, Role) {
      return config.WithDefault("lamps.color", std::string("white"));
    },
    kLampScalars,
    kLampLists,
    {},
    Grants{kLampGrants, [](const GrantChoices& choices) -> Result<std::string> {
             return "a key for " + choices.at("role") + "\n";
           }}}};

}  // namespace spire_exporter

#endif  // EXPORTER_APP_TEST_CATALOG_H_
