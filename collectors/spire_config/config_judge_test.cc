#include "collectors/spire_config/config_judge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "collectors/spire_config/config_names.h"

namespace spire_exporter::spire_config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const OwnTelemetry kOwn = {{"unixgram:///run/spire-exporter/dogstatsd.sock"},
                           "http://127.0.0.1:9988/"};

ConfigView Server(std::string_view text, const OwnTelemetry& own = kOwn) {
  const Result<Node> tree = ParseConfigTree(text, "server.conf", ServerRules());
  EXPECT_TRUE(tree.ok()) << (tree.ok() ? "" : tree.error().ToString());
  return tree.ok() ? JudgeServer(*tree, own) : ConfigView();
}

ConfigView Agent(std::string_view text) {
  const Result<Node> tree = ParseConfigTree(text, "agent.conf", AgentRules());
  EXPECT_TRUE(tree.ok()) << (tree.ok() ? "" : tree.error().ToString());
  return tree.ok() ? JudgeAgent(*tree, kOwn) : ConfigView();
}

std::string Times(const ConfigView& view) {
  std::string out;
  for (const TimeSetting& time : view.times) {
    out += std::string(time.name) + "=" + std::to_string(static_cast<int>(Seconds(time.value))) +
           (time.from_file ? " " : "! ");
  }
  return out;
}

TEST(ConfigJudgeTest, FillsInTheDefaultsOfSpireAndSaysSo) {
  const ConfigView view = Server("server { default_x509_svid_ttl = \"2h\" }");
  EXPECT_EQ(Times(view),
            "ca_ttl=86400! default_x509_svid_ttl=7200 default_jwt_svid_ttl=300! agent_ttl=7200! ");
  EXPECT_EQ(view.fact.ca_ttl, hours(24));
  EXPECT_EQ(view.fact.agent_ttl, hours(2));
  EXPECT_EQ(view.fact.trust_domain, "");
  EXPECT_EQ(view.fact.server_port, "8081");
  const ConfigView agent = Agent("agent {}");
  EXPECT_EQ(Times(agent), "sync_interval=5! rebootstrap_delay=600! ");
  EXPECT_EQ(agent.fact.rebootstrap, "never");
  EXPECT_FALSE(agent.fact.x509_svid_ttl.has_value());
}

TEST(ConfigJudgeTest, LeavesOutWhatItCannotKnow) {
  const ConfigView view =
      Server("server { ca_ttl = \"$CA\" audit_log_enabled = \"${AUDIT}\" trust_domain = \"a\" }");
  EXPECT_FALSE(view.fact.ca_ttl.has_value());
  EXPECT_EQ(Times(view), "default_x509_svid_ttl=3600! default_jwt_svid_ttl=300! agent_ttl=3600! ");
  EXPECT_EQ(view.findings.count("ttl_cut_short"), 0U);
  EXPECT_EQ(view.findings.count("audit_log_off"), 0U);
  EXPECT_EQ(view.features.count("audit_log"), 0U);
  EXPECT_EQ(view.findings.at("unknown_value"), 2U);
  EXPECT_FALSE(view.fingerprint.has_value());
}

TEST(ConfigJudgeTest, CountsLifetimesThatARotationCutsShort) {
  const auto cut = [](std::string_view ttls) {
    return Server("server { " + std::string(ttls) + " }").findings.at("ttl_cut_short");
  };
  EXPECT_EQ(cut(""), 0U);
  EXPECT_EQ(cut("ca_ttl = \"24h\" default_x509_svid_ttl = \"4h\""), 0U);
  EXPECT_EQ(cut("ca_ttl = \"24h\" default_x509_svid_ttl = \"4h1s\""), 2U);  // and the agents'
  EXPECT_EQ(cut("ca_ttl = \"24h\" agent_ttl = \"4h1s\""), 1U);
  EXPECT_EQ(cut("ca_ttl = \"8760h\" agent_ttl = \"168h\""), 0U);
  EXPECT_EQ(cut("ca_ttl = \"8760h\" agent_ttl = \"168h1s\""), 1U);
}

