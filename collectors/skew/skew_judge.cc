#include "collectors/skew/skew_judge.h"

#include <algorithm>
#include <cstdlib>

namespace spire_exporter::skew {
namespace {

std::string_view StateOf(bool supported) {
  return supported ? "supported" : "unsupported";
}

}  // namespace

void SkewJudge::Follow(PairView& pair, Standing& standing, std::string_view more, SystemTime wall) {
  if (pair.state == "unknown") return;  // of what is not seen for a while, the time goes on
  std::string text(pair.state);
  text += ' ';
  if (pair.apart) text += std::to_string(*pair.apart);
  text += ' ';
  text += more;
  if (text != standing.text) standing = {std::move(text), wall};
  pair.since = standing.since;
}

void SkewJudge::JudgeAgents(const spire::AgentVersionsFact& facts, SkewView& view) {
  SkewView::Agents agents;
  bool numbers = true;  // whether all that do not fit can be told in minor versions
  int64_t apart = 0;
  for (const auto& [text, count] : facts.agents) {
    const auto version = ParseVersion(text);
    if (!version) {
      agents.unknown += count;
      continue;
    }
    view.oldest_agent = std::min(view.oldest_agent.value_or(*version), *version);
    view.newest_agent = std::max(view.newest_agent.value_or(*version), *version);
    if (!view.server) {
      agents.unknown += count;
      continue;
    }
    switch (HowAgentFits(*version, *view.server)) {
      case AgentFit::kFits:
        agents.fit += count;
        break;
      case AgentFit::kNewer:
        agents.newer += count;
        break;
      case AgentFit::kTooOld:
        agents.too_old += count;
        break;
    }
    const auto minors = MinorsApart(*view.server, *version);
    if (!minors) numbers = false;
    if (minors && std::abs(*minors) > std::abs(apart)) apart = *minors;
  }
  view.agents = agents;
  if (agents.fit + agents.newer + agents.too_old == 0) return;
  if (numbers) view.agent_server.apart = apart;
  view.agent_server.state = StateOf(agents.newer + agents.too_old == 0);
}

// As the server decides at its start (migrateDB): a schema that it knows is well or is brought up
// to date; one that it does not know is well from the next minor version alone.
void SkewJudge::JudgeSchema(std::optional<int64_t> schema, SkewView& view) {
  if (!view.server || !view.highest_server || !schema) return;
  std::optional<int64_t> known = SchemaOf(*view.server);
  // Who wrote it last knows it.
  if (!known && *view.server == *view.highest_server) known = schema;
  if (known) view.schema_code.apart = *schema - *known;
  view.schema_code.state =
      StateOf(known == schema || ServersFit(*view.server, *view.highest_server));
}

std::string_view SkewJudge::JudgeRoll(const SkewView& view, SteadyTime now) {
  if (!view.server || !view.highest_server) return "unknown";
  const Version server = *view.server;
  const Version highest = *view.highest_server;
  const bool fell = server_ && server < *server_;
  const bool rose = highest_ && highest > *highest_ && server < highest;
  server_ = server;
  highest_ = highest;
  if (server == highest) {
    apart_since_.reset();
    fell_ = rose_ = false;
    return "settled";
  }
  fell_ |= fell;
  rose_ |= rose;
  if (!apart_since_) apart_since_ = now;
  if (server > highest) return now - *apart_since_ < roll_window_ ? "rolling" : "unrecorded";
  if (fell_) return "rolled_back";
  if (now - *apart_since_ < roll_window_) return "rolling";
  return rose_ ? "lingering" : "rolled_back";
}

SkewView SkewJudge::Judge(const Seen& seen, SteadyTime now, SystemTime wall) {
  SkewView view;
  view.server = ParseVersion(seen.server);
  if (seen.database != nullptr) view.highest_server = ParseVersion(seen.database->highest_server);
  if (view.server && view.highest_server) {
    if (const auto minors = MinorsApart(*view.highest_server, *view.server)) {
      view.server_server.apart = *minors;
    }
    view.server_server.state = StateOf(ServersFit(*view.server, *view.highest_server));
  }
  if (seen.database != nullptr) JudgeSchema(seen.database->schema, view);
  if (seen.agents != nullptr) JudgeAgents(*seen.agents, view);
  view.roll = JudgeRoll(view, now);
  // A patch release apart is a difference too, and its age tells a roll.
  const std::string servers = view.server && view.highest_server
                                  ? view.server->ToString() + view.highest_server->ToString()
                                  : std::string();
  Follow(view.server_server, server_server_, servers, wall);
  Follow(view.agent_server, agent_server_, {}, wall);
  Follow(view.schema_code, schema_code_, {}, wall);
  return view;
}

}  // namespace spire_exporter::skew
