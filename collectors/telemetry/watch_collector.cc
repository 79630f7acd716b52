#include "collectors/telemetry/watch_collector.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "collectors/clients/spire/runway_facts.h"
#include "collectors/telemetry/renewal_ledger.h"

namespace spire_exporter::telemetry {
namespace {

constexpr Duration kWatchPeriod = std::chrono::seconds(2);
constexpr Duration kWatchTimeout = std::chrono::seconds(1);
// A number of cached SVIDs older than this is of another time.
constexpr Duration kCachedAgeMax = std::chrono::seconds(30);

// The shorter of what is configured and what the canary is issued: a server cuts a life short where
// its CA ends sooner.
std::optional<Duration> TtlOf(const FactsBoard& facts) {
  std::optional<Duration> ttl;
  for (const char* const subject : {"runway", "server"}) {
    const auto config = facts.Latest<spire::SpireConfigFact>(subject);
    if (!ttl && config) ttl = config->value->x509_svid_ttl;
  }
  const auto canary = facts.Latest<spire::CanaryFact>("canary");
  if (!canary || !canary->value->x509_not_before || !canary->value->x509_not_after) return ttl;
  const Duration issued =
      *canary->value->x509_not_after - *canary->value->x509_not_before - kBackDating;
  if (issued <= Duration::zero()) return ttl;
  return std::min(issued, ttl.value_or(issued));
}

std::optional<Duration> AgentTtlOf(const FactsBoard& facts) {
  std::optional<Duration> ttl;
  for (const char* const subject : {"runway", "server"}) {
    const auto config = facts.Latest<spire::SpireConfigFact>(subject);
    if (!ttl && config) ttl = config->value->agent_ttl;
  }
  return ttl;
}

spire::Horizon OwnSvid(SystemTime issued, Duration ttl, bool anybody_could_say) {
  spire::Horizon horizon;
  const SystemTime end = issued + std::chrono::duration_cast<SystemTime::duration>(ttl);
  horizon.groups = {{std::chrono::floor<std::chrono::seconds>(end), 1}};
  horizon.whole = true;
  horizon.anybody_could_say = anybody_could_say;
  return horizon;
}

spire::Horizon HorizonOf(const AgentWatch::View& view) {
  spire::Horizon horizon;
  horizon.whole = view.standing.whole;
  horizon.shorter_lives = view.standing.shorter_lives;
  horizon.anybody_could_say = view.anybody_could_say;
  horizon.sooner = std::chrono::ceil<std::chrono::seconds>(view.standing.sooner);
  horizon.later = std::chrono::ceil<std::chrono::seconds>(view.standing.later);
  for (const RenewalLedger::Group& group : view.standing.groups) {
    const auto expiry = std::chrono::floor<std::chrono::seconds>(group.expiry);
    if (!horizon.groups.empty() && horizon.groups.back().expiry >= expiry) {
      horizon.groups.back().count += group.count;
    } else {
      horizon.groups.push_back({expiry, group.count});
    }
  }
  return horizon;
}

class WatchCollector final : public Collector {
 public:
  explicit WatchCollector(AgentWatch& watch) : watch_(watch) {}

  std::string_view Name() const override { return "telemetry"; }
  std::string_view Target() const override { return "renewals"; }
  std::string Fingerprint() const override { return "renewals"; }
  Duration Period() const override { return kWatchPeriod; }
  Duration Timeout() const override { return kWatchTimeout; }

  Result<Reading> Collect(const CollectContext& context) override {
    watch_.SetTtl(TtlOf(context.facts));
    const auto sync = context.facts.Latest<spire::SyncFact>("sync");
    if (sync && sync->value->source == "admin_socket" && sync->value->cached_x509_svids &&
        context.clock.Steady() - sync->at <= kCachedAgeMax) {
      watch_.SetCached(*sync->value->cached_x509_svids);
    }
    const AgentWatch::View view = watch_.Read();
    Reading reading;
    if (!view.spoke) return reading;
    if (view.cached || !view.standing.groups.empty()) {
      reading.facts.push_back(
          Fact::Make<spire::Horizon>("workload/ledger", *view.spoke, HorizonOf(view)));
    }
    const std::optional<Duration> agent_ttl = AgentTtlOf(context.facts);
    if (view.own_svid && agent_ttl) {
      reading.facts.push_back(
          Fact::Make<spire::Horizon>("agent/ledger", *view.spoke,
                                     OwnSvid(*view.own_svid, *agent_ttl, view.anybody_could_say)));
    }
    if (view.last_sync || view.refused) {
      spire::SyncFact fact;
      if (view.last_sync) {
        fact.last_success = std::chrono::floor<std::chrono::seconds>(*view.last_sync);
      }
      fact.refused = view.refused;
      fact.cached_x509_svids = view.cached;
      fact.source = "telemetry";
      reading.facts.push_back(
          Fact::Make<spire::SyncFact>("sync/stream", *view.spoke, std::move(fact)));
    }
    return reading;
  }

 private:
  AgentWatch& watch_;
};

}  // namespace

std::unique_ptr<Collector> MakeWatchCollector(AgentWatch& watch) {
  return std::make_unique<WatchCollector>(watch);
}

}  // namespace spire_exporter::telemetry