TEST(ConfigJudgeTest, CountsPrivilegesAndWhatIsOff) {
  const ConfigView bare = Server("server {}");
  EXPECT_EQ(bare.findings.at("admin_ids"), 0U);
  EXPECT_EQ(bare.findings.at("audit_log_off"), 1U);
  EXPECT_EQ(bare.findings.at("rate_limit_off"), 0U);
  EXPECT_EQ(bare.findings.at("health_off"), 1U);
  EXPECT_EQ(bare.findings.at("metrics_off"), 1U);
  const ConfigView full = Server(
      "server { admin_ids = [\"a\", \"b\"] audit_log_enabled = true log_level = \"DEBUG\"\n"
      "ratelimit { attestation = false signing = false } profiling_enabled = true\n"
      "experimental { events_based_cache = true } }\n"
      "plugins { NodeAttestor \"join_token\" {} KeyManager \"mine\" { plugin_cmd = \"/x\" } }\n"
      "health_checks { listener_enabled = true }\n"
      "telemetry { Prometheus { port = 9988 } BlockedPrefixes = [\"x\"] }");
  EXPECT_EQ(full.findings.at("admin_ids"), 2U);
  EXPECT_EQ(full.findings.at("audit_log_off"), 0U);
  EXPECT_EQ(full.findings.at("rate_limit_off"), 2U);
  EXPECT_EQ(full.findings.at("health_off"), 0U);
  EXPECT_EQ(full.findings.at("metrics_off"), 0U);
  EXPECT_EQ(full.findings.at("metrics_filtered"), 1U);
  EXPECT_EQ(full.findings.at("profiling_on"), 1U);
  EXPECT_EQ(full.findings.at("debug_log"), 1U);
  EXPECT_EQ(full.findings.at("experimental"), 1U);
  EXPECT_EQ(full.findings.at("join_token"), 1U);
  EXPECT_EQ(full.findings.at("external_plugin"), 1U);
  EXPECT_TRUE(full.features.at("events_based_cache"));
}

TEST(ConfigJudgeTest, SeesTelemetryThatGoesElsewhere) {
  const auto elsewhere = [](std::string_view telemetry, const OwnTelemetry& own) {
    return Server("telemetry { " + std::string(telemetry) + " }", own)
        .findings.at("metrics_elsewhere");
  };
  EXPECT_EQ(
      elsewhere("DogStatsd { address = \"unix:///run/spire-exporter/dogstatsd.sock\" }", kOwn), 0U);
  EXPECT_EQ(elsewhere("DogStatsd { address = \"unix:///other.sock\" }", kOwn), 1U);
  EXPECT_EQ(elsewhere("DogStatsd = [{ address = \"a:1\" }, { address = \"localhost:8125\" }]",
                      {{"udp://127.0.0.1:8125"}, ""}),
            0U);
  EXPECT_EQ(elsewhere("DogStatsd { address = \"$WHERE\" }", kOwn), 0U);
  EXPECT_EQ(elsewhere("Prometheus { port = 9988 }", kOwn), 0U);
  EXPECT_EQ(elsewhere("Prometheus { port = 9989 }", kOwn), 1U);
  EXPECT_EQ(elsewhere("Prometheus { port = 9989 }", {}), 0U);
}

