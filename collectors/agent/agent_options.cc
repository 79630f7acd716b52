#include "collectors/agent/agent_options.h"

#include <utility>

#include "collectors/clients/http/url.h"
#include "exporter/base/text.h"

namespace spire_exporter::agent {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr std::string_view kHealthUrl = "http://127.0.0.1:9982";
constexpr int64_t kCacheMax = 10'000'000;

void CheckPath(ConfigReader& reader, std::string_view key, const std::string& path) {
  if (!path.starts_with('/') || !ParseUrl("http://localhost" + path).ok()) {
    reader.Fail(key, "a path is expected, such as /live");
  }
}

void CheckHealthUrl(ConfigReader& reader, const std::string& text) {
  if (text.empty()) return;
  const auto url = ParseUrl(text);
  if (!url.ok()) {
    reader.Fail("health_url", url.error().what);
  } else if (url->target != "/" || url->tls) {
    reader.Fail("health_url", "http://HOST:PORT is expected, without a path");
  }
}

}  // namespace

std::string AgentOptions::Fingerprint() const {
  std::string out;
  for (const std::string& each :
       {health_url, live_path, ready_path, FormatDuration(health_interval), admin_socket,
        FormatDuration(interval), FormatDuration(timeout),
        sync_interval ? FormatDuration(*sync_interval) : "-", std::to_string(x509_cache_limit),
        std::to_string(jwt_cache_limit)}) {
    out += each + '\n';
  }
  return out;
}

Status ReadAgentOptions(const ConfigNode& config, Role role, AgentOptions* options) {
  AgentOptions read;
  if (role == Role::kAgent) read.health_url = kHealthUrl;
  ConfigReader reader(config["agent"]);
  reader.Read("health_url", &read.health_url);
  if (read.health_url.ends_with('/')) read.health_url.pop_back();
  CheckHealthUrl(reader, read.health_url);
  reader.Read("live_path", &read.live_path);
  reader.Read("ready_path", &read.ready_path);
  CheckPath(reader, "live_path", read.live_path);
  CheckPath(reader, "ready_path", read.ready_path);
  reader.Read("health_interval", &read.health_interval, seconds(1), hours(1));
  reader.Read("admin_socket", &read.admin_socket);
  const std::string_view socket = read.admin_socket;
  if (!socket.empty() && !socket.starts_with('/') && !socket.starts_with("unix:///")) {
    reader.Fail("admin_socket", "unix:///PATH is expected");
  }
  reader.Read("interval", &read.interval, seconds(1), hours(1));
  reader.Read("timeout", &read.timeout, milliseconds(100), minutes(1));
  Duration sync_interval{0};
  reader.Read("sync_interval", &sync_interval, seconds(1), hours(24));
  if (sync_interval != Duration::zero()) read.sync_interval = sync_interval;
  reader.Read("x509_cache_limit", &read.x509_cache_limit, 1, kCacheMax);
  reader.Read("jwt_cache_limit", &read.jwt_cache_limit, 1, kCacheMax);
  if (const Status status = reader.Finish(); !status.ok()) return status;
  read.enabled = role == Role::kAgent || !read.health_url.empty() || !read.admin_socket.empty();
  *options = std::move(read);
  return {};
}

ConfigNode WithAgentDefaults(const ConfigNode& config, Role role) {
  AgentOptions options;
  if (!ReadAgentOptions(config, role, &options).ok() || !options.enabled) return config;
  return config.WithDefault("agent.health_url", options.health_url)
      .WithDefault("agent.live_path", options.live_path)
      .WithDefault("agent.ready_path", options.ready_path)
      .WithDefault("agent.health_interval", FormatDuration(options.health_interval))
      .WithDefault("agent.admin_socket", options.admin_socket)
      .WithDefault("agent.interval", FormatDuration(options.interval))
      .WithDefault("agent.timeout", FormatDuration(options.timeout))
      .WithDefault("agent.x509_cache_limit", std::to_string(options.x509_cache_limit))
      .WithDefault("agent.jwt_cache_limit", std::to_string(options.jwt_cache_limit));
}

}  // namespace spire_exporter::agent
