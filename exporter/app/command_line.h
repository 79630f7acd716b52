// The command line, read once. CLI11 stops here.
#ifndef EXPORTER_APP_COMMAND_LINE_H_
#define EXPORTER_APP_COMMAND_LINE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "exporter/base/logger.h"
#include "exporter/collect/module.h"
#include "exporter/log/make_logger.h"

namespace spire_exporter {

enum class Command { kServe, kCheck, kGrants, kMetrics };

// What was asked for. Value type; an option that was not given is absent or empty.
struct CommandLine {
  Command command = Command::kServe;
  std::string config_file;
  bool config_check = false;
  std::optional<Role> role;
  std::vector<std::string> listen_addresses;
  std::vector<std::string> probe_listen_addresses;
  std::string web_config_file;
  bool systemd_sockets = false;
  std::string telemetry_path = "/metrics";
  uint32_t max_requests = 40;
  std::map<std::string, bool, std::less<>> collectors;  // switched on or off by flag
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kLogfmt;
  bool metrics_as_json = false;
  GrantChoices grants;  // of the subcommand `grants`, complete
};

// Text to print and the exit code with which to end at once: --help, --version, wrong usage.
struct EarlyExit {
  int code = 0;
  std::string to_stdout;
  std::string to_stderr;
};

// Reads argv. Wrong usage gives exit code 2 and one line that says what was expected.
std::variant<CommandLine, EarlyExit> ParseCommandLine(std::span<const char* const> argv,
                                                      std::span<const CatalogEntry> catalog);

// `spire-exporter 0.1.0 (revision abc, g++ 12.2.0)`.
std::string VersionText();

}  // namespace spire_exporter

#endif  // EXPORTER_APP_COMMAND_LINE_H_
