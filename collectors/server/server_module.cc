#include "collectors/server/server_module.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/server/health_collector.h"
#include "collectors/server/server_options.h"
#include "collectors/server/socket_collector.h"

namespace spire_exporter {
namespace {

using server::ServerOptions;

class ServerModule final : public Module {
 public:
  explicit ServerModule(const ModuleDeps& deps) : deps_(deps) {}

  Status Apply(const ConfigNode& config) override {
    return server::ReadServerOptions(config, deps_.role, &options_);
  }

  std::vector<std::unique_ptr<Collector>> Targets() override {
    std::vector<std::unique_ptr<Collector>> targets;
    if (!options_.health_url.empty()) targets.push_back(server::MakeHealthCollector(options_));
    if (!options_.api_socket.empty()) {
      // The address has been read well.
      if (auto socket = server::MakeSocketCollector(options_); socket.ok()) {
        targets.push_back(*std::move(socket));
      }
    }
    return targets;
  }

  std::vector<CheckLine> Check(const ConfigNode& config, const Deadline& deadline) override {
    ServerOptions options;
    if (const Status read = server::ReadServerOptions(config, deps_.role, &options); !read.ok()) {
      return {{"server", false, read.error().ToString(), "correct the configuration"}};
    }
    std::vector<CheckLine> lines;
    if (!options.health_url.empty()) {
      lines.push_back(server::CheckHealth(options, deps_.clock, deadline));
    }
    if (!options.api_socket.empty()) {
      lines.push_back(server::CheckSocket(options, deps_.clock, deadline));
    }
    return lines;
  }

 private:
  const ModuleDeps deps_;
  ServerOptions options_;
};

Status Validate(const ConfigNode& config, Role role) {
  ServerOptions options;
  return server::ReadServerOptions(config, role, &options);
}

}  // namespace

const CatalogEntry& ServerCatalogEntry() {
  static constexpr std::string_view kScalarKeys[] = {
      "server.health_url",        "server.live_path",      "server.ready_path",
      "server.api_socket",        "server.interval",       "server.timeout",
      "server.liveness.failures", "server.liveness.period"};
  static constexpr std::string_view kOtherKeys[] = {"postgres"};
  static const std::vector<const FamilyDescription*> families = [] {
    std::vector<const FamilyDescription*> all;
    for (const auto& some : {server::HealthFamilies(), server::SocketFamilies()}) {
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }();
  static const CatalogEntry entry = {
      "server",
      "The server beside this process: its health, and its API socket where that is opted in",
      [](Role role) { return role == Role::kServer; },
      families,
      &Validate,
      [](const ModuleDeps& deps) -> std::unique_ptr<Module> {
        return std::make_unique<ServerModule>(deps);
      },
      &server::WithServerDefaults,
      kScalarKeys,
      {},
      kOtherKeys,
  };
  return entry;
}

}  // namespace spire_exporter
