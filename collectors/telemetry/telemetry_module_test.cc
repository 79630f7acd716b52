#include "collectors/telemetry/telemetry_module.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "collectors/telemetry/stream_families.h"
#include "collectors/telemetry/telemetry_options.h"

namespace spire_exporter {
namespace {

using telemetry::ReadTelemetryOptions;
using telemetry::TelemetryOptions;

ConfigNode Tree(const std::vector<std::pair<std::string, std::string>>& scalars) {
  ConfigNode tree = ConfigNode::Map("", "test", {});
  for (const auto& [path, text] : scalars) tree = tree.With(path, "test:1:1", text);
  return tree;
}

TEST(TelemetryOptionsTest, DefaultsFollowTheRole) {
  TelemetryOptions options;
  ASSERT_TRUE(ReadTelemetryOptions(Tree({}), Role::kAgent, &options).ok());
  ASSERT_EQ(options.listen.size(), 1u);
  EXPECT_EQ(options.listen[0].text, "unixgram:///run/spire-exporter/dogstatsd.sock");
  EXPECT_TRUE(options.scrape.enabled());
  EXPECT_EQ(options.series_max, 5000);
  ASSERT_TRUE(ReadTelemetryOptions(Tree({}), Role::kStandalone, &options).ok());
  EXPECT_TRUE(options.listen.empty());
  EXPECT_FALSE(options.scrape.enabled());
}

TEST(TelemetryOptionsTest, ReadsWhatIsWritten) {
  TelemetryOptions options;
  ASSERT_TRUE(ReadTelemetryOptions(Tree({{"telemetry.stream.listen", "udp://[::1]:8125"},
                                         {"telemetry.stream.max_series", "700"},
                                         {"telemetry.stream.socket_mode", "0622"},
                                         {"telemetry.metric_prefix", "acme"},
                                         {"telemetry.scrape.interval", "1m"},
                                         {"limits.max_label_length", "64"}}),
                                   Role::kServer, &options)
                  .ok());
  EXPECT_EQ(options.listen.at(0).text, "udp://[::1]:8125");
  EXPECT_EQ(options.socket_mode, 0622u);
  EXPECT_EQ(options.scrape.prefix, "acme");
  const telemetry::IngestOptions ingest = MakeIngestOptions(options, Role::kServer);
  EXPECT_EQ(ingest.store.series_max, 700u);
  EXPECT_EQ(ingest.store.label_length_max, 64u);
  EXPECT_EQ(ingest.store.page_age_max, std::chrono::minutes(3));
  EXPECT_EQ(ingest.store.component_hint, "server");
}

TEST(TelemetryOptionsTest, SaysWhereAndWhatIsWrong) {
  const auto problem = [](const std::string& path, const std::string& text) {
    TelemetryOptions options;
    const Status status = ReadTelemetryOptions(Tree({{path, text}}), Role::kServer, &options);
    return status.ok() ? std::string() : status.error().ToString();
  };
  for (const auto& [path, text, expected] :
       {std::tuple{"telemetry.stream.listen", "tcp://x:1", "unixgram:///PATH"},
        std::tuple{"telemetry.stream.max_series", "10", "500"},
        std::tuple{"telemetry.stream.socket_mode", "rw", "octal"},
        std::tuple{"telemetry.stream.socket_mode", "0066", "octal"},
        std::tuple{"telemetry.stream.max_seris", "1000", "max_series"},
        std::tuple{"telemetry.scrap", "x", "scrape"}}) {
    const std::string message = problem(path, text);
    EXPECT_NE(message.find(expected), std::string::npos) << path << ": " << message;
    EXPECT_EQ(message.rfind("test:1:1", 0), 0u) << message;
  }
}

TEST(TelemetryModuleTest, EveryFamilyIsDescribedOnceAndWell) {
  const CatalogEntry& entry = TelemetryCatalogEntry();
  EXPECT_EQ(entry.name, "telemetry");
  std::set<std::string_view> names;
  for (const FamilyDescription* family : entry.families) {
    EXPECT_TRUE(names.insert(family->name).second) << family->name;
    EXPECT_TRUE(family->help.ends_with('.')) << family->name;
    EXPECT_FALSE(family->source.empty()) << family->name;
    EXPECT_EQ(family->type == MetricType::kCounter, family->name.ends_with("_total"))
        << family->name;
    if (!family->unit.empty()) {
      EXPECT_NE(family->name.find(family->unit), std::string_view::npos) << family->name;
    }
  }
}

TEST(TelemetryModuleTest, AnInvalidConfigurationChangesNothing) {
  const RealClock clock;
  NullLogger logger;
  const ModuleDeps deps{clock, logger, Role::kStandalone};
  const auto module = TelemetryCatalogEntry().make(deps);
  ASSERT_TRUE(module->Apply(Tree({{"telemetry.scrape.url", "http://127.0.0.1:1/"}})).ok());
  ASSERT_EQ(module->Targets().size(), 3u) << "the scrape, the digest and the renewals";
  const std::string fingerprint = module->Targets()[0]->Fingerprint();
  EXPECT_FALSE(module->Apply(Tree({{"telemetry.scrape.url", "nonsense"}})).ok());
  ASSERT_EQ(module->Targets().size(), 3u);
  EXPECT_EQ(module->Targets()[0]->Fingerprint(), fingerprint);
  ASSERT_TRUE(module->Apply(Tree({})).ok());
  EXPECT_TRUE(module->Targets().empty());
}

TEST(TelemetryModuleTest, EverythingThatIsShownIsDescribed) {
  const RealClock clock;
  NullLogger logger;
  const ModuleDeps deps{clock, logger, Role::kStandalone};
  const auto module = TelemetryCatalogEntry().make(deps);
  ASSERT_TRUE(module->Apply(Tree({{"telemetry.stream.listen", "udp://127.0.0.1:0"}})).ok());
  const auto snapshot = module->Live()->Acquire(Deadline::After(clock, std::chrono::seconds(20)));
  ASSERT_NE(snapshot, nullptr);
  const auto& families = TelemetryCatalogEntry().families;
  for (const Family& family : snapshot->families) {
    EXPECT_NE(std::find(families.begin(), families.end(), family.description), families.end());
    EXPECT_LE(family.series.size(), family.description->series_max);
  }
  EXPECT_GT(snapshot->families.size(), 10u);
}

}  // namespace
}  // namespace spire_exporter
