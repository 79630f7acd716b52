// What the versions that are seen mean, one look after the other.
#ifndef COLLECTORS_SKEW_SKEW_JUDGE_H_
#define COLLECTORS_SKEW_SKEW_JUDGE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/clients/spire/version_facts.h"
#include "collectors/skew/versions.h"
#include "exporter/base/clock.h"

namespace spire_exporter::skew {

//   server_server  this server and the newest that ever ran on its database
//   agent_server   agents and this server
//   schema_code    the database's schema and this server
inline constexpr std::array<std::string_view, 3> kPairs = {"agent_server", "schema_code",
                                                           "server_server"};
inline constexpr std::array<std::string_view, 3> kSkewStates = {"supported", "unknown",
                                                                "unsupported"};
// How this server stands against the newest that ever ran on its database.
//   settled      the same version
//   rolling      another version, for less than the time that a roll may take
//   lingering    older for longer; another server was seen to be upgraded, so that a roll has not
//                come to its end
//   rolled_back  this server was seen to become older, or was older for longer from the first look
//   unrecorded   newer for longer: this server does not migrate the database
//   unknown      one of the two versions is not known
inline constexpr std::array<std::string_view, 6> kRollStates = {
    "lingering", "rolled_back", "rolling", "settled", "unknown", "unrecorded"};

struct Seen {
  std::string server;  // as this server calls itself; empty while unknown
  // Null while unknown.
  std::shared_ptr<const spire::SchemaVersionFact> database;
  std::shared_ptr<const spire::AgentVersionsFact> agents;
};

struct PairView {
  std::optional<int64_t> apart;
  std::string_view state = "unknown";
  std::optional<SystemTime> since;  // when it was first seen to be as it is now
};

struct SkewView {
  PairView server_server, agent_server, schema_code;
  std::string_view roll = "unknown";
  std::optional<Version> server, highest_server, oldest_agent, newest_agent;
  struct Agents {
    uint64_t fit = 0, newer = 0, too_old = 0, unknown = 0;
  };
  std::optional<Agents> agents;  // absent where this process does not count them
};

// Not safe from several threads.
class SkewJudge {
 public:
  // `roll_window`: how long a planned roll of servers may take.
  explicit SkewJudge(Duration roll_window) : roll_window_(roll_window) {}

  SkewView Judge(const Seen& seen, SteadyTime now, SystemTime wall);

 private:
  // A pair as it was at the last look, and since when.
  struct Standing {
    std::string text;
    SystemTime since;
  };
  static void Follow(PairView& pair, Standing& standing, std::string_view more, SystemTime wall);
  static void JudgeAgents(const spire::AgentVersionsFact& agents, SkewView& view);
  static void JudgeSchema(std::optional<int64_t> schema, SkewView& view);
  std::string_view JudgeRoll(const SkewView& view, SteadyTime now);

  const Duration roll_window_;
  Standing server_server_, agent_server_, schema_code_;
  std::optional<Version> server_, highest_;  // at the last look at which both were known
  std::optional<SteadyTime> apart_since_;    // the two have not been equal since
  bool fell_ = false;                        // this server was seen to become older,
  bool rose_ = false;                        // another one to become newer, since then
};

}  // namespace spire_exporter::skew

#endif  // COLLECTORS_SKEW_SKEW_JUDGE_H_
