#include "collectors/datastore/agents_horizon.h"

#include <cmath>

namespace spire_exporter::datastore {
namespace {

spire::UnixTime At(int64_t unix_seconds) {
  return spire::UnixTime(std::chrono::seconds(unix_seconds));
}

}  // namespace

std::optional<spire::Horizon> AgentsHorizon(const std::optional<FirstAgents>& first,
                                            const std::optional<AgentExpiries>& expiries,
                                            const spire::Horizon* surveyed) {
  spire::Horizon horizon;
  if (surveyed != nullptr) horizon.classes = surveyed->classes;
  if (!first) {
    if (!expiries || !expiries->soonest || !std::isfinite(*expiries->soonest)) return std::nullopt;
    horizon.groups = {{At(static_cast<int64_t>(*expiries->soonest)), 1}};
    return horizon;
  }
  if (first->expiries.empty()) return std::nullopt;
  for (const int64_t expiry : first->expiries) {
    const spire::UnixTime at = At(expiry);
    if (!horizon.groups.empty() && horizon.groups.back().expiry == at) {
      ++horizon.groups.back().count;
    } else {
      horizon.groups.push_back({at, 1});
    }
  }
  horizon.whole = first->all;
  if (first->all || surveyed == nullptr) return horizon;
  horizon.whole = true;
  const spire::UnixTime last = horizon.groups.back().expiry;
  for (const spire::Horizon::Group& group : surveyed->groups) {
    if (group.expiry <= last) continue;
    if (horizon.groups.size() < spire::Horizon::kGroupsMax) {
      horizon.groups.push_back(group);
    } else {
      horizon.groups.back().count += group.count;
    }
  }
  return horizon;
}

}  // namespace spire_exporter::datastore
