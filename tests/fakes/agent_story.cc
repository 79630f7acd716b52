#include "tests/fakes/agent_story.h"

namespace spire_exporter::fakes {
namespace {

// The mood of the player counts where the story says OK.
void CallAs(Player* player, std::string_view key, std::string_view status) {
  if (status == "OK") {
    player->Call(key);
  } else {
    player->CallWith(key, status);
  }
}

}  // namespace

void PlaySync(Player* player, const SyncStory& story) {
  Emitter& emit = player->emit();
  CallAs(player, "manager.sync.fetch_entries_updates", story.entries_status);
  if (story.entries_status != "OK") return;
  const auto total = static_cast<double>(story.total);
  emit.Set("sync_bundles_total", 1);
  emit.Set("sync_entries_total", total);
  emit.Set("sync_entries_missing", static_cast<double>(story.added));
  emit.Set("sync_entries_stale", 0);
  emit.Set("sync_entries_dropped", 0);
  emit.Count("lru_cache_entry_add", static_cast<double>(story.added));
  emit.Count("lru_cache_entry_update", 0);
  emit.Count("lru_cache_entry_remove", 0);
  emit.Set("lru_cache_record_map_size", total);
  if (story.expiring > 0) {
    emit.Sample("cache_manager..expiring_svids", static_cast<double>(story.expiring));
    emit.Sample("cache_manager.expiring_svids", static_cast<double>(story.expiring));
  }
  if (story.expiring + story.added > 0) {
    CallAs(player, "manager.sync.fetch_svids_updates", story.svids_status);
    if (story.svids_status == "OK") emit.Set("lru_cache_svid_map_size", total);
  }
  player->Call("store.store_svid_updates");
}

void PlayRetry(Player* player, uint64_t held) {
  player->Call("manager.sync.fetch_svids_updates");
  player->emit().Set("lru_cache_svid_map_size", static_cast<double>(held));
}

void PlayAttestation(Player* player, std::string_view attestor, std::string_view status) {
  player->Call("agent_key_manager.generate_key");
  player->CallWith("node.attestor.new_svid", status, {{"attestor", std::string(attestor)}});
}

void PlayRotation(Player* player, std::string_view status) {
  player->Call("agent_key_manager.generate_key");
  CallAs(player, "agent_svid.rotate", status);
}

void PlayToken(Player* player, std::string_view status, size_t cached) {
  CallAs(player, "rpc.workload_api.fetch_jwtsvid", status);
  if (status == "OK") {
    player->emit().Set("jwt_svid_cache_size", static_cast<double>(cached));
  }
}

}  // namespace spire_exporter::fakes
