#include "collectors/telemetry/mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "collectors/telemetry/families.h"
#include "collectors/telemetry/mapping_table.h"

namespace spire_exporter::telemetry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

Mapped Map(std::string_view key, WireKind kind, std::vector<Label> tags = {},
           std::string_view prefix = {}, std::string_view hint = {}) {
  return MapSeries(key, kind, tags, prefix, hint);
}

std::string LabelOf(const Mapped& mapped, std::string_view name) {
  for (const auto& [label, value] : mapped.labels) {
    if (label == name) return value;
  }
  return "";
}

TEST(MappingTest, RpcTimerBecomesTheRpcHistogramInSeconds) {
  const Mapped mapped = Map("spire_server.rpc.agent.v1.agent.attest_agent.elapsed_time",
                            WireKind::kTimer, {{"status", "OK"}, {"host", "vm"}});
  EXPECT_EQ(mapped.family, &kRpcDuration);
  EXPECT_EQ(mapped.effect, Effect::kObserve);
  EXPECT_EQ(mapped.scale, 1e-3);
  EXPECT_TRUE(mapped.known);
  EXPECT_THAT(mapped.labels,
              ElementsAre(Pair("component", "server"), Pair("service", "agent.v1.agent"),
                          Pair("method", "attest_agent"), Pair("status", "OK")));
}

TEST(MappingTest, CallCounterIsOnlyHeldAgainstItsTimer) {
  const Mapped counter =
      Map("spire_server.datastore.node.selectors.set", WireKind::kCounter, {{"status", "Unknown"}});
  const Mapped timer = Map("spire_server_datastore_node_selectors_set_elapsed_time",
                           WireKind::kTimer, {{"status", "Unknown"}});
  EXPECT_EQ(counter.effect, Effect::kCrossCheck);
  EXPECT_EQ(timer.effect, Effect::kObserve);
  EXPECT_EQ(counter.family, timer.family);
  EXPECT_EQ(counter.labels, timer.labels);
  EXPECT_THAT(timer.labels, ElementsAre(Pair("object", "node_selectors"), Pair("operation", "set"),
                                        Pair("status", "Unknown")));
}

TEST(MappingTest, TimerNeedNotNameItsElapsedTime) {
  EXPECT_EQ(Map("spire_agent.agent_svid.rotate", WireKind::kTimer).family, &kCallDuration);
}

TEST(MappingTest, LongestDatastoreObjectWins) {
  EXPECT_EQ(LabelOf(Map("spire_server.datastore.node_event.list", WireKind::kCounter), "object"),
            "node_event");
  const Mapped taint = Map("spire_server.datastore.bundle.x509.taint", WireKind::kCounter);
  EXPECT_EQ(LabelOf(taint, "object"), "bundle");
  EXPECT_EQ(LabelOf(taint, "operation"), "x509_taint");
}

TEST(MappingTest, OldAndNewNamesOfOneThingMeet) {
  const auto same = [](std::string_view a, std::string_view b, WireKind kind) {
    const Mapped left = Map(a, kind);
    const Mapped right = Map(b, kind);
    EXPECT_EQ(left.family, right.family) << a;
    EXPECT_EQ(left.labels, right.labels) << a;
    EXPECT_TRUE(left.known) << a;
  };
  same("spire_agent_cache_manager__expiring_svids", "spire_agent.cache_manager.expiring_svids",
       WireKind::kTimer);
  same("spire_agent_rpc_spire_agent_debug_v1_debug_get_info", "spire_agent_rpc_debug_get_info",
       WireKind::kCounter);
  EXPECT_EQ(
      LabelOf(Map("spire_server_rpc_entry_v1_entry_get_authorized_entries", WireKind::kCounter),
              "method"),
      "get_authorized_entries");
}

TEST(MappingTest, StatusIsAClosedSet) {
  const auto status = [](std::string_view value) {
    return LabelOf(Map("spire_agent.agent_svid.rotate", WireKind::kCounter, {{"status", value}}),
                   "status");
  };
  EXPECT_EQ(status("DeadlineExceeded"), "DeadlineExceeded");
  EXPECT_EQ(status("Code_17_"), "other");
  EXPECT_EQ(status("spiffe://example.org/x"), "other");
  EXPECT_EQ(status(""), "");
}

