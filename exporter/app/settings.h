// What is in force: the configuration file, the environment and the flags brought together, in
// rising precedence.
#ifndef EXPORTER_APP_SETTINGS_H_
#define EXPORTER_APP_SETTINGS_H_

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/app/command_line.h"
#include "exporter/base/config_node.h"
#include "exporter/base/result.h"
#include "exporter/collect/module.h"
#include "exporter/metrics/description.h"
#include "exporter/metrics/limits.h"

namespace spire_exporter {

// By Role, as they are configured and shown.
inline constexpr std::array<std::string_view, 3> kRoles = {"server", "agent", "standalone"};

// Immutable once made; a reload makes another one and compares.
struct Settings {
  ConfigNode config;  // the tree as collectors read it
  Role role = Role::kStandalone;
  std::string trust_domain;
  Limits limits;
  Detail profile = Detail::kFull;
  std::vector<std::string_view> enabled;  // names of collectors, views into the catalogue
  std::vector<std::string> listen_addresses;
};

// Reads the file again each time. Every key is validated, those of collectors that are switched off
// as well. `environment` holds entries `NAME=VALUE`. An error names the file, line and column, the
// variable or the flag.
Result<Settings> LoadSettings(const CommandLine& line, std::span<const std::string> environment,
                              std::span<const CatalogEntry> catalog);

// The process's environment in that form.
std::vector<std::string> ProcessEnvironment();

}  // namespace spire_exporter

#endif  // EXPORTER_APP_SETTINGS_H_
