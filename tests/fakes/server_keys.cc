// Every key that a server was recorded to send, with the median of its calls in milliseconds.
#include <array>

#include "tests/fakes/keys.h"

namespace spire_exporter::fakes {
namespace {

using enum Shape;
// clang-format off
constexpr std::array<Key, 80> kServerKeys = {{
    {"bundle_manager.fetch.federated_bundle", kCall, kAll, 1.1},
    {"ca.manager.jwt_key.prepare", kCall, kAll, 5},
    {"ca.manager.x509_ca.activate", kCounter, kAll, 0},
    {"ca.manager.x509_ca.prepare", kCall, kAll, 5.4},
    {"datastore.bundle.append", kCall, kAll, 1.3},
    {"datastore.bundle.fetch", kCall, kAll, 0.67},
    {"datastore.bundle.jwt.taint", kCall, kNew, 1.9},
    {"datastore.bundle.list", kCall, kAll, 0.64},
    {"datastore.bundle.x509.taint", kCall, kNew, 1.4},
    {"datastore.ca_journal.set", kCall, kNew, 0.62},
    {"datastore.federation_relationship.create", kCall, kAll, 1},
    {"datastore.federation_relationship.list", kCall, kAll, 1.1},
    {"datastore.join_token.create", kCall, kAll, 1.3},
    {"datastore.join_token.delete", kCall, kAll, 0.5},
    {"datastore.join_token.fetch", kCall, kAll, 0.77},
    {"datastore.node.count", kCall, kAll, 0.83},
    {"datastore.node.create", kCall, kAll, 0.51},
    {"datastore.node.fetch", kCall, kAll, 0.98},
    {"datastore.node.list", kCall, kAll, 0.79},
    {"datastore.node.selectors.list", kCall, kAll, 0.25},
    {"datastore.node.selectors.set", kCall, kAll, 1.4},
    {"datastore.node.update", kCall, kNew, 1},
    {"datastore.registration_entry.count", kCall, kAll, 0.68},
    {"datastore.registration_entry.create", kCall, kAll, 3.2},
    {"datastore.registration_entry.delete", kCall, kAll, 2.3},
    {"datastore.registration_entry.list", kCall, kAll, 1.2},
    {"entry.cache.reload", kCall, kAll, 2.2},
    {"entry.deleted", kGauge, kOnly172, 0},
    {"manager.jwt_key.activate", kCounter, kAll, 0},
    {"manager.x509_ca.rotate.expiration", kGauge, kNew, 0},
    {"manager.x509_ca.rotate.ttl", kGauge, kAll, 0},
    {"rateLimit.agent.v1.agent.attest_agent", kCall, kAll, 0.064},
    {"rateLimit.agent.v1.agent.post_status", kCall, kNew, 0.026},
    {"rateLimit.agent.v1.agent.renew_agent", kCall, kNew, 0.026},
    {"rateLimit.svid.v1.svid.batch_new_x509svid", kCall, kAll, 0.014},
    {"rateLimit.svid.v1.svid.new_jwtsvid", kCall, kAll, 0.014},
    {"rpc.agent.v1.agent.attest_agent", kCall, kAll, 7.6},
    {"rpc.agent.v1.agent.count_agents", kCall, kAll, 1.4},
    {"rpc.agent.v1.agent.create_join_token", kCall, kAll, 7.8},
    {"rpc.agent.v1.agent.get_agent", kCall, kAll, 0.64},
    {"rpc.agent.v1.agent.list_agents", kCall, kAll, 1.3},
    {"rpc.agent.v1.agent.post_status", kCall, kNew, 5.5},
    {"rpc.agent.v1.agent.renew_agent", kCall, kNew, 3},
    {"rpc.bundle.v1.bundle.get_bundle", kCall, kAll, 0.94},
    {"rpc.bundle.v1.bundle.list_federated_bundles", kCall, kAll, 1.1},
    {"rpc.entry.v1.entry.batch_create_entry", kCall, kAll, 3.8},
    {"rpc.entry.v1.entry.batch_delete_entry", kCall, kAll, 3},
    {"rpc.entry.v1.entry.count_entries", kCall, kAll, 1.2},
    {"rpc.entry.v1.entry.get_authorized_entries", kCall, kOld, 1.8},
    {"rpc.entry.v1.entry.list_entries", kCall, kAll, 1.8},
    {"rpc.entry.v1.entry.sync_authorized_entries", kCall, kNew, 1.3},
    {"rpc.localauthority.v1.local_authority.activate_jwt_authority", kCall, kNew, 3.2},
    {"rpc.localauthority.v1.local_authority.activate_x509_authority", kCall, kNew, 2.6},
    {"rpc.localauthority.v1.local_authority.get_jwt_authority_state", kCall, kNew, 0.22},
    {"rpc.localauthority.v1.local_authority.get_x509_authority_state", kCall, kNew, 0.31},
    {"rpc.localauthority.v1.local_authority.prepare_jwt_authority", kCall, kNew, 4.9},
    {"rpc.localauthority.v1.local_authority.prepare_x509_authority", kCall, kNew, 3.8},
    {"rpc.localauthority.v1.local_authority.taint_jwt_authority", kCall, kNew, 2.4},
    {"rpc.localauthority.v1.local_authority.taint_x509_authority", kCall, kNew, 2.2},
    {"rpc.svid.v1.svid.batch_new_x509svid", kCall, kAll, 2.5},
    {"rpc.svid.v1.svid.mint_jwtsvid", kCall, kAll, 1.1},
    {"rpc.svid.v1.svid.mint_x509svid", kCall, kAll, 1.3},
    {"rpc.svid.v1.svid.new_jwtsvid", kCall, kAll, 2.3},
    {"rpc.trustdomain.v1.trust_domain.batch_create_federation_relationship", kCall, kAll, 1.7},
    {"runtime.alloc_bytes", kGauge, kAll, 0},
    {"runtime.free_count", kGauge, kAll, 0},
    {"runtime.gc_pause_ns", kSample, kAll, 0},
    {"runtime.heap_objects", kGauge, kAll, 0},
    {"runtime.malloc_count", kGauge, kAll, 0},
    {"runtime.num_goroutines", kGauge, kAll, 0},
    {"runtime.sys_bytes", kGauge, kAll, 0},
    {"runtime.total_gc_pause_ns", kGauge, kAll, 0},
    {"runtime.total_gc_runs", kGauge, kAll, 0},
    {"server_ca.sign.jwt_svid", kCounter, kAll, 0},
    {"server_ca.sign.x509_svid", kCounter, kAll, 0},
    {"server_key_manager.generate_key", kCall, kAll, 2.2},
    {"server_key_manager.get_public_keys", kCall, kNew, 1.1},
    {"started", kGauge, kAll, 0},
    {"svid.rotate", kCall, kAll, 0.87},
    {"uptime_in_ms", kGauge, kAll, 0},
}};
// clang-format on

}  // namespace

std::span<const Key> ServerKeys() {
  return kServerKeys;
}

}  // namespace spire_exporter::fakes
