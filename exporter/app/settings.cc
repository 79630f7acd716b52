#include "exporter/app/settings.h"

#include <unistd.h>

#include <array>

#include "exporter/config/environment.h"
#include "exporter/config/yaml.h"

namespace spire_exporter {
namespace {

constexpr std::array<std::string_view, 3> kProfiles = {"minimal", "standard", "full"};
constexpr std::array<std::string_view, 5> kOwnScalars = {
    "role", "trust_domain", "profile", "limits.max_series", "limits.max_label_length"};

KnownKeys KeysOf(std::span<const CatalogEntry> catalog) {
  KnownKeys known;
  known.scalars.assign(kOwnScalars.begin(), kOwnScalars.end());
  for (const CatalogEntry& entry : catalog) {
    known.scalars.insert(known.scalars.end(), entry.scalar_keys.begin(), entry.scalar_keys.end());
    known.lists.insert(known.lists.end(), entry.list_keys.begin(), entry.list_keys.end());
  }
  return known;
}

Status ReadLimits(const ConfigNode& node, Limits* limits) {
  ConfigReader reader(node);
  int64_t series = static_cast<int64_t>(limits->series_max);
  int64_t length = static_cast<int64_t>(limits->label_length_max);
  reader.Read("max_series", &series, 1, 10'000'000);
  reader.Read("max_label_length", &length, 8, 4096);
  limits->series_max = static_cast<uint64_t>(series);
  limits->label_length_max = static_cast<uint64_t>(length);
  return reader.Finish();
}

std::string DefaultListenAddress(Role role) {
  switch (role) {
    case Role::kServer:
      return ":9925";
    case Role::kAgent:
      return ":9926";
    case Role::kStandalone:
      return ":9927";
  }
  return ":9927";
}

Result<ConfigNode> LoadTree(const CommandLine& line, std::span<const std::string> environment,
                            std::span<const CatalogEntry> catalog) {
  ConfigNode tree = ConfigNode::Map("", line.config_file, {});
  if (!line.config_file.empty()) {
    Result<ConfigNode> loaded = LoadFile(line.config_file);
    if (!loaded.ok()) return loaded;
    tree = *loaded;
  }
  Result<ConfigNode> overridden = ApplyEnvironment(tree, environment, KeysOf(catalog));
  if (!overridden.ok()) return overridden;
  tree = *overridden;
  if (line.role) tree = tree.With("role", "flag --role", std::string(RoleName(*line.role)));
  return tree;
}

}  // namespace

Result<Settings> LoadSettings(const CommandLine& line, std::span<const std::string> environment,
                              std::span<const CatalogEntry> catalog) {
  Result<ConfigNode> tree = LoadTree(line, environment, catalog);
  if (!tree.ok()) return std::move(tree).error();

  Settings settings;
  settings.config = *tree;
  ConfigReader reader(*tree);
  size_t role = static_cast<size_t>(Role::kStandalone);
  reader.ReadChoice("role", kRoles, &role);
  settings.role = static_cast<Role>(role);
  reader.Read("trust_domain", &settings.trust_domain);
  size_t profile =
      static_cast<size_t>(settings.role == Role::kStandalone ? Detail::kFull : Detail::kStandard);
  reader.ReadChoice("profile", kProfiles, &profile);
  settings.profile = static_cast<Detail>(profile);
  reader.Check(ReadLimits(reader.Take("limits"), &settings.limits));
  for (const CatalogEntry& entry : catalog) {
    reader.Take(entry.name);
    for (const std::string_view key : entry.other_keys) reader.Take(key);
  }
  if (const Status known = reader.Finish(); !known.ok()) return known.error();

  for (const CatalogEntry& entry : catalog) {
    if (const Status valid = entry.validate(*tree, settings.role); !valid.ok())
      return valid.error();
    const auto flag = line.collectors.find(entry.name);
    const bool on =
        flag != line.collectors.end() ? flag->second : entry.on_by_default(settings.role);
    if (on) settings.enabled.push_back(entry.name);
    settings.config = entry.with_defaults(settings.config, settings.role);
  }
  settings.config =
      settings.config.WithDefault("role", std::string(RoleName(settings.role)))
          .WithDefault("profile", std::string(DetailName(settings.profile)))
          .WithDefault("limits.max_series", std::to_string(settings.limits.series_max))
          .WithDefault("limits.max_label_length", std::to_string(settings.limits.label_length_max));
  settings.listen_addresses = line.listen_addresses;
  if (settings.listen_addresses.empty()) {
    settings.listen_addresses.push_back(DefaultListenAddress(settings.role));
  }
  return settings;
}

std::vector<std::string> ProcessEnvironment() {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    entries.emplace_back(*entry);
  return entries;
}

}  // namespace spire_exporter