TEST(MappingTest, TagsThatNameSomebodyAreDropped) {
  const Mapped mapped =
      Map("spire_server.bundle_manager.fetch.federated_bundle", WireKind::kCounter,
          {{"trust_domain_id", "partner_example"}, {"status", "OK"}, {"host", "vm"}});
  EXPECT_THAT(mapped.labels,
              ElementsAre(Pair("component", "server"), Pair("call", "federated_bundle_fetch"),
                          Pair("status", "OK")));
}

TEST(MappingTest, AttestorIsBoundedAndCleaned) {
  const std::string hostile = "unix\"\n" + std::string(100, 'x');
  const Mapped mapped = Map("spire_agent.workload_api.workload_attestor", WireKind::kCounter,
                            {{"attestor", hostile}});
  const std::string attestor = LabelOf(mapped, "attestor");
  EXPECT_EQ(attestor.size(), 32u);
  EXPECT_TRUE(attestor.starts_with("unix__xxx"));
}

TEST(MappingTest, VersionIsReadAsItWasWritten) {
  const auto version = [](std::string_view value) {
    return LabelOf(Map("spire_agent.started", WireKind::kGauge, {{"version", value}}), "version");
  };
  EXPECT_EQ(version("1_15_3"), "1.15.3");
  EXPECT_EQ(version("1_8_0_dev_unk"), "1.8.0-dev-unk");
  EXPECT_EQ(version("1_8_0_2_rc"), "1.8.0-2-rc");
  EXPECT_EQ(version("devel_1_2"), "devel_1_2");
  EXPECT_EQ(version("9"), "9");
}

TEST(MappingTest, VersionOfTheProgramWinsOverGlobalTags) {
  const Mapped mapped = Map("spire_agent.started", WireKind::kGauge,
                            {{"version", "9"}, {"env", "prod"}, {"version", "1_15_3"}});
  EXPECT_EQ(mapped.family->type, MetricType::kInfo);
  EXPECT_THAT(mapped.labels, ElementsAre(Pair("component", "agent"), Pair("version", "1.15.3")));
}

TEST(MappingTest, HeartbeatIsUptimeInSeconds) {
  const Mapped mapped = Map("spire_server.uptime_in_ms", WireKind::kGauge);
  EXPECT_EQ(mapped.effect, Effect::kHeartbeat);
  EXPECT_EQ(mapped.family, &kUptime);
  EXPECT_EQ(mapped.scale, 1e-3);
}

TEST(MappingTest, ZeroTimeOfBootstrapIsAbsent) {
  const Mapped mapped =
      Map("spire_agent.bootstrap_seconds", WireKind::kGauge, {{"mode", "rebootstrap"}});
  EXPECT_EQ(mapped.absent_below, 0);
  EXPECT_THAT(mapped.labels, ElementsAre(Pair("mode", "rebootstrap")));
}

TEST(MappingTest, RunningTotalIsACounterThatIsSetAndNeverBelowZero) {
  const Mapped mapped = Map("spire_server.runtime.total_gc_pause_ns", WireKind::kGauge);
  EXPECT_EQ(mapped.family, &kGcPause);
  EXPECT_EQ(mapped.effect, Effect::kSet);
  EXPECT_EQ(mapped.scale, 1e-9);
  EXPECT_EQ(mapped.absent_below, 0);
}

TEST(MappingTest, SamplesBecomeWhatTheyAre) {
  EXPECT_EQ(Map("spire_agent.cache_manager.tainted_jwt_svids.workload", WireKind::kTimer).effect,
            Effect::kSum);
  const Mapped pause = Map("spire_agent.runtime.gc_pause_ns", WireKind::kTimer);
  EXPECT_EQ(pause.family, &kGcPauseDuration);
  EXPECT_EQ(pause.scale, 1e-9);
  EXPECT_EQ(Map("spire_agent.workload_api.discovered_selectors", WireKind::kTimer).effect,
            Effect::kObserve);
}

TEST(MappingTest, TheSameNameMeansAnotherThingAsCounterAndAsGauge) {
  EXPECT_EQ(Map("spire_agent.sds_api.connections", WireKind::kCounter).family, &kConnectionsOpened);
  EXPECT_EQ(Map("spire_agent.sds_api.connections", WireKind::kGauge).family, &kConnections);
}

