#include "collectors/spire_config/config_judge.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "collectors/spire_config/config_names.h"
#include "exporter/base/keyed_hash.h"
#include "exporter/base/text.h"

namespace spire_exporter::spire_config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kCaTtl = hours(24);
constexpr Duration kX509SvidTtl = hours(1);
constexpr Duration kJwtSvidTtl = minutes(5);
constexpr Duration kSyncInterval = seconds(5);
constexpr Duration kRebootstrapDelay = minutes(10);
// pkg/server/ca/manager: what outlives an authority's last sixth, or seven days, is cut short.
constexpr int kActivationDivisor = 6;
constexpr Duration kActivationCap = hours(24 * 7);

std::string_view KnownOr(std::span<const std::string_view> known, std::string_view name) {
  for (const std::string_view each : known) {
    if (each == name) return each;
  }
  return "other";
}

bool IsDebug(const std::optional<std::string>& level) {
  return level && (SameKey(*level, "debug") || SameKey(*level, "trace"));
}

// `unixgram:///a` and `unix:///a`, `udp://127.0.0.1:8125` and `127.0.0.1:8125` are one place.
std::string Place(std::string_view address) {
  for (const std::string_view scheme : {"unixgram://", "unix://", "udp://"}) {
    if (!address.starts_with(scheme)) continue;
    address.remove_prefix(scheme.size());
    break;
  }
  if (address.starts_with("localhost:")) {
    return "127.0.0.1" + std::string(address.substr(std::string_view("localhost").size()));
  }
  return std::string(address);
}

// The port of `http://127.0.0.1:9988/`, empty when it names none.
std::string_view PortOf(std::string_view url) {
  if (const size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
  }
  url = url.substr(0, url.find('/'));
  const size_t colon = url.rfind(':');
  return colon == std::string_view::npos ? std::string_view() : url.substr(colon + 1);
}

// The parts that both files have.
class Judge {
 public:
  Judge(const Node& tree, std::string_view component) : tree_(tree), reader_(tree) {
    view_.component = component;
  }

  SettingsReader& reader() { return reader_; }
  ConfigView& view() { return view_; }

  void Finding(std::string_view rule, uint64_t count) { view_.findings[rule] = count; }
  // A switch that is off unless the file turns it on, or the other way round. Absent when unknown.
  std::optional<bool> Switch(std::string_view path, bool otherwise) {
    const Setting<bool> setting = reader_.Bool(path);
    if (setting.origin == Origin::kUnknown) known_ = false;
    return setting.origin == Origin::kAbsent ? otherwise : setting.value;
  }
  void FindingIf(std::string_view rule, std::optional<bool> holds) {
    if (holds) Finding(rule, *holds ? 1 : 0);
  }
  void Feature(std::string_view name, std::optional<bool> on) {
    if (on) view_.features[name] = *on;
  }
  std::string Text(std::string_view path, std::string_view otherwise) {
    const Setting<std::string> setting = reader_.Text(path);
    if (setting.origin == Origin::kUnknown) known_ = false;
    return setting.value.value_or(std::string(otherwise));
  }
  std::optional<Duration> Time(std::string_view name, std::string_view path,
                               std::optional<Duration> otherwise) {
    const Setting<Duration> setting = reader_.Time(path);
    std::optional<Duration> value = setting.value;
    if (setting.origin == Origin::kUnknown) known_ = false;
    if (setting.origin == Origin::kAbsent) value = otherwise;
    if (value) view_.times.push_back({name, *value, setting.origin == Origin::kFile});
    Agree(std::string(name), value ? FormatDuration(*value) : std::string());
    return value;
  }

  // Something that all of one kind should share.
  void Agree(const std::string& name, const std::string& value) {
    shared_ += name + '=' + value + '\n';
  }
  void Agree(const std::string& name, const std::vector<uint64_t>& digests) {
    for (const uint64_t digest : digests) Agree(name, std::to_string(digest));
  }
  void Agree(const std::string& name, std::optional<bool> on) {
    Agree(name, std::string(on.value_or(false) ? "true" : "false"));
  }

