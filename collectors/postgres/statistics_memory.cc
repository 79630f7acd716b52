#include "collectors/postgres/statistics_memory.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace spire_exporter::postgres {

void StatisticsMemory::LeadTo(const std::string& new_address) {
  if (address == new_address) return;
  address = new_address;
  rebase.OtherServer();
  last_settings.reset();
  settings = {};
  tables = {};
  size = {};
}

void StatisticsMemory::FallSilent() {
  answers = false;
  settings = {};
  tables = {};
  size = {};
}

void StatisticsMemory::TakeSettings(Result<SettingsReading> result, SteadyTime now) {
  if (result.ok()) {
    if (last_settings) {
      setting_changes += static_cast<uint64_t>(CountDifferences(*last_settings, *result));
    }
    last_settings = *result;
  }
  settings.Take(std::move(result), now);
}

void Remember(const std::vector<pg::Node>& nodes, double now_seconds,
              StatisticsMemories& memories) {
  for (auto at = memories.begin(); at != memories.end();) {
    const bool there = std::any_of(nodes.begin(), nodes.end(),
                                   [&](const pg::Node& node) { return node.name == at->first; });
    at = there ? std::next(at) : memories.erase(at);
  }
  for (const pg::Node& node : nodes) {
    const auto [at, added] = memories.try_emplace(node.name);
    if (added) {
      at->second.created_seconds = now_seconds;
      at->second.address = node.address;
    }
    at->second.LeadTo(node.address);
  }
}

}  // namespace spire_exporter::postgres
