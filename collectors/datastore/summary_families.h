// The families of tier 1.
#ifndef COLLECTORS_DATASTORE_SUMMARY_FAMILIES_H_
#define COLLECTORS_DATASTORE_SUMMARY_FAMILIES_H_

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/datastore/event_follower.h"
#include "collectors/datastore/events_lag.h"
#include "collectors/datastore/id_clock.h"
#include "collectors/datastore/summary_read.h"
#include "exporter/metrics/description.h"
#include "exporter/metrics/family.h"

namespace spire_exporter::datastore {

// One look at all nodes, judged. What is not known is absent.
struct SummaryView {
  // By part: versions, agents, entries, entry_events, agent_events, changes, ids, rows.
  std::map<std::string_view, std::string_view> parts;
  std::string_view condition = "unknown";
  uint64_t rewinds = 0;
  std::optional<double> last_rewind;  // Unix time

  std::optional<Versions> versions;
  std::optional<AgentExpiries> agents;
  std::optional<FirstAgents> first_agents;
  std::optional<int64_t> expired_entries;
  struct Events {
    std::string_view table;
    EventIds ids;
    double now = 0;  // Unix time of the primary
  };
  std::vector<Events> events;
  std::vector<TableRows> rows;
  struct Ids {
    std::string table;
    int64_t last = 0;
    IdReading reading;
  };
  std::vector<Ids> ids;
  std::optional<EntryChanges> changes;

  struct Node {
    std::string node;
    std::string_view state;  // as StateOf(), or StandbyLag::state of the entries' events
    struct Table {
      std::string_view table;
      std::optional<int64_t> newest;
      StandbyLag lag;  // empty of a primary
    };
    std::vector<Table> tables;
  };
  std::vector<Node> nodes;
  std::map<std::string, std::shared_ptr<const HistogramValue>> propagation;  // by node
};

std::span<const FamilyDescription* const> SummaryFamilies();

// `created_seconds`: since when the counters count.
void AddSummary(const SummaryView& view, double created_seconds, FamilyBuilder& families);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_SUMMARY_FAMILIES_H_
