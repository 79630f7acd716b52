#include "collectors/telemetry/mapping_table.h"

#include "collectors/telemetry/families.h"

namespace spire_exporter::telemetry {
namespace {

constexpr auto kServer = Sender::kServer;
constexpr auto kAgent = Sender::kAgent;
constexpr auto kEither = Sender::kEither;
using enum Emitted;

constexpr double kMilli = 1e-3;  // milliseconds to seconds
constexpr double kNano = 1e-9;   // nanoseconds to seconds

// A call counter of the family of calls, its timer in milliseconds.
constexpr Row Call(Sender sender, std::string_view key, std::string_view call) {
  return {sender, key, kCall, &kCallDuration, {{{"call", call}}}, kMilli};
}
// SVIDs of the agent's caches, by why they are due.
constexpr Row Due(std::string_view key, std::string_view cache, std::string_view kind,
                  std::string_view reason) {
  return {
      kAgent, key, kAmount, &kSvidsDue, {{{"cache", cache}, {"kind", kind}, {"reason", reason}}}};
}
constexpr Row Keys(Sender sender, std::string_view key, const FamilyDescription* family,
                   Group group) {
  Row row = {sender, key, kCall, family, {}, kMilli};
  row.group = group;
  return row;
}

// Counters and gauges whose key alone decides their one label.
constexpr Row Labelled(Sender sender, std::string_view key, Emitted emitted,
                       const FamilyDescription* family, std::string_view label,
                       std::string_view value) {
  return {sender, key, emitted, family, {{{label, value}}}};
}
constexpr Row Activated(std::string_view key, std::string_view type) {
  return Labelled(kServer, key, kCounter, &kAuthorityActivations, "type", type);
}
constexpr Row Signed(std::string_view key, std::string_view kind) {
  return Labelled(kServer, key, kCounter, &kSignatures, "kind", kind);
}
constexpr Row EventsCache(std::string_view key, std::string_view cache) {
  return Labelled(kServer, key, kGauge, &kEventsCacheItems, "cache", cache);
}
constexpr Row Skipped(std::string_view key, std::string_view kind) {
  return Labelled(kServer, key, kGauge, &kSkippedEvents, "kind", kind);
}
constexpr Row Differing(std::string_view key, std::string_view state) {
  return Labelled(kAgent, key, kGauge, &kSyncEntryDifferences, "state", state);
}
constexpr Row Changed(std::string_view key, std::string_view change) {
  return Labelled(kAgent, key, kCounter, &kCacheEntryChanges, "change", change);
}
constexpr Row Opened(std::string_view key, std::string_view api) {
  return Labelled(kAgent, key, kCounter, &kConnectionsOpened, "api", api);
}
constexpr Row Connected(std::string_view key, std::string_view api) {
  return Labelled(kAgent, key, kGauge, &kConnections, "api", api);
}
constexpr Row FirstUpdate(std::string_view key) {
  return {kAgent, key, kLatency, &kCallDuration, {{{"call", "first_x509_svid_update"}}}, kMilli};
}

// clang-format off
constexpr Row kTable[] = {
    // Both programs
    Keys(kEither, "rpc_", &kRpcDuration, Group::kRpc),
    {kEither, "started", kGauge, &kComponentInfo},
    {kEither, "uptime_in_ms", kHeartbeat, &kUptime, {}, kMilli},
    {kEither, "runtime_alloc_bytes", kGauge, &kAllocatedBytes},
    {kEither, "runtime_sys_bytes", kGauge, &kSystemBytes},
    {kEither, "runtime_heap_objects", kGauge, &kHeapObjects},
    {kEither, "runtime_num_goroutines", kGauge, &kGoroutines},
    {kEither, "runtime_malloc_count", kTotal, &kMallocs},
    {kEither, "runtime_free_count", kTotal, &kFrees},
    {kEither, "runtime_total_gc_runs", kTotal, &kGcRuns},
    {kEither, "runtime_total_gc_pause_ns", kTotal, &kGcPause, {}, kNano},
    {kEither, "runtime_gc_pause_ns", kSample, &kGcPauseDuration, {}, kNano},

    // Server
    Keys(kServer, "rateLimit_", &kRateLimitWait, Group::kRpc),
    Keys(kServer, "datastore_", &kDatastoreDuration, Group::kDatastore),
    Call(kServer, "bundle_manager_fetch_federated_bundle", "federated_bundle_fetch"),
    {kServer, "bundle_manager_update_federated_bundle", kCounter, &kFederatedBundleUpdates},
    Call(kServer, "ca_manager_bundle_prune", "bundle_prune"),
    {kServer, "ca_manager_bundle_pruned", kCounter, &kBundlePrunes},
    Call(kServer, "ca_manager_jwt_key_prepare", "jwt_key_prepare"),
    Call(kServer, "ca_manager_wit_key_prepare", "wit_key_prepare"),
    Call(kServer, "ca_manager_x509_ca_prepare", "x509_ca_prepare"),
    Activated("ca_manager_x509_ca_activate", "x509"),
    Activated("manager_jwt_key_activate", "jwt"),
    Activated("manager_wit_key_activate", "wit"),
    {kServer, "manager_x509_ca_rotate_expiration", kGauge, &kCaExpiry, {}, 1, 1},
    {kServer, "manager_x509_ca_rotate_ttl", kGauge, &kCaActivationLifetime},
    Signed("server_ca_sign_x509_svid", "x509_svid"),
    Signed("server_ca_sign_x509_ca_svid", "x509_ca_svid"),
    Signed("server_ca_sign_jwt_svid", "jwt_svid"),
    Call(kServer, "server_key_manager_generate_key", "key_manager_generate_key"),
    Call(kServer, "server_key_manager_get_public_key", "key_manager_get_public_key"),
    Call(kServer, "server_key_manager_get_public_keys", "key_manager_get_public_keys"),
    Call(kServer, "server_key_manager_sign_data", "key_manager_sign_data"),
    Call(kServer, "svid_rotate", "svid_rotate"),
    Call(kServer, "entry_cache_reload", "entry_cache_reload"),
    Call(kServer, "registration_entry_manager_prune", "entry_prune"),
    Call(kServer, "node_manager_prune", "node_prune"),
    {kServer, "entry_deleted", kGauge, &kEntryCacheDeletions},
    EventsCache("node_agents_by_id_cache_count", "agents_by_id"),
    EventsCache("node_agents_by_expiresat_cache_count", "agents_by_expires_at"),
    EventsCache("entry_entries_by_entryid_cache_count", "entries_by_entry_id"),
    EventsCache("entry_nodealiases_by_entryid_cache_count", "node_aliases_by_entry_id"),
    EventsCache("entry_nodealiases_by_selector_cache_count", "node_aliases_by_selector"),
    Skipped("entry_skipped_entry_event_ids_count", "entry"),
    Skipped("node_skipped_node_event_ids_count", "node"),

    // Agent: keys, its own SVID, sync
    Call(kAgent, "agent_key_manager_generate_key", "key_manager_generate_key"),
    Call(kAgent, "agent_key_manager_get_key", "key_manager_get_key"),
    Call(kAgent, "agent_key_manager_get_keys", "key_manager_get_keys"),
    Call(kAgent, "agent_key_manager_generate_key_pair", "key_manager_generate_key_pair"),
    Call(kAgent, "agent_key_manager_fetch_private_key", "key_manager_fetch_private_key"),
    Call(kAgent, "agent_key_manager_store_private_key", "key_manager_store_private_key"),
    Call(kAgent, "agent_svid_rotate", "svid_rotate"),
    Call(kAgent, "node_attestor_new_svid", "node_attest"),
    Call(kAgent, "node_attest", "node_reattest"),
    Call(kAgent, "manager_sync_fetch_entries_updates", "sync_entries"),
    Call(kAgent, "manager_sync_fetch_svids_updates", "sync_svids"),
    Call(kAgent, "store_store_svid_updates", "svid_store_update"),
    {kAgent, "sync_bundles_total", kGauge, &kSyncBundles},
    {kAgent, "sync_entries_total", kGauge, &kSyncEntries},
    Differing("sync_entries_missing", "missing"),
    Differing("sync_entries_stale", "stale"),
    Differing("sync_entries_dropped", "dropped"),
    {kAgent, "bootstrapped", kGauge, &kBootstrapped},
    // SPIRE's zero time arrives as a large negative number of seconds.
    {kAgent, "bootstrap_seconds", kGauge, &kBootstrapStart, {}, 1, 0},
    {kAgent, "bootstrap_attempts", kGauge, &kBootstrapAttempts},

    // Agent: caches. Without a cache in the key it is the workload cache.
    Due("cache_manager_expiring_svids", "workload", "x509", "expiring"),
    Due("cache_manager_expiring_svids_workload", "workload", "x509", "expiring"),
    Due("cache_manager_expiring_svids_svid_store", "svid_store", "x509", "expiring"),
    Due("cache_manager_outdated_svids", "workload", "x509", "outdated"),
    Due("cache_manager_outdated_svids_workload", "workload", "x509", "outdated"),
    Due("cache_manager_outdated_svids_svid_store", "svid_store", "x509", "outdated"),
    Due("cache_manager_tainted_x509_svids", "workload", "x509", "tainted"),
    Due("cache_manager_tainted_x509_svids_workload", "workload", "x509", "tainted"),
    Due("cache_manager_tainted_x509_svids_svid_store", "svid_store", "x509", "tainted"),
    Due("cache_manager_tainted_jwt_svids", "workload", "jwt", "tainted"),
    Due("cache_manager_tainted_jwt_svids_workload", "workload", "jwt", "tainted"),
    Call(kAgent, "cache_manager_workload_process_tainted_x509_svids",
         "tainted_x509_svids_workload"),
    Call(kAgent, "cache_manager_workload_process_tainted_jwt_svids", "tainted_jwt_svids_workload"),
    Call(kAgent, "cache_manager_svid_store_process_tainted_x509_svids",
         "tainted_x509_svids_svid_store"),
    Changed("lru_cache_entry_add", "added"),
    Changed("lru_cache_entry_remove", "removed"),
    Changed("lru_cache_entry_update", "updated"),
    {kAgent, "lru_cache_record_map_size", kGauge, &kLruCacheRecords},
    {kAgent, "lru_cache_svid_map_size", kGauge, &kLruCacheSvids},
    {kAgent, "jwt_svid_cache_size", kGauge, &kJwtCacheSvids},

    // Agent: APIs. SPIRE's page says `sds_api.connections` for the counter as well,
    // its code `connection`.
    Opened("workload_api_connection", "workload"),
    Connected("workload_api_connections", "workload"),
    Opened("sds_api_connection", "sds"),
    Opened("sds_api_connections", "sds"),
    Connected("sds_api_connections", "sds"),
    Opened("debug_api_connection", "debug"),
    Connected("debug_api_connections", "debug"),
    Opened("delegated_identity_api_connection", "delegated_identity"),
    Connected("delegated_identity_api_connections", "delegated_identity"),
    Opened("logger_api_connection", "logger"),
    Connected("logger_api_connections", "logger"),
    FirstUpdate("delegated_identity_api_subscribe_x509_svids_first_update"),
    // The spelling of SPIRE's page.
    FirstUpdate("delegated_identity_api_subscribe_x509_svid_first_x509_svid_update"),
    {kAgent, "workload_api_bundles_update_jwt", kCounter, &kJwtBundleUpdates},
    {kAgent, "workload_api_discovered_selectors", kSample, &kDiscoveredSelectors},
    {kAgent, "workload_api_rate_limit_exceeded", kCounter, &kRateLimitRejections},
    Call(kAgent, "workload_api_workload_attestation", "workload_attestation"),
    Call(kAgent, "workload_api_workload_attestor", "workload_attestor"),
};
// clang-format on

// Longer names stand before those that begin like them.
constexpr ServiceName kServiceNames[] = {
    {"agent_v1_agent", "agent.v1.agent"},
    {"bundle_v1_bundle", "bundle.v1.bundle"},
    {"debug_v1_debug", "debug.v1.debug"},
    {"entry_v1_entry", "entry.v1.entry"},
    {"localauthority_v1_local_authority", "localauthority.v1.local_authority"},
    {"svid_v1_svid", "svid.v1.svid"},
    {"trustdomain_v1_trust_domain", "trustdomain.v1.trust_domain"},
    {"workload_api", "workload_api"},
    {"sds_v3", "sds.v3"},
    {"delegated_identity", "delegated_identity"},
    {"spiffe_broker_api", "spiffe.broker"},
    {"debug", "debug"},
    {"spire_agent_debug_v1_debug", "debug"},  // 1.7 and 1.8
    {"logger", "logger"},
    {"logger_v1_logger", "logger"},
    {"health", "health"},
    {"grpc_health_v1_health", "health"},
    {"grpc_reflection_v1_server_reflection", "reflection"},
    {"grpc_reflection_v1alpha_server_reflection", "reflection"},
};

constexpr ServiceName kGrpcServices[] = {
    {"SpiffeWorkloadAPI", "workload_api"},
    {"envoy_service_secret_v3_SecretDiscoveryService", "sds.v3"},
    {"spire_api_agent_delegatedidentity_v1_DelegatedIdentity", "delegated_identity"},
    {"spiffe_broker_API", "spiffe.broker"},
};

}  // namespace

std::span<const Row> MappingTable() {
  return kTable;
}
std::span<const ServiceName> RpcServices() {
  return kServiceNames;
}
std::span<const ServiceName> GrpcServices() {
  return kGrpcServices;
}

}  // namespace spire_exporter::telemetry
