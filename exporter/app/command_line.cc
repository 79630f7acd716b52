#include "exporter/app/command_line.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <sstream>

#include "exporter/app/version.h"

namespace spire_exporter {
namespace {

constexpr int kWrongUsage = 2;

// Flags as CLI11 wants them: plain variables that outlive the parse.
struct Raw {
  std::string role;
  std::string log_level = "info";
  std::string log_format = "logfmt";
  std::string metrics_format = "markdown";
  bool version = false;
  std::map<std::string, bool> collectors;
  GrantChoices grants;
  std::map<std::string, bool> grant_switches;
};

void AddFlags(CLI::App& app, CommandLine& line, Raw& raw, std::span<const CatalogEntry> catalog) {
  app.add_option("--config.file", line.config_file,
                 "Configuration file (YAML); without it the role's defaults apply")
      ->type_name("FILE");
  app.add_flag(
      "--config.check", line.config_check,
      "Validate the configuration, print what is in force without secrets, and exit 0 or 1");
  app.add_option("--role", raw.role, "What this process stands beside: server, agent or standalone")
      ->check(CLI::IsMember({"server", "agent", "standalone"}))
      ->type_name("ROLE");
  app.add_option("--web.listen-address", line.listen_addresses,
                 "Where to serve, repeatable: host:port, :port, [v6]:port or unix:PATH "
                 "(default :9925 server, :9926 agent, :9927 standalone)")
      ->allow_extra_args(false)
      ->type_name("ADDRESS");
  app.add_option("--web.probe-listen-address", line.probe_listen_addresses,
                 "Where to serve /-/healthy and /-/ready alone, repeatable")
      ->allow_extra_args(false)
      ->type_name("ADDRESS");
  app.add_option("--web.config.file", line.web_config_file,
                 "Web configuration file: TLS, client certificates, passwords, headers, rate limit")
      ->type_name("FILE");
  app.add_flag("--web.systemd-socket", line.systemd_sockets,
               "Serve on the sockets that systemd passes instead of --web.listen-address");
  app.add_option("--web.telemetry-path", line.telemetry_path, "Path of the metrics")
      ->check([](const std::string& path) {
        return path.size() > 1 && path.front() == '/' &&
                       path.find_first_of("?# ") == std::string::npos
                   ? std::string()
                   : std::string("a path such as /metrics is expected");
      })
      ->type_name("PATH")
      ->capture_default_str();
  app.add_option("--web.max-requests", line.max_requests, "Scrapes answered at once; more get 503")
      ->check(CLI::Range(1, 10'000))
      ->type_name("N")
      ->capture_default_str();
  for (const CatalogEntry& entry : catalog) {
    const std::string name(entry.name);
    app.add_flag("--collector." + name + ",!--no-collector." + name, raw.collectors[name],
                 std::string(entry.summary));
  }
  app.add_option("--log.level", raw.log_level, "Least level to write: debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->type_name("LEVEL")
      ->capture_default_str();
  app.add_option("--log.format", raw.log_format, "Log lines as logfmt or json")
      ->check(CLI::IsMember({"logfmt", "json"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  app.add_flag("--version", raw.version, "Print the version and exit");
}

const Grants* GrantsOf(std::span<const CatalogEntry> catalog) {
  for (const CatalogEntry& entry : catalog) {
    if (entry.grants) return &*entry.grants;
  }
  return nullptr;
}

// The subcommand `grants`, with the flags that the catalogue names.
CLI::App* AddGrants(CLI::App& app, Raw& raw, const Grants& grants) {
  CLI::App* command = app.add_subcommand(
      "grants", "Print what gives the database role the least rights it needs, or removes it");
  for (const GrantFlag& flag : grants.flags) {
    const std::string name(flag.name);
    if (flag.value.empty()) {
      command->add_flag("--" + name, raw.grant_switches[name], std::string(flag.help));
      continue;
    }
    raw.grants[name] = std::string(flag.otherwise);
    CLI::Option* option =
        command->add_option("--" + name, raw.grants[name], std::string(flag.help));
    option->type_name(std::string(flag.value));
    if (!flag.otherwise.empty()) option->capture_default_str();
  }
  return command;
}

Role RoleOf(const std::string& name) {
  if (name == "server") return Role::kServer;
  if (name == "agent") return Role::kAgent;
  return Role::kStandalone;
}

}  // namespace

std::string VersionText() {
  return std::string("spire-exporter ") + kVersion + " (revision " + kRevision + ", g++ " +
         __VERSION__ + ")";
}

std::variant<CommandLine, EarlyExit> ParseCommandLine(std::span<const char* const> argv,
                                                      std::span<const CatalogEntry> catalog) {
  CommandLine line;
  Raw raw;
  CLI::App app{"Watches SPIRE from the inside and serves what it sees to Prometheus.",
               "spire-exporter"};
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.fallthrough();  // flags may stand after the subcommand, too
  app.require_subcommand(0, 1);
  AddFlags(app, line, raw, catalog);
  app.add_subcommand("serve", "Serve metrics (what happens without a subcommand)");
  const CLI::App* check = app.add_subcommand(
      "check",
      "Connect once to every configured source and say what works and what mends the rest");
  const Grants* const grants = GrantsOf(catalog);
  const CLI::App* const grants_command = grants ? AddGrants(app, raw, *grants) : nullptr;
  CLI::App* metrics = app.add_subcommand("metrics", "Print every metric family with its meaning");
  metrics->add_option("--format", raw.metrics_format, "markdown or json")
      ->check(CLI::IsMember({"markdown", "json"}))
      ->capture_default_str();

  try {
    app.parse(static_cast<int>(argv.size()), argv.data());
  } catch (const CLI::CallForHelp&) {
    return EarlyExit{0, app.help(), ""};
  } catch (const CLI::ParseError& error) {
    return EarlyExit{
        kWrongUsage, "",
        "spire-exporter: " + std::string(error.what()) + " (see spire-exporter --help)\n"};
  }
  if (raw.version) return EarlyExit{0, VersionText() + "\n", ""};

  if (check->parsed()) line.command = Command::kCheck;
  if (grants_command != nullptr && grants_command->parsed()) line.command = Command::kGrants;
  if (metrics->parsed()) line.command = Command::kMetrics;
  if (!raw.role.empty()) line.role = RoleOf(raw.role);
  for (const CatalogEntry& entry : catalog) {
    const std::string name(entry.name);
    if (app.count("--collector." + name) > 0) line.collectors[name] = raw.collectors[name];
  }
  line.grants = raw.grants;
  for (const auto& [name, on] : raw.grant_switches) line.grants[name] = on ? "true" : "";
  line.metrics_as_json = raw.metrics_format == "json";
  // IsMember has seen to it that these parse.
  line.log_level = ParseLogLevel(raw.log_level).value();
  line.log_format = ParseLogFormat(raw.log_format).value();
  return line;
}

}  // namespace spire_exporter
