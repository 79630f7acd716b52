// What an agent sends of its syncs and rotations, in the order in which it was recorded.
#ifndef TESTS_FAKES_AGENT_STORY_H_
#define TESTS_FAKES_AGENT_STORY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fakes/player.h"

namespace spire_exporter::fakes {

struct SyncStory {
  std::string entries_status = "OK";
  uint64_t total = 0;     // entries; what follows is told only when they came
  uint64_t added = 0;     // without an SVID so far
  uint64_t expiring = 0;  // with one that is due
  std::string svids_status = "OK";
};

void PlaySync(Player* player, const SyncStory& story);
// A call for SVIDs that was refused before, between two syncs, of an agent that holds so many.
void PlayRetry(Player* player, uint64_t held);
// The agent's own SVID, anew by an attestation or renewed.
void PlayAttestation(Player* player, std::string_view attestor, std::string_view status);
void PlayRotation(Player* player, std::string_view status);
// A call for a JWT-SVID, after which so many are cached.
void PlayToken(Player* player, std::string_view status, size_t cached);

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_AGENT_STORY_H_
