// Who reads what only one should read, and where: one elected reader of all sidecars, on a standby
// when there is one that may stand in for the primary.
#ifndef COLLECTORS_DATASTORE_ELECTION_H_
#define COLLECTORS_DATASTORE_ELECTION_H_

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/postgres/ask.h"
#include "exporter/base/clock.h"
#include "exporter/collect/facts.h"

namespace spire_exporter::datastore {

// Session-level advisory locks on the primary, `SPIREX` and a number as bytes. They are the same in
// all versions, so that readers of two versions do not both read. pg_locks shows them to everybody.
inline constexpr int64_t kSurveyLock = 0x5350'4952'4558'0001;
inline constexpr int64_t kAuditLock = 0x5350'4952'4558'0002;

// What a node says of itself, asked in the course of an election.
struct Candidate {
  bool in_recovery = false;
  bool locked = false;  // a primary whose lock this process has
};
using Candidates = std::vector<pg::Answer<Candidate>>;

struct Election {
  // elected, not_elected, no_primary (nobody can be elected)
  std::string_view state = "no_primary";
  std::optional<pg::Node> primary;  // whose lock it is
  // A standby whose replication was last seen to be fresh, a minute ago at most.
  std::optional<pg::Node> fresh_standby;
  bool has_standby = false;  // that answers, fresh or not
  Status problem;            // when there is no primary
};

// Asks all nodes for their role and the primary for the lock, within the limits.
Candidates AskCandidates(std::vector<pg::Node> nodes, int64_t lock, const pg::JobLimits& limits,
                         const std::stop_token& stop);
// What the answers come to. Pure.
Election Elect(const Candidates& candidates, const FactsBoard& facts, SteadyTime now);

// Gives the lock back, for somebody else to try.
void StepDown(const pg::Node& primary, int64_t lock, const pg::JobLimits& limits,
              const std::stop_token& stop);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_ELECTION_H_
