#include "collectors/clients/spire_config/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>
#include <utility>

#include "exporter/base/text.h"

namespace spire_exporter::spire_config {
namespace {

using Kind = Node::Kind;

// What both files have. Of plugin_data nothing is kept but two harmless words of the data store and
// a switch of the kubelet's check.
constexpr std::array kCommonRules = {
    KeepRule{"plugins.*.*", Keep::kBlock},
    KeepRule{"plugins.*.*.enabled"},
    KeepRule{"plugins.*.*.plugin_cmd", Keep::kPresence},
    KeepRule{"telemetry.Prometheus", Keep::kBlock},
    KeepRule{"telemetry.Prometheus.host"},
    KeepRule{"telemetry.Prometheus.port"},
    KeepRule{"telemetry.Prometheus.tls", Keep::kPresence},
    KeepRule{"telemetry.DogStatsd", Keep::kBlock},
    KeepRule{"telemetry.DogStatsd.address"},
    KeepRule{"telemetry.AllowedPrefixes", Keep::kPresence},
    KeepRule{"telemetry.BlockedPrefixes", Keep::kPresence},
    KeepRule{"telemetry.AllowedLabels", Keep::kPresence},
    KeepRule{"telemetry.BlockedLabels", Keep::kPresence},
    KeepRule{"health_checks.listener_enabled"},
    KeepRule{"health_checks.bind_address"},
    KeepRule{"health_checks.bind_port"},
};

constexpr std::array kServerOwnRules = {
    KeepRule{"server.trust_domain"},
    KeepRule{"server.bind_address"},
    KeepRule{"server.bind_port"},
    KeepRule{"server.default_x509_svid_ttl"},
    KeepRule{"server.default_jwt_svid_ttl"},
    KeepRule{"server.ca_ttl"},
    KeepRule{"server.agent_ttl"},
    KeepRule{"server.ca_key_type"},
    KeepRule{"server.jwt_key_type"},
    KeepRule{"server.jwt_issuer"},
    KeepRule{"server.disable_jwt_svids"},
    KeepRule{"server.audit_log_enabled"},
    KeepRule{"server.log_level"},
    KeepRule{"server.admin_ids", Keep::kDigest},
    KeepRule{"server.profiling_enabled"},
    KeepRule{"server.ratelimit.attestation"},
    KeepRule{"server.ratelimit.signing"},
    KeepRule{"server.federation.bundle_endpoint", Keep::kBlock},
    KeepRule{"server.federation.bundle_endpoint.refresh_hint"},
    KeepRule{"server.federation.federates_with.*", Keep::kDigest},
    KeepRule{"server.experimental.events_based_cache"},
    KeepRule{"server.experimental.agent_spiffe_id_as_selector"},
    KeepRule{"server.experimental.require_pq_kem"},
    KeepRule{"server.experimental.auth_opa_policy_engine", Keep::kPresence},
    KeepRule{"server.experimental.feature_flags", Keep::kPresence},
    KeepRule{"plugins.DataStore.sql.plugin_data.database_type"},
    KeepRule{"plugins.DataStore.sql.plugin_data.ro_connection_string", Keep::kPresence},
};

constexpr std::array kAgentOwnRules = {
    KeepRule{"agent.trust_domain"},
    KeepRule{"agent.server_address"},
    KeepRule{"agent.server_port"},
    KeepRule{"agent.trust_bundle_path"},
    KeepRule{"agent.trust_bundle_url", Keep::kPresence},
    KeepRule{"agent.trust_bundle_spiffe_workload_api", Keep::kPresence},
    KeepRule{"agent.insecure_bootstrap"},
    KeepRule{"agent.rebootstrap_mode"},
    KeepRule{"agent.rebootstrap_delay"},
    KeepRule{"agent.join_token", Keep::kPresence},
    KeepRule{"agent.join_token_file", Keep::kPresence},
    KeepRule{"agent.availability_target"},
    KeepRule{"agent.authorized_delegates", Keep::kDigest},
    KeepRule{"agent.allow_unauthenticated_verifiers"},
    KeepRule{"agent.disable_workload_api"},
    KeepRule{"agent.admin_socket_path", Keep::kPresence},
    KeepRule{"agent.log_level"},
    KeepRule{"agent.profiling_enabled"},
    KeepRule{"agent.sds.disable_spiffe_cert_validation"},
    KeepRule{"agent.experimental.sync_interval"},
    KeepRule{"agent.experimental.broker", Keep::kPresence},
    KeepRule{"agent.experimental.feature_flags", Keep::kPresence},
    KeepRule{"plugins.WorkloadAttestor.k8s.plugin_data.skip_kubelet_verification"},
};

template <size_t kOwn>
constexpr auto WithCommon(const std::array<KeepRule, kOwn>& own) {
  std::array<KeepRule, kOwn + kCommonRules.size()> all = {};
  for (size_t i = 0; i < kOwn; ++i) all[i] = own[i];
  for (size_t i = 0; i < kCommonRules.size(); ++i) all[kOwn + i] = kCommonRules[i];
  return all;
}

constexpr auto kServerRules = WithCommon(kServerOwnRules);
constexpr auto kAgentRules = WithCommon(kAgentOwnRules);

constexpr std::array<std::string_view, 9> kPluginTypes = {
    "BundlePublisher", "CredentialComposer", "DataStore",         "KeyManager",      "NodeAttestor",
    "Notifier",        "SVIDStore",          "UpstreamAuthority", "WorkloadAttestor"};

std::optional<bool> ParseBool(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "true", "TRUE", "True"};
  static constexpr std::array<std::string_view, 6> kFalse = {"0",     "f",     "F",
                                                             "false", "FALSE", "False"};
  if (std::find(kTrue.begin(), kTrue.end(), text) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), text) != kFalse.end()) return false;
  return std::nullopt;
}

