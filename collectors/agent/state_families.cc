#include "collectors/agent/state_families.h"

#include <array>
#include <chrono>
#include <string_view>

#include "collectors/svid/svid_descriptions.h"

namespace spire_exporter::agent {
namespace {

constexpr Duration kAge = std::chrono::minutes(5);
constexpr std::string_view kBoth = "the agent's admin socket, else SPIRE telemetry";
constexpr std::string_view kSocket = "the agent's admin socket, GetInfo";

constexpr std::array<std::string_view, 3> kTypes = {"jwt", "svidstore", "x509"};
constexpr std::array<std::string_view, 2> kLimited = {"jwt", "x509"};
constexpr std::array<std::string_view, 4> kParts = {"cache", "start", "svid", "sync"};

constexpr std::array kType = {LabelDescription{"type", "kind of SVID", kTypes}};
constexpr std::array kLimitedType = {LabelDescription{"type", "kind of SVID", kLimited}};
constexpr std::array kAdminState = {LabelDescription{
    "state",
    "svid_unverified: the agent's own SVID has ended or no longer verifies, and it tells nothing",
    kAdminStates}};
constexpr std::array kSyncState = {
    LabelDescription{"state",
                     "failing: tries have failed since the last good one; late, stalled: none was "
                     "seen to; stalled: for longer than the longest back-off",
                     kSyncStates}};
constexpr std::array kBootstrapState = {LabelDescription{
    "state", "rebootstrapping: it had a bundle that no longer fits the servers", kBootstrapStates}};
constexpr std::array kPartSource = {
    LabelDescription{"part", "what is told", kParts},
    LabelDescription{"source", "kept: from before its source fell silent", kSources}};

constexpr FamilyDescription kAdmin{.name = "spire_local_agent_admin_state",
                                   .type = MetricType::kStateSet,
                                   .labels = kAdminState,
                                   .help = "How the agent's admin socket answered last.",
                                   .source = kSocket,
                                   .series_max = static_cast<uint32_t>(kAdminStates.size()),
                                   .age_max = kAge,
                                   .detail = Detail::kFull};
constexpr FamilyDescription kAdminLast{
    .name = "spire_local_agent_admin_answer_timestamp_seconds",
    .unit = "seconds",
    .help = "When the agent's admin socket answered last: the age of what is kept from it.",
    .source = kSocket,
    .age_max = kAge,
    .when_stale = WhenStale::kKept};
constexpr FamilyDescription kSourceInfo{.name = "spire_local_agent_source_info",
                                        .type = MetricType::kInfo,
                                        .labels = kPartSource,
                                        .help = "Where what is told of the agent comes from.",
                                        .source = "this process",
                                        .series_max = static_cast<uint32_t>(kParts.size()),
                                        .age_max = kAge,
                                        .detail = Detail::kFull};
constexpr FamilyDescription kStart{
    .name = "spire_local_agent_start_timestamp_seconds",
    .unit = "seconds",
    .help = "When the agent's process started, good to some seconds.",
    .source = kBoth,
    .age_max = kAge,
    .when_stale = WhenStale::kKept};
constexpr FamilyDescription kBootstrap{.name = "spire_bootstrap_state",
                                       .type = MetricType::kStateSet,
                                       .labels = kBootstrapState,
                                       .help =
                                           "Whether the agent has a trust bundle; it may have one "
                                           "and be without an SVID.",
                                       .source = "SPIRE telemetry bootstrapped",
                                       .series_max = static_cast<uint32_t>(kBootstrapStates.size()),
                                       .age_max = kAge};
constexpr FamilyDescription kSvids{
    .name = "spire_cache_svids",
    .labels = kType,
    .help = "SVIDs in the agent's caches; the last known while nothing tells it.",
    .source = kBoth,
    .series_max = static_cast<uint32_t>(kTypes.size()),
    .age_max = kAge,
    .when_stale = WhenStale::kKept,
    .detail = Detail::kMinimal};
constexpr FamilyDescription kLimit{
    .name = "spire_cache_limit_svids",
    .labels = kLimitedType,
    .help = "SVIDs that the agent's cache is meant to hold; X.509-SVIDs in use are kept beyond it.",
    .source = "this process's configuration",
    .series_max = static_cast<uint32_t>(kLimited.size()),
    .age_max = kAge,
    .detail = Detail::kFull};
constexpr FamilyDescription kFill{.name = "spire_cache_fill_ratio",
                                  .unit = "ratio",
                                  .labels = kLimitedType,
                                  .help = "SVIDs in the agent's cache, of its limit.",
                                  .source = kBoth,
                                  .series_max = static_cast<uint32_t>(kLimited.size()),
                                  .age_max = kAge};
constexpr FamilyDescription kLastSync{
    .name = "spire_cache_last_sync_timestamp_seconds",
    .unit = "seconds",
    .help =
        "When the agent last synchronised with the servers in whole; from telemetry never later "
        "than it was, and absent until one was seen.",
    .source = kBoth,
    .age_max = kAge,
    .when_stale = WhenStale::kKept,
    .detail = Detail::kMinimal};
constexpr FamilyDescription kSync{.name = "spire_cache_sync_state",
                                  .type = MetricType::kStateSet,
                                  .labels = kSyncState,
                                  .help = "How the agent's synchronisation stands.",
                                  .source = kBoth,
                                  .series_max = static_cast<uint32_t>(kSyncStates.size()),
                                  .age_max = kAge};
constexpr FamilyDescription kGap{
    .name = "spire_cache_sync_gap_ratio",
    .unit = "ratio",
    .help =
        "Time since the agent's last good sync in sync intervals: up to 1 when all is well, the "
        "back-off in an outage.",
    .source = kBoth,
    .age_max = std::chrono::minutes(1)};
constexpr FamilyDescription kFailures{.name = "spire_cache_sync_failures",
                                      .help =
                                          "Tries of the agent to synchronise that failed since "
                                          "the last good one, as far as they were seen.",
                                      .source = "SPIRE telemetry manager.sync.*",
                                      .age_max = std::chrono::minutes(1)};
constexpr FamilyDescription kWait{
    .name = "spire_cache_sync_wait_seconds",
    .unit = "seconds",
    .help =
        "Time that the agent lets pass between its last try to synchronise and the next: how long "
        "a cure may take to show.",
    .source = "SPIRE telemetry manager.sync.*, by SPIRE's back-off",
    .age_max = std::chrono::minutes(1)};
constexpr FamilyDescription kSvidExpiry = svid::SvidExpiry({kSocket, kAge, WhenStale::kKept});
constexpr FamilyDescription kSvidRemaining = svid::SvidRemaining({kSocket, kAge});

constexpr const FamilyDescription* kStateFamilies[] = {
    &kAdmin, &kAdminLast, &kSourceInfo, &kStart,      &kBootstrap,
    &kSvids, &kLimit,     &kFill,       &kSync,       &kLastSync,
    &kGap,   &kFailures,  &kWait,       &kSvidExpiry, &kSvidRemaining};

double Unix(spire::UnixTime time) {
  return static_cast<double>(time.time_since_epoch().count());
}

void AddCaches(const StateView& view, const CacheLimits& limits, FamilyBuilder& families) {
  const auto add = [&families](std::string_view type, std::optional<uint64_t> svids) {
    if (svids) families.Add(kSvids, {type}, static_cast<double>(*svids));
  };
  add("x509", view.x509);
  add("jwt", view.jwt);
  add("svidstore", view.svidstore);
  const auto fill = [&families](std::string_view type, std::optional<uint64_t> svids,
                                int64_t limit) {
    const auto most = static_cast<double>(limit);
    families.Add(kLimit, {type}, most);
    if (svids) families.Add(kFill, {type}, static_cast<double>(*svids) / most);
  };
  fill("x509", view.x509, limits.x509);
  fill("jwt", view.jwt, limits.jwt);
}

}  // namespace

std::span<const FamilyDescription* const> StateFamilies() {
  return kStateFamilies;
}

void AddState(const StateView& view, const CacheLimits& limits, FamilyBuilder& families) {
  families.AddState(kAdmin, {}, view.admin);
  if (view.admin_last) families.Add(kAdminLast, {}, UnixSeconds(*view.admin_last));
  families.AddInfo(kSourceInfo, {"cache", SourceName(view.cache_source)});
  families.AddInfo(kSourceInfo, {"start", SourceName(view.start_source)});
  families.AddInfo(kSourceInfo, {"svid", SourceName(view.svid_source)});
  families.AddInfo(kSourceInfo, {"sync", SourceName(view.sync_source)});
  if (view.started) families.Add(kStart, {}, Unix(*view.started));
  families.AddState(kBootstrap, {}, view.bootstrap);
  AddCaches(view, limits, families);
  families.AddState(kSync, {}, view.sync);
  if (view.last_sync) families.Add(kLastSync, {}, Unix(*view.last_sync));
  if (view.gap_ratio) families.Add(kGap, {}, *view.gap_ratio);
  if (view.failures) families.Add(kFailures, {}, static_cast<double>(*view.failures));
  if (view.next_wait) families.Add(kWait, {}, Seconds(*view.next_wait));
  if (view.svid_expiry) families.Add(kSvidExpiry, {"agent"}, Unix(*view.svid_expiry));
  if (view.svid_remaining_ratio) {
    families.Add(kSvidRemaining, {"agent"}, *view.svid_remaining_ratio);
  }
}

}  // namespace spire_exporter::agent
