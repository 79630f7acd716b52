// What this collector may read of SPIRE's tables with rights of level 1: these columns and no
// others. A statement of ours that names another one fails at the server.
#ifndef COLLECTORS_DATASTORE_GRANTED_COLUMNS_H_
#define COLLECTORS_DATASTORE_GRANTED_COLUMNS_H_

#include <algorithm>
#include <array>
#include <string_view>

namespace spire_exporter::datastore {

struct GrantedColumn {
  std::string_view table;
  std::string_view column;
  std::string_view why;  // in a few words, for the one who is asked to grant it
};

// By table and column. Never among them: join_tokens.token, which is a secret that lets its bearer
// become an agent; the values of selectors and DNS names, which describe the estate.
inline constexpr std::array kGrantedColumns = {
    GrantedColumn{"attested_node_entries", "agent_version", "agents by version"},
    GrantedColumn{"attested_node_entries", "can_reattest", "what a prune would delete"},
    GrantedColumn{"attested_node_entries", "data_type", "agents by attestor"},
    GrantedColumn{"attested_node_entries", "expires_at", "remaining lifetimes"},
    GrantedColumn{"attested_node_entries", "id", "counts"},
    GrantedColumn{"attested_node_entries", "serial_number", "an empty one is a ban"},
    GrantedColumn{"attested_node_entries", "spiffe_id", "agents by class and cluster"},
    GrantedColumn{"attested_node_entries", "updated_at", "the last renewal"},
    GrantedColumn{"attested_node_entries_events", "created_at", "delay of propagation"},
    GrantedColumn{"attested_node_entries_events", "id", "events behind and gaps"},
    GrantedColumn{"bundles", "created_at", "age of a bundle"},
    GrantedColumn{"bundles", "data", "trusted authorities; public keys only"},
    GrantedColumn{"bundles", "id", "counts"},
    GrantedColumn{"bundles", "trust_domain", "our own bundle and federated ones"},
    GrantedColumn{"bundles", "updated_at", "the last change"},
    GrantedColumn{"ca_journals", "created_at", "age of a server"},
    GrantedColumn{"ca_journals", "data", "authorities of every server; public keys only"},
    GrantedColumn{"ca_journals", "id", "counts"},
    GrantedColumn{"ca_journals", "updated_at", "the last rotation"},
    GrantedColumn{"dns_names", "id", "ids used up"},
    GrantedColumn{"federated_trust_domains", "id", "counts"},
    GrantedColumn{"join_tokens", "id", "counts"},
    GrantedColumn{"migrations", "code_version", "the newest SPIRE that ran"},
    GrantedColumn{"migrations", "id", "counts"},
    GrantedColumn{"migrations", "version", "the schema's version"},
    GrantedColumn{"node_resolver_map_entries", "id", "ids used up"},
    GrantedColumn{"node_resolver_map_entries", "spiffe_id", "rows of agents that are gone"},
    GrantedColumn{"registered_entries", "admin", "entries with power over SPIRE"},
    GrantedColumn{"registered_entries", "created_at", "propagation of new entries"},
    GrantedColumn{"registered_entries", "downstream", "entries that may sign"},
    GrantedColumn{"registered_entries", "entry_id", "entries followed by event"},
    GrantedColumn{"registered_entries", "expiry", "entries past their time"},
    GrantedColumn{"registered_entries", "id", "counts"},
    GrantedColumn{"registered_entries", "parent_id", "entries an agent"},
    GrantedColumn{"registered_entries", "spiffe_id", "entries by class"},
    GrantedColumn{"registered_entries", "store_svid", "entries kept elsewhere"},
    GrantedColumn{"registered_entries", "updated_at", "changes"},
    GrantedColumn{"registered_entries_events", "created_at", "delay of propagation"},
    GrantedColumn{"registered_entries_events", "entry_id", "entries followed by event"},
    GrantedColumn{"registered_entries_events", "id", "events behind and gaps"},
    GrantedColumn{"selectors", "id", "ids used up"},
};

constexpr bool IsGranted(std::string_view table, std::string_view column) {
  return std::any_of(kGrantedColumns.begin(), kGrantedColumns.end(), [&](const auto& granted) {
    return granted.table == table && granted.column == column;
  });
}

static_assert(!IsGranted("join_tokens", "token"));
static_assert(!IsGranted("selectors", "value") && !IsGranted("dns_names", "value") &&
              !IsGranted("node_resolver_map_entries", "value"));

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_GRANTED_COLUMNS_H_
