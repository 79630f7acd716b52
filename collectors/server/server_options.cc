#include "collectors/server/server_options.h"

#include <utility>

#include "collectors/clients/http/url.h"
#include "collectors/clients/postgres/read_nodes.h"
#include "collectors/clients/spire/channel.h"
#include "exporter/base/text.h"

namespace spire_exporter::server {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string ServerOptions::Fingerprint() const {
  std::string text;
  for (const std::string& each :
       {health_url, live_path, ready_path, api_socket, FormatDuration(interval),
        FormatDuration(timeout), std::to_string(liveness.failures),
        FormatDuration(liveness.period)}) {
    text += each + '\n';
  }
  for (const std::string& name : databases) text += name + '\n';
  return text;
}

Status ReadServerOptions(const ConfigNode& config, Role role, ServerOptions* options) {
  ServerOptions read;
  if (role == Role::kServer) read.health_url = "http://127.0.0.1:8080";
  ConfigReader reader(config["server"]);
  reader.Read("health_url", &read.health_url);
  reader.Read("live_path", &read.live_path);
  reader.Read("ready_path", &read.ready_path);
  reader.Read("api_socket", &read.api_socket);
  reader.Read("interval", &read.interval, seconds(1), minutes(10));
  reader.Read("timeout", &read.timeout, milliseconds(100), minutes(1));
  if (read.timeout > read.interval) reader.Fail("timeout", "longer than the interval");
  while (read.health_url.ends_with('/')) read.health_url.pop_back();
  if (!read.health_url.empty()) {
    if (const auto url = ParseUrl(read.health_url); !url.ok()) {
      reader.Fail("health_url", url.error().what);
    } else if (url->target != "/") {
      reader.Fail("health_url", "has a path: expected live_path and ready_path to have it");
    }
    for (const auto& [key, path] :
         {std::pair<const char*, const std::string&>("live_path", read.live_path),
          {"ready_path", read.ready_path}}) {
      if (!path.starts_with('/') || !ParseUrl(read.health_url + path).ok()) {
        reader.Fail(key, "expected a path such as /live");
      }
    }
  }
  if (!read.api_socket.empty()) {
    const auto channel = spire::Channel::ToSocket(read.api_socket);
    if (!channel.ok()) reader.Fail("api_socket", channel.error().what);
  }
  ConfigReader liveness(reader.Take("liveness"));
  liveness.Read("failures", &read.liveness.failures, 0, 1000);
  liveness.Read("period", &read.liveness.period, seconds(1), hours(1));
  reader.Check(liveness.Finish());
  if (const Status status = reader.Finish(); !status.ok()) return status;
  // What is wrong with them is the collector postgres' to say.
  std::vector<pg::GroupOptions> groups;
  if (pg::ReadNodes(config["postgres"]["nodes"], &groups).ok()) {
    for (const pg::GroupOptions& group : groups) {
      if (group.expect != pg::Expect::kStandby) read.databases.push_back(group.name);
    }
  }
  *options = std::move(read);
  return {};
}

ConfigNode WithServerDefaults(const ConfigNode& config, Role role) {
  ServerOptions options;
  if (!ReadServerOptions(config, role, &options).ok()) return config;
  if (options.health_url.empty() && options.api_socket.empty()) return config;
  return config.WithDefault("server.health_url", options.health_url)
      .WithDefault("server.live_path", options.live_path)
      .WithDefault("server.ready_path", options.ready_path)
      .WithDefault("server.interval", FormatDuration(options.interval))
      .WithDefault("server.timeout", FormatDuration(options.timeout))
      .WithDefault("server.liveness.failures", std::to_string(options.liveness.failures))
      .WithDefault("server.liveness.period", FormatDuration(options.liveness.period));
}

}  // namespace spire_exporter::server
