// What is kept of a node from round to round.
#ifndef COLLECTORS_POSTGRES_STATISTICS_MEMORY_H_
#define COLLECTORS_POSTGRES_STATISTICS_MEMORY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collectors/clients/postgres/node_set.h"
#include "collectors/postgres/capacity_rebase.h"
#include "collectors/postgres/capacity_server.h"
#include "collectors/postgres/capacity_settings.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::postgres {

// The last answer to a question that is not asked in each round.
template <typename T>
struct SlowPart {
  std::optional<SteadyTime> asked;
  std::optional<Result<T>> answer;

  bool Due(SteadyTime now, Duration period) const { return !asked || now - *asked >= period; }
  void Take(Result<T> result, SteadyTime now) {
    asked = now;
    answer = std::move(result);
  }
  // The value, when the last answer was one; null otherwise.
  const T* Value() const { return answer && answer->ok() ? &answer->value() : nullptr; }
};

// Value type, not safe from several threads.
struct StatisticsMemory {
  std::string address;
  double created_seconds = 0;
  // Since the last round: a node that does not answer makes nothing due.
  bool answers = true;
  CounterRebase rebase;
  SlowPart<SettingsReading> settings;
  SlowPart<std::vector<TableReading>> tables;
  SlowPart<int64_t> size;
  // What `settings` last told, also before the node was silent for a while.
  std::optional<SettingsReading> last_settings;
  uint64_t setting_changes = 0;

  // Another address is another server: its settings and counters are not held against the old.
  void LeadTo(const std::string& new_address);
  // What was told before a silence is old when it ends, and is asked for again then.
  void FallSilent();
  void TakeSettings(Result<SettingsReading> result, SteadyTime now);
};

// One for each node of the list; those of nodes that are no longer in it are forgotten.
using StatisticsMemories = std::map<std::string, StatisticsMemory>;
void Remember(const std::vector<pg::Node>& nodes, double now_seconds, StatisticsMemories& memories);

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_STATISTICS_MEMORY_H_