TEST(MappingTest, RejectionNamesTheMethodAsTheRpcDoes) {
  const auto labels = [](std::string_view method) {
    return Map("spire_agent.workload_api.rate_limit_exceeded", WireKind::kCounter,
               {{"method", method}})
        .labels;
  };
  EXPECT_THAT(labels("_SpiffeWorkloadAPI_FetchX509SVID"),
              ElementsAre(Pair("service", "workload_api"), Pair("method", "fetch_x509svid")));
  EXPECT_THAT(labels("_envoy_service_secret_v3_SecretDiscoveryService_StreamSecrets"),
              ElementsAre(Pair("service", "sds.v3"), Pair("method", "stream_secrets")));
  EXPECT_THAT(labels("spiffe://somebody"), IsEmpty());
}

TEST(MappingTest, SelfTelemetryIsForTheLedger) {
  const Mapped mapped = Map("datadog.dogstatsd.client.metrics", WireKind::kCounter);
  EXPECT_EQ(mapped.effect, Effect::kSelf);
  EXPECT_EQ(mapped.family, nullptr);
}

TEST(MappingTest, UnknownKeysGoToTheGenericFamilies) {
  const Mapped events = Map("spire_server.new.thing", WireKind::kCounter,
                            {{"status", "OK"}, {"spiffe_id", "spiffe://a/b"}});
  EXPECT_FALSE(events.known);
  EXPECT_EQ(events.family, &kUnmappedEvents);
  EXPECT_THAT(events.labels,
              ElementsAre(Pair("key", "spire_server_new_thing"), Pair("status", "OK")));
  const Mapped timer = Map("spire_server.new.thing.elapsed_time", WireKind::kTimer);
  EXPECT_EQ(timer.family, &kUnmappedDuration);
  EXPECT_EQ(timer.scale, 1e-3);
  EXPECT_THAT(timer.labels, ElementsAre(Pair("key", "spire_server_new_thing")));
  EXPECT_EQ(Map("spire_agent.rpc.no_such_service.m", WireKind::kTimer).family, &kUnmappedSample);
  EXPECT_EQ(Map("spire_server.datastore.bundle.explode", WireKind::kGauge).family, &kUnmappedValue);
  EXPECT_FALSE(Map("nginx.requests", WireKind::kCounter).known);
  EXPECT_FALSE(Map("spire_agent.server_ca.sign.jwt_svid", WireKind::kCounter).known);
}

TEST(MappingTest, LongUnknownKeysStayApart) {
  const std::string start(500, 'k');
  const Mapped a = Map(start + "a", WireKind::kGauge);
  const Mapped b = Map(start + "b", WireKind::kGauge);
  EXPECT_EQ(LabelOf(a, "key").size(), 100u);
  EXPECT_NE(LabelOf(a, "key"), LabelOf(b, "key"));
}

TEST(MappingTest, CustomPrefixIsTakenOff) {
  const std::string_view prefix = "acme-eu.spire";
  EXPECT_EQ(LabelOf(Map("acme-eu.spire.svid.rotate", WireKind::kCounter, {}, prefix), "component"),
            "server");
  EXPECT_EQ(
      LabelOf(Map("acme_eu_spire_agent_svid_rotate", WireKind::kCounter, {}, prefix), "component"),
      "agent");
  EXPECT_EQ(LabelOf(Map("acme-eu.spire.uptime_in_ms", WireKind::kGauge, {}, prefix), "component"),
            "unknown");
  EXPECT_EQ(LabelOf(Map("acme-eu.spire.uptime_in_ms", WireKind::kGauge, {}, prefix, "agent"),
                    "component"),
            "agent");
  // SPIRE's own prefixes are understood beside it, even where the custom one is a part of them.
  EXPECT_TRUE(Map("spire_server.svid.rotate", WireKind::kCounter, {}, "spire").known);
  EXPECT_TRUE(Map("spire_server_eu.svid.rotate", WireKind::kCounter, {}, "spire_server_eu").known);
  EXPECT_FALSE(Map("acme.svid.rotate", WireKind::kCounter).known);
}