  std::vector<PluginSetting> Plugins() {
    std::vector<PluginSetting> plugins = reader_.Plugins();
    std::erase_if(plugins, [](const PluginSetting& plugin) { return !plugin.enabled; });
    std::set<std::pair<std::string_view, std::string_view>> seen;
    uint64_t external = 0;
    for (const PluginSetting& plugin : plugins) {
      external += plugin.external ? 1U : 0U;
      seen.emplace(KnownOr(kPluginTypes, plugin.type), KnownOr(kPluginNames, plugin.name));
      Agree("plugin", plugin.type + " " + plugin.name);
    }
    view_.plugins.assign(seen.begin(), seen.end());
    Finding("external_plugin", external);
    return plugins;
  }

  void Telemetry(const OwnTelemetry& own) {
    const bool prometheus = !FindAll(tree_, "telemetry.Prometheus").empty();
    const bool dogstatsd = !FindAll(tree_, "telemetry.DogStatsd").empty();
    Feature("prometheus", prometheus);
    Feature("prometheus_tls", reader_.Present("telemetry.Prometheus.tls"));
    Feature("dogstatsd", dogstatsd);
    Finding("metrics_off", prometheus || dogstatsd ? 0 : 1);
    uint64_t filters = 0;
    for (const char* list :
         {"AllowedPrefixes", "BlockedPrefixes", "AllowedLabels", "BlockedLabels"}) {
      filters += reader_.Present(std::string("telemetry.") + list) ? 1U : 0U;
    }
    Finding("metrics_filtered", filters);
    uint64_t elsewhere = 0;
    if (dogstatsd && !own.listen.empty()) elsewhere += StreamReaches(own.listen) ? 0U : 1U;
    const Setting<std::string> port = reader_.Text("telemetry.Prometheus.port");
    if (prometheus && port.value && !PortOf(own.scrape_url).empty()) {
      elsewhere += *port.value == PortOf(own.scrape_url) ? 0U : 1U;
    }
    Finding("metrics_elsewhere", elsewhere);
  }

  void Health() {
    const std::optional<bool> on = Switch("health_checks.listener_enabled", false);
    Feature("health_checks", on);
    if (on) Finding("health_off", *on ? 0 : 1);
  }

  ConfigView Finish() {
    Finding("unknown_value", reader_.unknown());
    if (known_) view_.fingerprint = KeyedHash(0x73657474, 0x696e6773)(shared_) >> 16;
    return std::move(view_);
  }

 private:
  bool StreamReaches(const std::vector<std::string>& listen) const {
    for (const Node* address : FindAll(tree_, "telemetry.DogStatsd.address")) {
      if (address->kind == Node::Kind::kEnvironment) return true;  // it may
      for (const std::string& ours : listen) {
        if (Place(ours) == Place(address->text)) return true;
      }
    }
    return false;
  }

  const Node& tree_;
  SettingsReader reader_;
  ConfigView view_;
  std::string shared_;
  bool known_ = true;
};

}  // namespace

