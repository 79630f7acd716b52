#include "collectors/telemetry/families.h"

#include <chrono>

namespace spire_exporter::telemetry {
namespace {

using std::chrono::minutes;

// SPIRE beats every ten seconds. A state is withdrawn after six missed beats; what only ever grows
// is worth keeping through a restart of SPIRE.
constexpr Duration kStateAge = minutes(1);
constexpr Duration kTotalAge = minutes(5);

constexpr std::string_view kComponents[] = {"server", "agent", "unknown"};
constexpr std::string_view kStatuses[] = {"OK",
                                          "Canceled",
                                          "Unknown",
                                          "InvalidArgument",
                                          "NotFound",
                                          "DeadlineExceeded",
                                          "AlreadyExists",
                                          "PermissionDenied",
                                          "Aborted",
                                          "ResourceExhausted",
                                          "FailedPrecondition",
                                          "OutOfRange",
                                          "Internal",
                                          "Unimplemented",
                                          "Unavailable",
                                          "DataLoss",
                                          "Unauthenticated",
                                          "other"};
constexpr std::string_view kServices[] = {"agent.v1.agent",
                                          "bundle.v1.bundle",
                                          "debug",
                                          "debug.v1.debug",
                                          "delegated_identity",
                                          "entry.v1.entry",
                                          "health",
                                          "localauthority.v1.local_authority",
                                          "logger",
                                          "reflection",
                                          "sds.v3",
                                          "spiffe.broker",
                                          "svid.v1.svid",
                                          "trustdomain.v1.trust_domain",
                                          "workload_api"};
constexpr std::string_view kObjects[] = {"bundle",
                                         "ca_journal",
                                         "federation_relationship",
                                         "join_token",
                                         "node",
                                         "node_event",
                                         "node_selectors",
                                         "registration_entry",
                                         "registration_entry_event"};
constexpr std::string_view kOperations[] = {
    "append", "count", "create", "delete", "fetch",       "jwt_revoke", "jwt_taint",
    "list",   "prune", "set",    "update", "x509_revoke", "x509_taint"};
constexpr std::string_view kCalls[] = {"bundle_prune",
                                       "entry_cache_reload",
                                       "entry_prune",
                                       "federated_bundle_fetch",
                                       "first_x509_svid_update",
                                       "jwt_key_prepare",
                                       "key_manager_fetch_private_key",
                                       "key_manager_generate_key",
                                       "key_manager_generate_key_pair",
                                       "key_manager_get_key",
                                       "key_manager_get_keys",
                                       "key_manager_get_public_key",
                                       "key_manager_get_public_keys",
                                       "key_manager_sign_data",
                                       "key_manager_store_private_key",
                                       "node_attest",
                                       "node_prune",
                                       "node_reattest",
                                       "svid_rotate",
                                       "svid_store_update",
                                       "sync_entries",
                                       "sync_svids",
                                       "tainted_jwt_svids_workload",
                                       "tainted_x509_svids_svid_store",
                                       "tainted_x509_svids_workload",
                                       "wit_key_prepare",
                                       "workload_attestation",
                                       "workload_attestor",
                                       "x509_ca_prepare"};
constexpr std::string_view kSignatureKinds[] = {"x509_svid", "x509_ca_svid", "jwt_svid"};
constexpr std::string_view kAuthorityTypes[] = {"x509", "jwt", "wit"};
constexpr std::string_view kApis[] = {"workload", "sds", "debug", "delegated_identity", "logger"};
constexpr std::string_view kChanges[] = {"added", "removed", "updated"};
constexpr std::string_view kCaches[] = {"workload", "svid_store"};
constexpr std::string_view kSvidKinds[] = {"x509", "jwt"};
constexpr std::string_view kDueReasons[] = {"expiring", "outdated", "tainted"};
constexpr std::string_view kModes[] = {"bootstrap", "rebootstrap", "other"};
constexpr std::string_view kEventsCaches[] = {"agents_by_id", "agents_by_expires_at",
                                              "entries_by_entry_id", "node_aliases_by_entry_id",
                                              "node_aliases_by_selector"};
constexpr std::string_view kEventKinds[] = {"entry", "node"};
constexpr std::string_view kDifferences[] = {"missing", "stale", "dropped"};

constexpr LabelDescription kComponentLabel = {"component", "which of SPIRE's programs sent it",
                                              kComponents};
constexpr LabelDescription kStatusLabel = {"status", "gRPC status code of the result", kStatuses};
constexpr LabelDescription kKeyLabel = {"key",
                                        "SPIRE's key with underscores for dots, at most 100 bytes"};

constexpr LabelDescription kComponentOnly[] = {kComponentLabel};
constexpr LabelDescription kRpcLabels[] = {
    kComponentLabel,
    {"service", "gRPC service, with its version where it has one", kServices},
    {"method", "gRPC method in snake case, at most 64 bytes"},
    kStatusLabel};
constexpr LabelDescription kDatastoreLabels[] = {{"object", "what is read or written", kObjects},
                                                 {"operation", "what is done to it", kOperations},
                                                 kStatusLabel};
constexpr LabelDescription kCallLabels[] = {
    kComponentLabel,
    {"call", "what was done; mapping_table.cc has SPIRE's key for each", kCalls},
    {"attestor", "plugin, for node_attest and workload_attestor; at most 32 bytes"},
    kStatusLabel};
constexpr LabelDescription kRateLimitLabels[] = {
    {"service", "gRPC service", kServices},
    {"method", "gRPC method in snake case, at most 64 bytes"},
    kStatusLabel};
constexpr LabelDescription kSignatureLabels[] = {{"kind", "what was signed", kSignatureKinds}};
constexpr LabelDescription kTypeLabels[] = {{"type", "kind of authority", kAuthorityTypes}};
constexpr LabelDescription kApiLabels[] = {{"api", "which of the agent's APIs", kApis}};
constexpr LabelDescription kRejectionLabels[] = {{"service", "gRPC service", kServices},
                                                 {"method", "gRPC method in snake case"}};
constexpr LabelDescription kChangeLabels[] = {{"change", "what happened to the entry", kChanges}};
constexpr LabelDescription kDueLabels[] = {{"cache", "which of the agent's caches", kCaches},
                                           {"kind", "kind of SVID", kSvidKinds},
                                           {"reason", "why it is due for renewal", kDueReasons}};
constexpr LabelDescription kVersionLabels[] = {kComponentLabel,
                                               {"version", "SPIRE's version, at most 64 bytes"}};
constexpr LabelDescription kModeLabels[] = {{"mode", "first bootstrap or a later one", kModes}};
constexpr LabelDescription kEventsCacheLabels[] = {{"cache", "which index", kEventsCaches}};
constexpr LabelDescription kEventKindLabels[] = {{"kind", "whose events", kEventKinds}};
constexpr LabelDescription kDifferenceLabels[] = {
    {"state", "how the agent's copy differs from the server's", kDifferences}};
constexpr LabelDescription kKeyOnly[] = {kKeyLabel};
constexpr LabelDescription kKeyStatus[] = {kKeyLabel, kStatusLabel};

using Labels = std::span<const LabelDescription>;

constexpr FamilyDescription Histogram(std::string_view name, std::string_view unit, Labels labels,
                                      std::string_view help, std::string_view source,
                                      uint32_t series_max) {
  return {name, MetricType::kHistogram, unit, labels, help, source, series_max, kTotalAge};
}
constexpr FamilyDescription Counter(std::string_view name, std::string_view unit, Labels labels,
                                    std::string_view help, std::string_view source,
                                    uint32_t series_max) {
  return {name, MetricType::kCounter, unit, labels, help, source, series_max, kTotalAge};
}
constexpr FamilyDescription Gauge(std::string_view name, std::string_view unit, Labels labels,
                                  std::string_view help, std::string_view source,
                                  uint32_t series_max, Duration age = kStateAge,
                                  WhenStale when_stale = WhenStale::kWithdrawn) {
  return {name, MetricType::kGauge, unit, labels, help, source, series_max, age, when_stale};
}

}  // namespace

std::span<const std::string_view> StatusValues() {
  return kStatuses;
}

constexpr FamilyDescription kRpcDuration =
    Histogram("spire_rpc_duration_seconds", "seconds", kRpcLabels,
              "Duration of SPIRE's gRPC calls; a streaming call lasts as long as its client stays.",
              "SPIRE telemetry rpc.*", 600);
constexpr FamilyDescription kDatastoreDuration =
    Histogram("spire_datastore_operation_duration_seconds", "seconds", kDatastoreLabels,
              "Duration of the server's datastore operations, counted when they end.",
              "SPIRE telemetry datastore.*", 400);
constexpr FamilyDescription kCallDuration =
    Histogram("spire_call_duration_seconds", "seconds", kCallLabels,
              "Duration of SPIRE's other timed calls: authorities, keys, rotation, caches, sync, "
              "attestation.",
              "SPIRE telemetry call counters", 400);
constexpr FamilyDescription kRateLimitWait =
    Histogram("spire_rate_limit_wait_seconds", "seconds", kRateLimitLabels,
              "Time that calls waited for the server's rate limiter, and whether it let them pass.",
              "SPIRE telemetry rateLimit.*", 60);

constexpr FamilyDescription kSignatures =
    Counter("spire_signatures_total", "", kSignatureLabels,
            "SVIDs signed by the server's CA, the health check's one a minute included.",
            "SPIRE telemetry server_ca.sign.*", 3);
constexpr FamilyDescription kAuthorityActivations =
    Counter("spire_authority_activations_total", "", kTypeLabels,
            "Activations of a prepared authority by the server.", "SPIRE telemetry *.activate", 3);
constexpr FamilyDescription kBundlePrunes = Counter(
    "spire_bundle_prunes_total", "", {}, "Prunes that removed expired authorities from the bundle.",
    "SPIRE telemetry ca.manager.bundle.pruned", 1);
constexpr FamilyDescription kFederatedBundleUpdates =
    Counter("spire_federated_bundle_updates_total", "", {},
            "Bundles of other trust domains written by the server, unchanged ones included.",
            "SPIRE telemetry bundle_manager.update.federated_bundle", 1);
constexpr FamilyDescription kConnectionsOpened =
    Full(Counter("spire_api_connections_opened_total", "", kApiLabels,
                 "Calls begun on the agent's APIs, which SPIRE calls connections.",
                 "SPIRE telemetry *_api.connection", 5));
constexpr FamilyDescription kRateLimitRejections =
    Counter("spire_rate_limit_rejections_total", "", kRejectionLabels,
            "Workload API and SDS calls that the agent's rate limiter rejected.",
            "SPIRE telemetry workload_api.rate_limit_exceeded", 20);
constexpr FamilyDescription kCacheEntryChanges =
    Full(Counter("spire_cache_entry_changes_total", "", kChangeLabels,
                 "Registration entries added to, removed from or updated in the agent's cache.",
                 "SPIRE telemetry lru_cache_entry_*", 3));
constexpr FamilyDescription kJwtBundleUpdates =
    Counter("spire_workload_jwt_bundle_updates_total", "", {},
            "JWT bundles sent to workloads after a change.",
            "SPIRE telemetry workload_api.bundles_update.jwt", 1);

constexpr FamilyDescription kSvidsDue =
    Counter("spire_svids_due_total", "", kDueLabels,
            "SVIDs that the agent found due for renewal; of the SVID store, tainted ones count as "
            "expiring too.",
            "SPIRE telemetry cache_manager.*_svids samples", 8);
constexpr FamilyDescription kDiscoveredSelectors =
    Full(Histogram("spire_workload_discovered_selectors", "", {},
                   "Selectors found by each attestation of a workload.",
                   "SPIRE telemetry workload_api.discovered_selectors samples", 1));
constexpr FamilyDescription kGcPauseDuration =
    Full(Histogram("spire_runtime_gc_pause_duration_seconds", "seconds", kComponentOnly,
                   "Stop-the-world pauses of SPIRE's Go runtime.",
                   "SPIRE telemetry runtime.gc_pause_ns samples", 3));

constexpr FamilyDescription kUptime =
    Gauge("spire_process_uptime_seconds", "seconds", kComponentOnly,
          "Time since SPIRE's process started; its sign of life, every ten seconds.",
          "SPIRE telemetry uptime_in_ms", 3);
constexpr FamilyDescription kComponentInfo = {
    "spire_component_info",
    MetricType::kInfo,
    "",
    kVersionLabels,
    "SPIRE's program and its version, as it gave it when it started.",
    "SPIRE telemetry started",
    3,
    kStateAge};
constexpr FamilyDescription kCaExpiry =
    Gauge("spire_ca_expiry_timestamp_seconds", "seconds", {},
          "Expiry of the server's active X.509 CA, as last told at its activation or at start.",
          "SPIRE telemetry manager.x509_ca.rotate.expiration", 1, kTotalAge, WhenStale::kKept);
constexpr FamilyDescription kCaActivationLifetime =
    Gauge("spire_ca_activation_lifetime_seconds", "seconds", {},
          "What was left of the X.509 CA's lifetime when it was activated or loaded; does not "
          "count down.",
          "SPIRE telemetry manager.x509_ca.rotate.ttl", 1, kTotalAge, WhenStale::kKept);
constexpr FamilyDescription kEventsCacheItems =
    Gauge("spire_events_cache_items", "", kEventsCacheLabels,
          "Size of the indexes of the server's events-based cache.",
          "SPIRE telemetry node.*_cache.count, entry.*_cache.count", 5);
constexpr FamilyDescription kSkippedEvents =
    Gauge("spire_events_skipped_ids", "", kEventKindLabels,
          "Event ids that the server's events-based cache is still waiting for.",
          "SPIRE telemetry *.skipped_*_event_ids.count", 2);
constexpr FamilyDescription kEntryCacheDeletions =
    Gauge("spire_entry_cache_deletions", "", {},
          "Entries that the last update of the server's entry cache deletes (SPIRE 1.7).",
          "SPIRE telemetry entry.deleted", 1);
constexpr FamilyDescription kBootstrapped =
    Gauge("spire_bootstrap_done", "", {},
          "Whether the agent has a trust bundle and is not bootstrapping again: 1 or 0.",
          "SPIRE telemetry bootstrapped", 1);
constexpr FamilyDescription kBootstrapStart =
    Gauge("spire_bootstrap_start_timestamp_seconds", "seconds", kModeLabels,
          "When the running bootstrap of the agent began; absent while there is none.",
          "SPIRE telemetry bootstrap_seconds", 3);
constexpr FamilyDescription kBootstrapAttempts = Full(Gauge(
    "spire_bootstrap_attempts", "", kModeLabels, "Attempts of the running bootstrap of the agent.",
    "SPIRE telemetry bootstrap_attempts", 3));
constexpr FamilyDescription kSyncBundles =
    Gauge("spire_sync_bundles", "", {}, "Bundles in the agent's last sync with the server.",
          "SPIRE telemetry sync_bundles_total", 1);
constexpr FamilyDescription kSyncEntries =
    Gauge("spire_sync_entries", "", {}, "Entries in the agent's last sync with the server.",
          "SPIRE telemetry sync_entries_total", 1);
constexpr FamilyDescription kSyncEntryDifferences =
    Full(Gauge("spire_sync_entry_differences", "", kDifferenceLabels,
               "Entries that the agent's last sync had to fetch or to drop.",
               "SPIRE telemetry sync_entries_*", 3));
constexpr FamilyDescription kLruCacheRecords =
    Gauge("spire_lru_cache_records", "", {}, "Entries in the agent's LRU cache.",
          "SPIRE telemetry lru_cache_record_map_size", 1);
constexpr FamilyDescription kLruCacheSvids =
    Gauge("spire_lru_cache_svids", "", {}, "X.509-SVIDs in the agent's LRU cache.",
          "SPIRE telemetry lru_cache_svid_map_size", 1);
constexpr FamilyDescription kJwtCacheSvids =
    Gauge("spire_jwt_cache_svids", "", {}, "JWT-SVIDs in the agent's cache.",
          "SPIRE telemetry jwt_svid_cache_size", 1);
constexpr FamilyDescription kConnections =
    Gauge("spire_api_connections", "", kApiLabels,
          "Calls that the agent's APIs are serving, which SPIRE calls connections.",
          "SPIRE telemetry *_api.connections", 5);

constexpr FamilyDescription kAllocatedBytes =
    Gauge("spire_runtime_allocated_bytes", "bytes", kComponentOnly, "Heap bytes in use by SPIRE.",
          "SPIRE telemetry runtime.alloc_bytes", 3);
constexpr FamilyDescription kSystemBytes =
    Gauge("spire_runtime_system_bytes", "bytes", kComponentOnly,
          "Memory that SPIRE's Go runtime holds from the system.",
          "SPIRE telemetry runtime.sys_bytes", 3);
constexpr FamilyDescription kHeapObjects =
    Gauge("spire_runtime_heap_objects", "", kComponentOnly, "Live heap objects of SPIRE.",
          "SPIRE telemetry runtime.heap_objects", 3);
constexpr FamilyDescription kGoroutines =
    Gauge("spire_runtime_goroutines", "", kComponentOnly, "Goroutines of SPIRE.",
          "SPIRE telemetry runtime.num_goroutines", 3);
constexpr FamilyDescription kMallocs =
    Counter("spire_runtime_mallocs_total", "", kComponentOnly,
            "Heap objects that SPIRE ever allocated.", "SPIRE telemetry runtime.malloc_count", 3);
constexpr FamilyDescription kFrees =
    Counter("spire_runtime_frees_total", "", kComponentOnly, "Heap objects that SPIRE ever freed.",
            "SPIRE telemetry runtime.free_count", 3);
constexpr FamilyDescription kGcRuns =
    Counter("spire_runtime_gc_runs_total", "", kComponentOnly,
            "Garbage collections of SPIRE's process.", "SPIRE telemetry runtime.total_gc_runs", 3);
constexpr FamilyDescription kGcPause =
    Counter("spire_runtime_gc_pause_seconds_total", "seconds", kComponentOnly,
            "Time that SPIRE's process stood still for garbage collections.",
            "SPIRE telemetry runtime.total_gc_pause_ns", 3);

constexpr FamilyDescription kUnmappedEvents =
    Counter("spire_unmapped_events_total", "", kKeyStatus,
            "Counters of SPIRE that this version does not know, by SPIRE's own key.",
            "SPIRE telemetry, any counter", 500);
constexpr FamilyDescription kUnmappedDuration =
    Histogram("spire_unmapped_duration_seconds", "seconds", kKeyStatus,
              "Timers of SPIRE that this version does not know, by SPIRE's own key.",
              "SPIRE telemetry, any key in elapsed_time", 500);
constexpr FamilyDescription kUnmappedSample =
    Histogram("spire_unmapped_sample", "", kKeyOnly,
              "Plain samples of SPIRE that this version does not know, in SPIRE's own unit.",
              "SPIRE telemetry, any other sample", 500);
constexpr FamilyDescription kUnmappedValue =
    Gauge("spire_unmapped_value", "", kKeyOnly,
          "Gauges of SPIRE that this version does not know, in SPIRE's own unit.",
          "SPIRE telemetry, any gauge", 500);

}  // namespace spire_exporter::telemetry