TEST(MappingTest, EveryLabelOfEveryRowIsDescribedAndClosedSetsHold) {
  for (const Row& row : MappingTable()) {
    for (const FixedLabel& fixed : row.labels) {
      if (fixed.name.empty()) continue;
      const auto& labels = row.family->labels;
      const auto found = std::find_if(labels.begin(), labels.end(),
                                      [&](const auto& label) { return label.name == fixed.name; });
      ASSERT_NE(found, labels.end()) << row.key;
      EXPECT_NE(std::find(found->values.begin(), found->values.end(), fixed.value),
                found->values.end())
          << row.key << ' ' << fixed.value;
    }
  }
}

TEST(MappingTest, NoRowHidesAnother) {
  for (const Row& row : MappingTable()) {
    if (row.group != Group::kNone) continue;
    for (const std::string_view prefix : {"spire_server_", "spire_agent_"}) {
      if (row.sender == Sender::kServer && prefix == "spire_agent_") continue;
      if (row.sender == Sender::kAgent && prefix == "spire_server_") continue;
      const WireKind kind = row.emitted == Emitted::kCounter || row.emitted == Emitted::kCall
                                ? WireKind::kCounter
                            : row.emitted == Emitted::kAmount || row.emitted == Emitted::kSample ||
                                    row.emitted == Emitted::kLatency
                                ? WireKind::kTimer
                                : WireKind::kGauge;
      EXPECT_EQ(Map(std::string(prefix) + std::string(row.key), kind).family, row.family)
          << row.key;
    }
  }
}

TEST(MappingTest, EveryServiceOfAKeyIsInTheClosedSet) {
  const auto values = kRpcDuration.labels[1].values;
  for (const auto& table : {RpcServices(), GrpcServices()}) {
    for (const ServiceName& each : table) {
      EXPECT_NE(std::find(values.begin(), values.end(), each.service), values.end())
          << each.service;
    }
  }
}

TEST(MappingTest, EveryFamilyOfATableRowIsListedOnce) {
  std::set<const FamilyDescription*> listed;
  for (const FamilyDescription* family : MappedFamilies()) {
    EXPECT_TRUE(listed.insert(family).second) << family->name;
  }
  for (const Row& row : MappingTable()) EXPECT_TRUE(listed.contains(row.family)) << row.key;
}

// The rules of promlint and OpenMetrics that names can break.
TEST(MappingTest, NamesAreClean) {
  std::set<std::string> bases;
  for (const FamilyDescription* family : MappedFamilies()) {
    std::string base(family->name);
    EXPECT_TRUE(base.starts_with("spire_")) << base;
    for (const char* taken : {"spire_server_", "spire_agent_", "spire_exporter_"}) {
      EXPECT_FALSE(base.starts_with(taken)) << base;
    }
    EXPECT_EQ(base.ends_with("_total"), family->type == MetricType::kCounter) << base;
    EXPECT_EQ(base.ends_with("_info"), family->type == MetricType::kInfo) << base;
    for (const std::string suffix : {"_total", "_info"}) {
      if (base.ends_with(suffix)) base.resize(base.size() - suffix.size());
    }
    for (const char* reserved : {"_sum", "_count", "_bucket", "_created"}) {
      EXPECT_FALSE(base.ends_with(reserved)) << base;
    }
    if (!family->unit.empty()) {
      EXPECT_TRUE(base.ends_with("_" + std::string(family->unit)));
    }
    EXPECT_TRUE(bases.insert(base).second) << base;
    EXPECT_TRUE(family->help.ends_with('.')) << base;
    EXPECT_FALSE(family->source.empty()) << base;
  }
}

TEST(MappingTest, HistogramsHaveFewRisingBoundsAndOthersNone) {
  for (const FamilyDescription* family : MappedFamilies()) {
    const auto bounds = ClassicBounds(*family);
    if (family->type != MetricType::kHistogram) {
      EXPECT_TRUE(bounds.empty()) << family->name;
    }
    EXPECT_LE(bounds.size(), 12u);
    EXPECT_TRUE(std::is_sorted(bounds.begin(), bounds.end(), std::less_equal<>()));
  }
}

}  // namespace
}  // namespace spire_exporter::telemetry
