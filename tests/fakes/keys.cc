#include "tests/fakes/keys.h"

#include <algorithm>

namespace spire_exporter::fakes {

std::span<const Key> KeysOf(Role role) {
  return role == Role::kServer ? ServerKeys() : AgentKeys();
}

const Key* FindKey(Role role, Release release, std::string_view name) {
  const std::span<const Key> keys = KeysOf(role);
  const auto found =
      std::lower_bound(keys.begin(), keys.end(), name,
                       [](const Key& key, std::string_view wanted) { return key.name < wanted; });
  if (found == keys.end() || found->name != name) return nullptr;
  return (found->releases & (1U << static_cast<unsigned>(release))) != 0 ? &*found : nullptr;
}

}  // namespace spire_exporter::fakes