TEST(ConfigJudgeTest, JudgesAnAgent) {
  const ConfigView view = Agent(
      "agent { insecure_bootstrap = true authorized_delegates = [\"spiffe://a/b\"]\n"
      "allow_unauthenticated_verifiers = true join_token = \"t\" rebootstrap_mode = \"always\"\n"
      "sds { disable_spiffe_cert_validation = true } server_address = \"s\" server_port = 8081\n"
      "trust_bundle_path = \"/b\" }\n"
      "plugins { NodeAttestor \"x509pop\" {}\n"
      "WorkloadAttestor \"k8s\" { plugin_data { skip_kubelet_verification = true } } }");
  EXPECT_EQ(view.findings.at("insecure_bootstrap"), 1U);
  EXPECT_EQ(view.findings.at("delegates"), 1U);
  EXPECT_EQ(view.findings.at("unauthenticated_verifiers"), 1U);
  EXPECT_EQ(view.findings.at("join_token"), 1U);
  EXPECT_EQ(view.findings.at("certificate_check_off"), 2U);
  EXPECT_EQ(view.fact.node_attestor, "x509pop");
  EXPECT_EQ(view.fact.rebootstrap, "always");
  EXPECT_EQ(view.fact.server_address, "s");
  EXPECT_EQ(view.fact.server_port, "8081");
  EXPECT_EQ(view.fact.trust_bundle_path, "/b");
}

TEST(ConfigJudgeTest, DoesNotGuessBetweenTwoAttestors) {
  EXPECT_EQ(Agent("plugins { NodeAttestor \"x509pop\" {} NodeAttestor \"join_token\" {} }")
                .fact.node_attestor,
            "");
  EXPECT_EQ(Agent("plugins { NodeAttestor \"x509pop\" {} NodeAttestor \"join_token\" { enabled = "
                  "false } }")
                .fact.node_attestor,
            "x509pop");
}

TEST(ConfigJudgeTest, FingerprintsAgreeExactlyWhenSharedSettingsDo) {
  const auto print = [](std::string_view text) {
    const ConfigView view = Server(text);
    EXPECT_TRUE(view.fingerprint.has_value());
    return view.fingerprint.value_or(0);
  };
  const uint64_t base = print("server { trust_domain = \"a\" admin_ids = [\"x\", \"y\"] }");
  EXPECT_LT(base, uint64_t{1} << 48);
  // What a server has of its own, and the order of things.
  EXPECT_EQ(base, print("server { bind_address = \"10.0.0.1\" admin_ids = [\"y\", \"x\"] }\n"
                        "server { trust_domain = \"a\" ca_ttl = \"24h\" log_level = \"DEBUG\" }"));
  for (const char* other : {"trust_domain = \"b\" admin_ids = [\"x\", \"y\"]",
                            "trust_domain = \"a\" admin_ids = [\"x\", \"z\"]",
                            "trust_domain = \"a\" admin_ids = [\"x\", \"y\"] ca_ttl = \"25h\"",
                            "trust_domain = \"a\" admin_ids = [\"x\", \"y\"] jwt_issuer = \"i\"",
                            "trust_domain = \"a\" admin_ids = [\"x\", \"y\"] "
                            "federation { federates_with \"o\" {} }"}) {
    EXPECT_NE(base, print("server { " + std::string(other) + " }")) << other;
  }
}

TEST(ConfigJudgeTest, EmitsNamesOfClosedSetsAlone) {
  const std::string plugins =
      "plugins { KeyManager \"mine\" {} Odd \"disk\" {} DataStore \"sql\" "
      "{} Other \"theirs\" {} }";
  for (const ConfigView& view : {Server("server {}" + plugins), Agent("agent {}" + plugins)}) {
    const auto has = [](std::span<const std::string_view> names, std::string_view name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    for (const auto& [rule, count] : view.findings) EXPECT_TRUE(has(kRuleNames, rule)) << rule;
    for (const auto& [name, on] : view.features) EXPECT_TRUE(has(kFeatureNames, name)) << name;
    for (const TimeSetting& time : view.times) EXPECT_TRUE(has(kTimeNames, time.name));
    for (const auto& [type, name] : view.plugins) {
      EXPECT_TRUE(has(kPluginTypes, type)) << type;
      EXPECT_TRUE(has(kPluginNames, name)) << name;
    }
    const std::vector<std::pair<std::string_view, std::string_view>> expected = {
        {"DataStore", "sql"}, {"KeyManager", "other"}, {"other", "disk"}, {"other", "other"}};
    EXPECT_EQ(view.plugins, expected);
  }
}

}  // namespace
}  // namespace spire_exporter::spire_config
