// Every key that an agent was recorded to send, with the median of its calls in milliseconds.
#include <array>

#include "tests/fakes/keys.h"

namespace spire_exporter::fakes {
namespace {

using enum Shape;
// clang-format off
constexpr std::array<Key, 52> kAgentKeys = {{
    {"agent_key_manager.generate_key", kCall, kAll, 1.4},
    {"agent_key_manager.get_keys", kCall, kAll, 0.16},
    {"agent_svid.rotate", kCall, kNew, 5.9},
    {"bootstrap_attempts", kGauge, kNew, 0},
    {"bootstrap_seconds", kGauge, kNew, 0},
    {"bootstrapped", kGauge, kNew, 0},
    {"cache_manager..expiring_svids", kSample, kOld, 0},
    {"cache_manager.expiring_svids", kSample, kNew, 0},
    {"cache_manager.expiring_svids.svid_store", kSample, kNew, 0},
    {"cache_manager.svid_store.process_tainted_x509_svids", kCall, kNew, 0.1},
    {"cache_manager.tainted_jwt_svids.workload", kSample, kNew, 0},
    {"cache_manager.tainted_x509_svids.workload", kSample, kNew, 0},
    {"cache_manager.workload.process_tainted_jwt_svids", kCall, kNew, 0.27},
    {"cache_manager.workload.process_tainted_x509_svids", kCall, kNew, 0.59},
    {"debug_api.connection", kCounter, kNew, 0},
    {"debug_api.connections", kGauge, kNew, 0},
    {"jwt_svid_cache_size", kGauge, kNew, 0},
    {"lru_cache_entry_add", kCounter, kNew, 0},
    {"lru_cache_entry_remove", kCounter, kNew, 0},
    {"lru_cache_entry_update", kCounter, kNew, 0},
    {"lru_cache_record_map_size", kGauge, kNew, 0},
    {"lru_cache_svid_map_size", kGauge, kNew, 0},
    {"manager.sync.fetch_entries_updates", kCall, kAll, 4.4},
    {"manager.sync.fetch_svids_updates", kCall, kAll, 3.2},
    {"node.attestor.new_svid", kCall, kAll, 34},
    {"rpc.debug.get_info", kCall, kNew, 0.047},
    {"rpc.spire.agent.debug.v1.debug.get_info", kCall, kOld, 0.072},
    {"rpc.workload_api.fetch_jwtsvid", kCall, kAll, 4},
    {"rpc.workload_api.fetch_x509_bundles", kCall, kOld, 1.3},
    {"rpc.workload_api.fetch_x509svid", kCall, kAll, 2.6},
    {"runtime.alloc_bytes", kGauge, kAll, 0},
    {"runtime.free_count", kGauge, kAll, 0},
    {"runtime.gc_pause_ns", kSample, kAll, 0},
    {"runtime.heap_objects", kGauge, kAll, 0},
    {"runtime.malloc_count", kGauge, kAll, 0},
    {"runtime.num_goroutines", kGauge, kAll, 0},
    {"runtime.sys_bytes", kGauge, kAll, 0},
    {"runtime.total_gc_pause_ns", kGauge, kAll, 0},
    {"runtime.total_gc_runs", kGauge, kAll, 0},
    {"started", kGauge, kAll, 0},
    {"store.store_svid_updates", kCall, kAll, 0.066},
    {"sync_bundles_total", kGauge, kNew, 0},
    {"sync_entries_dropped", kGauge, kNew, 0},
    {"sync_entries_missing", kGauge, kNew, 0},
    {"sync_entries_stale", kGauge, kNew, 0},
    {"sync_entries_total", kGauge, kNew, 0},
    {"uptime_in_ms", kGauge, kAll, 0},
    {"workload_api.connection", kCounter, kAll, 0},
    {"workload_api.connections", kGauge, kAll, 0},
    {"workload_api.discovered_selectors", kSample, kAll, 0},
    {"workload_api.workload_attestation", kCall, kAll, 0.72},
    {"workload_api.workload_attestor", kCall, kAll, 0.56},
}};
// clang-format on

}  // namespace

std::span<const Key> AgentKeys() {
  return kAgentKeys;
}

}  // namespace spire_exporter::fakes
