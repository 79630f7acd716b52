#include "collectors/spire_config/config_collector.h"

#include <utility>

#include "collectors/spire_config/config_families.h"

namespace spire_exporter::spire_config {
namespace {

std::string_view NameOf(Component component) {
  return component == Component::kServer ? "server" : "agent";
}

const std::string& PathOf(Component component, const SpireConfigOptions& options) {
  return component == Component::kServer ? options.server : options.agent;
}

Result<ConfigView> Read(Component component, const SpireConfigOptions& options) {
  const bool server = component == Component::kServer;
  const Result<Node> tree =
      ReadConfigTree(PathOf(component, options), server ? ServerRules() : AgentRules());
  if (!tree.ok()) return tree.error();
  return server ? JudgeServer(*tree, options.telemetry) : JudgeAgent(*tree, options.telemetry);
}

class ConfigCollector final : public Collector {
 public:
  ConfigCollector(Component component, const SpireConfigOptions& options)
      : component_(component), options_(options) {}

  std::string_view Name() const override { return "spire_config"; }
  std::string_view Target() const override { return NameOf(component_); }
  std::string Fingerprint() const override { return options_.Fingerprint(); }
  Duration Period() const override { return options_.interval; }
  Duration Timeout() const override { return std::chrono::seconds(5); }

  Result<Reading> Collect(const CollectContext& context) override {
    const std::string_view name = NameOf(component_);
    Reading reading;
    Result<ConfigView> view = Read(component_, options_);
    AddFileState(name, FileStateOf(view.ok() ? Code::kOk : view.error().code), reading.families);
    if (!view.ok()) {
      reading.problem = std::move(view).error();
      return reading;
    }
    AddConfig(*view, reading.families);
    reading.facts.push_back(Fact::Make(std::string(name), context.clock.Steady(), view->fact));
    return reading;
  }

 private:
  const Component component_;
  const SpireConfigOptions options_;
};

std::string Remedy(Component component, Code code) {
  const std::string key = "spire_config." + std::string(NameOf(component));
  switch (code) {
    case Code::kNotFound:
      return "mount SPIRE's configuration read-only, or correct " + key;
    case Code::kPermissionDenied:
      return "let this process's user read the file";
    case Code::kInvalidArgument:
      return "correct the file: SPIRE would not start with it either";
    default:
      return "set " + key + " to SPIRE's configuration file";
  }
}

}  // namespace

std::unique_ptr<Collector> MakeConfigCollector(Component component,
                                               const SpireConfigOptions& options) {
  return std::make_unique<ConfigCollector>(component, options);
}

CheckLine CheckConfig(Component component, const SpireConfigOptions& options) {
  CheckLine line;
  line.subject = "spire_config " + PathOf(component, options);
  const Result<ConfigView> view = Read(component, options);
  line.good = view.ok();
  if (!view.ok()) {
    line.detail = view.error().ToString();
    line.remedy = Remedy(component, view.error().code);
    return line;
  }
  std::string found;
  for (const auto& [rule, count] : view->findings) {
    if (count > 0) found += (found.empty() ? "; found: " : ", ") + std::string(rule);
  }
  line.detail = std::to_string(view->plugins.size()) + " plugins" + found;
  return line;
}

std::optional<CheckLine> CheckKeysBesideAgent(const ConfigNode& config,
                                              const SpireConfigOptions& options) {
  const Result<ConfigView> view = Read(Component::kAgent, options);
  std::string missing;
  const auto want = [&missing](const ConfigNode& key, const std::string& what) {
    if (key.text().empty()) missing += (missing.empty() ? "" : ", ") + what;
  };
  std::string servers = "the servers (svid.server.address";
  if (view.ok() && !view->fact.server_address.empty()) {
    servers += ": " + view->fact.server_address;
    servers += view->fact.server_port.empty() ? "" : ":" + view->fact.server_port;
  }
  want(config["svid"]["server"]["address"], servers + ")");
  want(config["svid"]["canary"]["socket"], "new signatures (svid.canary.socket)");
  want(config["agent"]["admin_socket"], "the agent's cache (agent.admin_socket)");
  if (missing.empty()) return std::nullopt;
  CheckLine line;
  line.subject = "beside the agent";
  line.good = true;
  line.detail = "not looked at for want of a key: " + missing;
  return line;
}

}  // namespace spire_exporter::spire_config