bool IsScalar(const Node& node) {
  return node.kind == Kind::kString || node.kind == Kind::kNumber || node.kind == Kind::kBool;
}

}  // namespace

std::span<const KeepRule> ServerRules() {
  return kServerRules;
}

std::span<const KeepRule> AgentRules() {
  return kAgentRules;
}

const Node* SettingsReader::Last(std::string_view path) const {
  const std::vector<const Node*> found = FindAll(tree_, path);
  if (found.empty()) return nullptr;
  const Node* last = found.back();
  return last->empty && last->kind != Kind::kObject ? nullptr : last;
}

template <typename T>
Setting<T> SettingsReader::Known(std::optional<T> value) {
  if (value) return {std::move(value), Origin::kFile};
  ++unknown_;
  return {std::nullopt, Origin::kUnknown};
}

Setting<std::string> SettingsReader::Text(std::string_view path) {
  const Node* node = Last(path);
  if (node == nullptr) return {};
  return Known(IsScalar(*node) ? std::optional<std::string>(node->text) : std::nullopt);
}

Setting<bool> SettingsReader::Bool(std::string_view path) {
  const Node* node = Last(path);
  if (node == nullptr) return {};
  return Known(IsScalar(*node) ? ParseBool(node->text) : std::nullopt);
}

Setting<int64_t> SettingsReader::Number(std::string_view path) {
  const Node* node = Last(path);
  if (node == nullptr) return {};
  std::optional<int64_t> value;
  if (IsScalar(*node)) {
    const char* const end = node->text.data() + node->text.size();
    int64_t number = 0;
    const auto parsed = std::from_chars(node->text.data(), end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end) value = number;
  }
  return Known(value);
}

Setting<Duration> SettingsReader::Time(std::string_view path) {
  const Node* node = Last(path);
  if (node == nullptr) return {};
  std::optional<Duration> value;
  if (IsScalar(*node) && node->text.find('d') == std::string::npos) {
    if (const auto parsed = ParseDuration(node->text); parsed.ok()) value = *parsed;
  }
  return Known(value);
}

bool SettingsReader::Present(std::string_view path) const {
  const std::vector<const Node*> found = FindAll(tree_, path);
  return std::any_of(found.begin(), found.end(),
                     [](const Node* node) { return !node->empty || node->kind == Kind::kObject; });
}

std::vector<uint64_t> SettingsReader::Digests(std::string_view path) const {
  std::vector<uint64_t> digests;
  for (const Node* node : FindAll(tree_, path)) {
    for (const Node& child : node->children) {
      if (child.kind == Kind::kDropped) digests.push_back(child.digest);
    }
  }
  std::sort(digests.begin(), digests.end());
  digests.erase(std::unique(digests.begin(), digests.end()), digests.end());
  return digests;
}

std::vector<PluginSetting> SettingsReader::Plugins() {
  std::vector<PluginSetting> plugins;
  for (const Node* group : FindAll(tree_, "plugins")) {
    for (const Node& type : group->children) {
      Node one;  // a root of its own, so that lists of objects are passed through
      one.children.push_back(type);
      for (const Node* named : FindAll(one, type.key)) {
        for (const Node& name : named->children) {
          PluginSetting plugin{type.key, name.key, false, true};
          for (const std::string_view known : kPluginTypes) {
            if (SameKey(known, type.key)) plugin.type = known;
          }
          SettingsReader inside(name);
          plugin.external = inside.Present("plugin_cmd");
          plugin.enabled = inside.Bool("enabled").value.value_or(true);
          unknown_ += inside.unknown();
          plugins.push_back(std::move(plugin));
        }
      }
    }
  }
  std::sort(plugins.begin(), plugins.end(), [](const PluginSetting& a, const PluginSetting& b) {
    return std::tie(a.type, a.name) < std::tie(b.type, b.name);
  });
  plugins.erase(std::unique(plugins.begin(), plugins.end(),
                            [](const PluginSetting& a, const PluginSetting& b) {
                              return a.type == b.type && a.name == b.name;
                            }),
                plugins.end());
  return plugins;
}

}  // namespace spire_exporter::spire_config