ConfigView JudgeServer(const Node& tree, const OwnTelemetry& own) {
  Judge judge(tree, "server");
  SettingsReader& reader = judge.reader();
  spire::SpireConfigFact& fact = judge.view().fact;
  fact.trust_domain = judge.Text("server.trust_domain", "");
  judge.Agree("trust_domain", fact.trust_domain);
  fact.ca_ttl = judge.Time("ca_ttl", "server.ca_ttl", kCaTtl);
  fact.x509_svid_ttl =
      judge.Time("default_x509_svid_ttl", "server.default_x509_svid_ttl", kX509SvidTtl);
  fact.jwt_svid_ttl =
      judge.Time("default_jwt_svid_ttl", "server.default_jwt_svid_ttl", kJwtSvidTtl);
  fact.agent_ttl = judge.Time("agent_ttl", "server.agent_ttl", fact.x509_svid_ttl);
  if (fact.ca_ttl && fact.x509_svid_ttl && fact.jwt_svid_ttl && fact.agent_ttl) {
    const Duration most = std::min<Duration>(*fact.ca_ttl / kActivationDivisor, kActivationCap);
    uint64_t cut = 0;
    for (const Duration ttl : {*fact.x509_svid_ttl, *fact.jwt_svid_ttl, *fact.agent_ttl}) {
      cut += ttl > most ? 1U : 0U;
    }
    judge.Finding("ttl_cut_short", cut);
  }

  const std::vector<uint64_t> admins = reader.Digests("server.admin_ids");
  judge.Finding("admin_ids", admins.size());
  judge.Agree("admin", admins);
  const std::optional<bool> audit = judge.Switch("server.audit_log_enabled", false);
  judge.Feature("audit_log", audit);
  if (audit) judge.Finding("audit_log_off", *audit ? 0 : 1);
  judge.Agree("audit_log", audit);
  const std::optional<bool> attestation = judge.Switch("server.ratelimit.attestation", true);
  const std::optional<bool> signing = judge.Switch("server.ratelimit.signing", true);
  if (attestation && signing) {
    judge.Finding("rate_limit_off", (*attestation ? 0U : 1U) + (*signing ? 0U : 1U));
  }
  judge.FindingIf("profiling_on", judge.Switch("server.profiling_enabled", false));
  const Setting<std::string> level = reader.Text("server.log_level");
  if (level.origin != Origin::kUnknown) judge.Finding("debug_log", IsDebug(level.value) ? 1 : 0);

  const std::optional<bool> no_jwt = judge.Switch("server.disable_jwt_svids", false);
  if (no_jwt) judge.Feature("jwt_svids", !*no_jwt);
  judge.Agree("no_jwt", no_jwt);
  const std::string ca_key = judge.Text("server.ca_key_type", "ec-p256");
  judge.Agree("ca_key", ca_key);
  judge.Agree("jwt_key", judge.Text("server.jwt_key_type", ca_key));
  judge.Agree("jwt_issuer", judge.Text("server.jwt_issuer", ""));

  judge.Feature("federation_endpoint", !FindAll(tree, "server.federation.bundle_endpoint").empty());
  const std::vector<uint64_t> others = reader.Digests("server.federation.federates_with");
  judge.view().federates_with = others.size();
  judge.Agree("federates_with", others);

  uint64_t experimental = 0;
  for (const char* name : {"events_based_cache", "agent_spiffe_id_as_selector", "require_pq_kem"}) {
    const auto on = judge.Switch(std::string("server.experimental.") + name, false);
    experimental += on.value_or(false) ? 1U : 0U;
    judge.Agree(name, on);
    if (std::string_view(name) == "events_based_cache") judge.Feature("events_based_cache", on);
  }
  for (const char* name : {"auth_opa_policy_engine", "feature_flags"}) {
    const bool there = reader.Present(std::string("server.experimental.") + name);
    experimental += there ? 1U : 0U;
    judge.Agree(name, there);
  }
  judge.Finding("experimental", experimental);

  uint64_t join_tokens = 0;
  bool upstream = false;
  for (const PluginSetting& plugin : judge.Plugins()) {
    join_tokens += plugin.type == "NodeAttestor" && plugin.name == "join_token" ? 1U : 0U;
    upstream = upstream || plugin.type == "UpstreamAuthority";
  }
  judge.Finding("join_token", join_tokens);
  judge.Feature("upstream_authority", upstream);
  judge.Feature("ro_database",
                reader.Present("plugins.DataStore.sql.plugin_data.ro_connection_string"));
  judge.Agree("database", judge.Text("plugins.DataStore.sql.plugin_data.database_type", ""));
  fact.server_address = judge.Text("server.bind_address", "0.0.0.0");
  fact.server_port = judge.Text("server.bind_port", "8081");
  judge.Telemetry(own);
  judge.Health();
  return judge.Finish();
}

