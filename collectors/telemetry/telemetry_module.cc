#include "collectors/telemetry/telemetry_module.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/telemetry/agent_watch.h"
#include "collectors/telemetry/digest_collector.h"
#include "collectors/telemetry/ingest.h"
#include "collectors/telemetry/listen_check.h"
#include "collectors/telemetry/mapping.h"
#include "collectors/telemetry/scrape_collector.h"
#include "collectors/telemetry/stream_families.h"
#include "collectors/telemetry/telemetry_options.h"
#include "collectors/telemetry/watch_collector.h"
#include "exporter/base/mutex.h"

namespace spire_exporter {
namespace {

using telemetry::Ingest;
using telemetry::IngestOptions;
using telemetry::ListenAddress;
using telemetry::ScrapedPage;
using telemetry::TelemetryOptions;

// When an agent last synchronised is known to this; of others, nothing changes fast.
constexpr Duration kAgentDigest = std::chrono::seconds(2);
constexpr Duration kDigest = std::chrono::seconds(15);

class TelemetryModule final : public Module, private telemetry::ScrapeSink {
 public:
  explicit TelemetryModule(const ModuleDeps& deps)
      : deps_(deps),
        watch_(deps.clock),
        ingest_(deps.clock, deps.logger, deps.role == Role::kServer ? nullptr : &watch_) {}

  Status Apply(const ConfigNode& config) override EXCLUDES(mutex_) {
    TelemetryOptions options;
    if (Status read = telemetry::ReadTelemetryOptions(config, deps_.role, &options); !read) {
      return read;
    }
    if (!started_) {
      if (Status start = ingest_.Start(); !start) return start;
      started_ = true;
    }
    IngestOptions ingest = telemetry::MakeIngestOptions(options, deps_.role);
    {
      const MutexLock lock(mutex_);
      mapping_ = ingest.store;
    }
    ingest_.Configure(std::move(ingest));
    options_ = std::move(options);
    return {};
  }

  std::vector<std::unique_ptr<Collector>> Targets() override {
    std::vector<std::unique_ptr<Collector>> targets;
    if (options_.scrape.enabled()) {
      targets.push_back(telemetry::MakeScrapeCollector(options_.scrape, *this));
    }
    if (options_.scrape.enabled() || !options_.listen.empty()) {
      targets.push_back(
          telemetry::MakeDigestCollector(deps_.role == Role::kAgent ? kAgentDigest : kDigest,
                                         ingest_, [this] { return ingest_.StreamSpeaks(); }));
    }
    if (deps_.role != Role::kServer && (!options_.listen.empty() || options_.scrape.enabled())) {
      targets.push_back(telemetry::MakeWatchCollector(watch_));
    }
    return targets;
  }

  LiveSource* Live() override { return &ingest_; }

  std::vector<CheckLine> Check(const ConfigNode& config, const Deadline& deadline) override {
    TelemetryOptions options;
    if (const Status read = telemetry::ReadTelemetryOptions(config, deps_.role, &options); !read) {
      return {{"telemetry", false, read.error().ToString(), "correct the configuration"}};
    }
    std::vector<CheckLine> lines;
    for (const ListenAddress& address : options.listen) {
      lines.push_back(telemetry::CheckListen(address));
    }
    if (options.scrape.enabled()) {
      lines.push_back(telemetry::CheckScrape(options.scrape, deps_.clock, deadline));
    }
    return lines;
  }

 private:
  bool StreamSpeaks() override { return ingest_.StreamSpeaks(); }
  // On the thread of the scrape, which can spare the time that mapping takes.
  void Deliver(std::shared_ptr<const ScrapedPage> page) override EXCLUDES(mutex_) {
    telemetry::StoreOptions mapping;
    {
      const MutexLock lock(mutex_);
      mapping = mapping_;
    }
    ingest_.Deliver(telemetry::PreparePage(*page, mapping.metric_prefix, mapping.component_hint,
                                           mapping.label_length_max));
  }

  const ModuleDeps deps_;
  TelemetryOptions options_;
  bool started_ = false;
  Mutex mutex_;
  telemetry::StoreOptions mapping_ GUARDED_BY(mutex_);
  telemetry::AgentWatch watch_;
  Ingest ingest_;
};

Status Validate(const ConfigNode& config, Role role) {
  TelemetryOptions options;
  return telemetry::ReadTelemetryOptions(config, role, &options);
}

}  // namespace

const CatalogEntry& TelemetryCatalogEntry() {
  static constexpr std::string_view kScalarKeys[] = {
      "telemetry.metric_prefix",          "telemetry.stream.max_series",
      "telemetry.stream.socket_mode",     "telemetry.scrape.url",
      "telemetry.scrape.interval",        "telemetry.scrape.timeout",
      "telemetry.scrape.ca_file",         "telemetry.scrape.server_name",
      "telemetry.scrape.cert_file",       "telemetry.scrape.poll",
      "telemetry.scrape.key_file",        "telemetry.scrape.spiffe.socket",
      "telemetry.scrape.spiffe.server_id"};
  static constexpr std::string_view kListKeys[] = {"telemetry.stream.listen"};
  static const std::vector<const FamilyDescription*> families = [] {
    std::vector<const FamilyDescription*> all;
    for (const auto& some :
         {telemetry::MappedFamilies(), telemetry::StreamFamilies(), telemetry::ScrapeFamilies()}) {
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }();
  static const CatalogEntry entry = {
      "telemetry",
      "SPIRE's own telemetry: its DogStatsD stream and its Prometheus endpoint",
      [](Role) { return true; },
      families,
      &Validate,
      [](const ModuleDeps& deps) -> std::unique_ptr<Module> {
        return std::make_unique<TelemetryModule>(deps);
      },
      &telemetry::WithTelemetryDefaults,
      kScalarKeys,
      kListKeys,
  };
  return entry;
}

}  // namespace spire_exporter
