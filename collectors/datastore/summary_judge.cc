#include "collectors/datastore/summary_judge.h"

#include <utility>

namespace spire_exporter::datastore {
namespace {

constexpr Duration kSchemaAge = std::chrono::minutes(10);
constexpr Duration kBrokenSchemaAge = std::chrono::minutes(1);

template <typename T>
Status StatusOf(const Result<T>& result) {
  return result.ok() ? Status() : Status(result.error());
}

std::optional<int64_t> Newest(const Result<EventIds>& events) {
  return events.ok() ? events->newest : std::nullopt;
}

std::optional<int64_t> IdsGiven(const NodeSummary& primary) {
  if (!primary.ids.ok()) return {};
  for (const TableIds& ids : *primary.ids) {
    if (ids.table == "registered_entries" && !ids.from_rows) return ids.last;
  }
  return {};
}

}  // namespace

std::shared_ptr<const Schema> SummaryJudge::SchemaToUse(SteadyTime now) const {
  const Duration age = schema_whole_ ? kSchemaAge : kBrokenSchemaAge;
  return schema_ != nullptr && now - schema_read_ < age ? schema_ : nullptr;
}

const pg::Answer<NodeSummary>* SummaryJudge::Primary(const Answers& answers) {
  const pg::Answer<NodeSummary>* found = nullptr;
  for (const auto& answer : answers) {
    if (!answer.result.ok() || answer.result->in_recovery) continue;
    // Of several the one of the last look, then the one that is meant to be it: two are a matter of
    // the replication's, and changing between them would look like a restore.
    if (answer.node.name == primary_) return &answer;
    if (found == nullptr || (found->node.expect != pg::Expect::kPrimary &&
                             answer.node.expect == pg::Expect::kPrimary)) {
      found = &answer;
    }
  }
  return found;
}

SummaryView SummaryJudge::Judge(const Answers& answers, SteadyTime now, SystemTime wall,
                                Status* problem) {
  SummaryView view;
  const pg::Answer<NodeSummary>* const primary = Primary(answers);
  if (primary != nullptr) {
    primary_ = primary->node.name;
    JudgePrimary(*primary->result, now, wall, view, problem);
  } else {
    std::string why = answers.empty() ? "no node is known" : "all that answer are standbys";
    for (const auto& answer : answers) {
      if (!answer.result.ok()) why = answer.node.name + ": " + answer.result.error().what;
    }
    *problem = Error{Code::kUnavailable, "no primary answered: " + why, "", true};
  }
  JudgeNodes(answers, primary, now, view);
  view.rewinds = watch_.rewinds();
  if (watch_.last_rewind()) view.last_rewind = UnixSeconds(*watch_.last_rewind());
  if (follower_.alive()) view.changes = follower_.changes();
  view.propagation = propagation_.Snapshot();
  return view;
}

void SummaryJudge::WatchForRestore(const NodeSummary& primary, SystemTime wall) {
  watch_.Begin(wall);
  bool fell = watch_.Note(kEntryEventsTable, Newest(primary.entry_events));
  fell = watch_.Note(kAgentEventsTable, Newest(primary.agent_events)) || fell;
  if (primary.ids.ok()) {
    for (const TableIds& ids : *primary.ids) {
      // The highest id of rows falls when the newest row is deleted.
      if (!ids.from_rows) fell = watch_.Note("ids of " + ids.table, ids.last) || fell;
    }
  }
  std::optional<bool> filled;
  if (primary.entries.ok() && primary.agents.ok()) {
    filled = primary.entries->newest_row || primary.agents->oldest;
  }
  watch_.NoteTables(primary.schema != nullptr, filled);
  if (fell) {
    follower_.Restart();
    entry_lag_.Restart();
    agent_lag_.Restart();
    propagation_.Restart();
  }
}

void SummaryJudge::JudgePrimary(const NodeSummary& primary, SteadyTime now, SystemTime wall,
                                SummaryView& view, Status* problem) {
  WatchForRestore(primary, wall);
  view.condition = watch_.Condition(wall);
  bool whole = true;
  const auto part = [&](std::string_view name, const Status& status) {
    view.parts[name] = StateOf(status);
    whole = whole && status.ok();
    if (MayPass(status) && problem->ok()) *problem = status;
  };
  part("entry_events", StatusOf(primary.entry_events));
  part("agent_events", StatusOf(primary.agent_events));
  part("versions", StatusOf(primary.versions));
  part("agents", StatusOf(primary.agents));
  part("entries", StatusOf(primary.entries));
  part("ids", StatusOf(primary.ids));
  part("rows", StatusOf(primary.rows));
  part("changes", StatusOf(primary.followed));
  if (primary.schema != schema_) {
    schema_ = primary.schema;
    schema_read_ = now;
  }
  schema_whole_ = whole;

  if (primary.versions.ok()) view.versions = *primary.versions;
  if (primary.agents.ok()) view.agents = *primary.agents;
  if (primary.first_agents.ok()) view.first_agents = *primary.first_agents;
  if (primary.entries.ok()) view.expired_entries = primary.entries->expired;
  if (primary.rows.ok()) view.rows = *primary.rows;
  if (primary.entry_events.ok()) {
    view.events.push_back({kEntryEventsTable, *primary.entry_events, primary.now});
  }
  if (primary.agent_events.ok()) {
    view.events.push_back({kAgentEventsTable, *primary.agent_events, primary.now});
  }
  if (primary.ids.ok()) {
    for (const TableIds& ids : *primary.ids) {
      view.ids.push_back({ids.table, ids.last, clock_.Note(ids.table, ids.last, ids.max, now)});
    }
  }
  if (primary.followed.ok() && primary.entry_events.ok() && primary.entries.ok()) {
    follower_.Take(primary.followed->events, primary.followed->rows, primary.entry_events->newest,
                   primary.entries->newest_row, IdsGiven(primary), now);
  }
  if (const auto newest = Newest(primary.entry_events)) {
    entry_lag_.NotePrimary(*newest, now);
    propagation_.NotePrimary(*newest, now);
  }
  if (const auto newest = Newest(primary.agent_events)) agent_lag_.NotePrimary(*newest, now);
}

void SummaryJudge::JudgeNodes(const Answers& answers, const pg::Answer<NodeSummary>* primary,
                              SteadyTime now, SummaryView& view) {
  for (const auto& answer : answers) {
    SummaryView::Node node{answer.node.name, "unreachable", {}};
    if (!answer.result.ok()) {
      if (answer.node.session != nullptr) node.state = StateOf(answer.result.error());
      view.nodes.push_back(std::move(node));
      continue;
    }
    const NodeSummary& summary = *answer.result;
    SummaryView::Node::Table entries{kEntryEventsTable, Newest(summary.entry_events), {}};
    SummaryView::Node::Table agents{kAgentEventsTable, Newest(summary.agent_events), {}};
    if (!summary.in_recovery) {
      node.state = "primary";
    } else if (!summary.entry_events.ok()) {
      node.state = StateOf(summary.entry_events.error());
    } else {
      node.state = "unknown";
    }
    // Without the primary's answer of the same moment there is nothing to be behind of.
    if (summary.in_recovery && primary != nullptr) {
      if (entries.newest && Newest(primary->result->entry_events)) {
        entries.lag = entry_lag_.Judge(node.node, *entries.newest, now);
        node.state = entries.lag.state;
        propagation_.NoteStandby(node.node, *entries.newest, now);
      }
      if (agents.newest && Newest(primary->result->agent_events)) {
        agents.lag = agent_lag_.Judge(node.node, *agents.newest, now);
      }
    }
    node.tables = {entries, agents};
    view.nodes.push_back(std::move(node));
  }
}

}  // namespace spire_exporter::datastore
