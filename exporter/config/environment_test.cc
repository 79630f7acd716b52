#include "exporter/config/environment.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "exporter/config/yaml.h"

namespace spire_exporter {
namespace {

const KnownKeys kKnown{
    {"role", "trust_domain", "telemetry.scrape.url", "telemetry.stream.max_series", "web.tcp_port"},
    {"telemetry.stream.listen"}};

Result<ConfigNode> Apply(const std::string& yaml, const std::vector<std::string>& environment) {
  return ApplyEnvironment(*ParseYaml(yaml, "c.yaml"), environment, kKnown);
}

std::string ErrorOf(const std::vector<std::string>& environment) {
  const Result<ConfigNode> applied = Apply("", environment);
  return applied.ok() ? "no error" : applied.error().ToString();
}

TEST(ApplyEnvironmentTest, OverridesAndAddsScalars) {
  const Result<ConfigNode> applied =
      Apply("telemetry:\n  scrape:\n    url: file\n    interval: 15s\n",
            {"SPIRE_EXPORTER_TELEMETRY__SCRAPE__URL=http://x/?a=b",
             "SPIRE_EXPORTER_TELEMETRY__STREAM__MAX_SERIES=7",
             "SPIRE_EXPORTER_TRUST_DOMAIN=", "PATH=/bin", "SPIRE_EXPORTERS=1", "broken"});
  ASSERT_TRUE(applied.ok()) << applied.error().ToString();
  const ConfigNode url = (*applied)["telemetry"]["scrape"]["url"];
  EXPECT_EQ(url.text(), "http://x/?a=b");
  EXPECT_EQ(url.where(), "environment SPIRE_EXPORTER_TELEMETRY__SCRAPE__URL");
  EXPECT_EQ((*applied)["telemetry"]["scrape"]["interval"].text(), "15s");
  EXPECT_EQ((*applied)["telemetry"]["stream"]["max_series"].text(), "7");
  EXPECT_EQ((*applied)["trust_domain"].kind(), ConfigNode::Kind::kScalar);
  EXPECT_EQ((*applied)["trust_domain"].text(), "");
}

TEST(ApplyEnvironmentTest, NamesTheNearestKey) {
  EXPECT_EQ(ErrorOf({"SPIRE_EXPORTER_TELEMETRY_SCRAPE_URL=x"}),
            "environment SPIRE_EXPORTER_TELEMETRY_SCRAPE_URL: stands for no key of the "
            "configuration: did you mean SPIRE_EXPORTER_TELEMETRY__SCRAPE__URL?");
  EXPECT_EQ(ErrorOf({"SPIRE_EXPORTER_COLOUR_OF_THE_SKY_ABOVE_THE_PORT=x"}),
            "environment SPIRE_EXPORTER_COLOUR_OF_THE_SKY_ABOVE_THE_PORT: stands for no key of "
            "the configuration");
  // Lower case is another name, and so is a bare prefix.
  EXPECT_NE(ErrorOf({"SPIRE_EXPORTER_role=x"}), "no error");
  EXPECT_NE(ErrorOf({"SPIRE_EXPORTER_=x"}), "no error");
}

TEST(ApplyEnvironmentTest, RefusesLists) {
  EXPECT_EQ(ErrorOf({"SPIRE_EXPORTER_TELEMETRY__STREAM__LISTEN=a,b"}),
            "environment SPIRE_EXPORTER_TELEMETRY__STREAM__LISTEN: telemetry.stream.listen is a "
            "list: expected it in the configuration file, since only single values can be set by "
            "environment");
}

TEST(ApplyEnvironmentTest, ReportsTheFirstErrorByName) {
  EXPECT_EQ(ErrorOf({"SPIRE_EXPORTER_ZZZ=x", "SPIRE_EXPORTER_AAA=x"}),
            ErrorOf({"SPIRE_EXPORTER_AAA=x", "SPIRE_EXPORTER_ZZZ=x"}));
}

TEST(ApplyEnvironmentTest, RefusesBytesThatAreNotUtf8) {
  EXPECT_EQ(ErrorOf({"SPIRE_EXPORTER_ROLE=\xFF"}),
            "environment SPIRE_EXPORTER_ROLE: role: a byte is not UTF-8: expected UTF-8 text");
}

TEST(ApplyEnvironmentTest, PassesOverTheServiceLinksOfKubernetes) {
  EXPECT_EQ(
      ErrorOf({"SPIRE_EXPORTER_SERVICE_HOST=10.96.0.7", "SPIRE_EXPORTER_SERVICE_PORT=9925",
               "SPIRE_EXPORTER_SERVICE_PORT_SPIRE_SLO=9925",
               "SPIRE_EXPORTER_PORT=tcp://10.96.0.7:9925",
               "SPIRE_EXPORTER_PORT_9925_TCP=tcp://10.96.0.7:9925",
               "SPIRE_EXPORTER_PORT_9925_TCP_PROTO=tcp", "SPIRE_EXPORTER_PORT_9925_TCP_PORT=9925",
               "SPIRE_EXPORTER_PORT_9925_TCP_ADDR=10.96.0.7",
               "SPIRE_EXPORTER_AGENT_SERVICE_HOST=10.96.0.8",
               "SPIRE_EXPORTER_AGENT_PORT_9926_UDP_ADDR=10.96.0.8"}),
      "no error");
}

TEST(ApplyEnvironmentTest, DoesNotTakeATypingErrorForAServiceLink) {
  EXPECT_NE(ErrorOf({"SPIRE_EXPORTER_WEB__TCP_PROT=1"}), "no error");
  EXPECT_NE(ErrorOf({"SPIRE_EXPORTER_WEB_TCP_PORT=9925"}), "no error");
  EXPECT_NE(ErrorOf({"SPIRE_EXPORTER_SERVICE_PORTS=9925"}), "no error");
  EXPECT_NE(ErrorOf({"SPIRE_EXPORTER_PORT_X_TCP=1"}), "no error");
}

TEST(EnvironmentNameTest, WritesDotsAsTwoUnderscores) {
  EXPECT_EQ(EnvironmentName("telemetry.scrape.url"), "SPIRE_EXPORTER_TELEMETRY__SCRAPE__URL");
  EXPECT_EQ(EnvironmentName("trust_domain"), "SPIRE_EXPORTER_TRUST_DOMAIN");
}

}  // namespace
}  // namespace spire_exporter