ConfigView JudgeAgent(const Node& tree, const OwnTelemetry& own) {
  Judge judge(tree, "agent");
  SettingsReader& reader = judge.reader();
  spire::SpireConfigFact& fact = judge.view().fact;
  fact.trust_domain = judge.Text("agent.trust_domain", "");
  fact.server_address = judge.Text("agent.server_address", "");
  fact.server_port = judge.Text("agent.server_port", "");
  fact.trust_bundle_path = judge.Text("agent.trust_bundle_path", "");
  judge.Agree("trust_domain", fact.trust_domain);
  judge.Agree("server", fact.server_address + " " + fact.server_port);
  judge.Agree("bundle_path", fact.trust_bundle_path);
  fact.sync_interval =
      judge.Time("sync_interval", "agent.experimental.sync_interval", kSyncInterval);
  judge.Time("rebootstrap_delay", "agent.rebootstrap_delay", kRebootstrapDelay);
  const Setting<std::string> mode = reader.Text("agent.rebootstrap_mode");
  if (mode.origin == Origin::kAbsent) fact.rebootstrap = "never";
  for (const std::string_view known : {"never", "auto", "always"}) {
    if (mode.value == known) fact.rebootstrap = known;
  }
  if (fact.rebootstrap) judge.Feature("rebootstrap", *fact.rebootstrap != "never");
  judge.Agree("rebootstrap", fact.rebootstrap.value_or(""));

  const std::optional<bool> insecure = judge.Switch("agent.insecure_bootstrap", false);
  judge.FindingIf("insecure_bootstrap", insecure);
  judge.Agree("insecure", insecure);
  const std::vector<uint64_t> delegates = reader.Digests("agent.authorized_delegates");
  judge.Finding("delegates", delegates.size());
  judge.Agree("delegate", delegates);
  judge.FindingIf("unauthenticated_verifiers",
                  judge.Switch("agent.allow_unauthenticated_verifiers", false));
  judge.FindingIf("profiling_on", judge.Switch("agent.profiling_enabled", false));
  const Setting<std::string> level = reader.Text("agent.log_level");
  if (level.origin != Origin::kUnknown) judge.Finding("debug_log", IsDebug(level.value) ? 1 : 0);
  const auto sds = judge.Switch("agent.sds.disable_spiffe_cert_validation", false);
  const auto kubelet =
      judge.Switch("plugins.WorkloadAttestor.k8s.plugin_data.skip_kubelet_verification", false);
  if (sds && kubelet) {
    judge.Finding("certificate_check_off", (*sds ? 1U : 0U) + (*kubelet ? 1U : 0U));
  }
  judge.Finding("experimental", (reader.Present("agent.experimental.broker") ? 1U : 0U) +
                                    (reader.Present("agent.experimental.feature_flags") ? 1U : 0U));
  judge.Feature("admin_socket", reader.Present("agent.admin_socket_path"));
  const auto no_workload_api = judge.Switch("agent.disable_workload_api", false);
  if (no_workload_api) judge.Feature("workload_api", !*no_workload_api);

  std::vector<std::string> attestors;
  for (const PluginSetting& plugin : judge.Plugins()) {
    if (plugin.type == "NodeAttestor") attestors.push_back(plugin.name);
  }
  if (attestors.size() == 1) fact.node_attestor = attestors[0];
  // A token in the file is there for whoever reads it, used up or not.
  judge.Finding("join_token", reader.Present("agent.join_token") ? 1 : 0);
  judge.Telemetry(own);
  judge.Health();
  return judge.Finish();
}

}  // namespace spire_exporter::spire_config
