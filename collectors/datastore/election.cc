#include "collectors/datastore/election.h"

#include <utility>

#include "collectors/clients/postgres/node_facts.h"

namespace spire_exporter::datastore {
namespace {

constexpr Duration kFactAge = std::chrono::minutes(1);

}  // namespace

Candidates AskCandidates(std::vector<pg::Node> nodes, int64_t lock, const pg::JobLimits& limits,
                         const std::stop_token& stop) {
  return pg::AskEach<Candidate>(
      std::move(nodes), limits, stop, [lock](pg::Connection& connection) -> Result<Candidate> {
        const auto role = connection.Query("the node's role", "SELECT pg_is_in_recovery()");
        if (!role.ok()) return role.error();
        Candidate candidate{role->Bool(0).value_or(true), false};
        if (candidate.in_recovery) return candidate;
        const auto locked = connection.TryLock(lock);
        if (!locked.ok()) return locked.error();
        candidate.locked = *locked;
        return candidate;
      });
}

Election Elect(const Candidates& candidates, const FactsBoard& facts, SteadyTime now) {
  Election election;
  std::string why = candidates.empty() ? "no node is known" : "all that answer are standbys";
  for (const auto& candidate : candidates) {
    if (!candidate.result.ok()) {
      why = candidate.node.name + ": " + candidate.result.error().what;
      continue;
    }
    if (candidate.result->in_recovery) {
      election.has_standby = true;
      const auto standing = facts.Latest<pg::NodeStanding>(candidate.node.name);
      if (!election.fresh_standby && standing && now - standing->at <= kFactAge &&
          standing->value->fresh) {
        election.fresh_standby = candidate.node;
      }
      continue;
    }
    // Two names may lead to one primary: whichever has the lock.
    if (election.state == "elected") continue;
    election.state = candidate.result->locked ? "elected" : "not_elected";
    election.primary = candidate.node;
  }
  if (!election.primary) {
    election.problem = Error{Code::kUnavailable, "no primary answered: " + why, "", true};
  }
  return election;
}

void StepDown(const pg::Node& primary, int64_t lock, const pg::JobLimits& limits,
              const std::stop_token& stop) {
  (void)pg::Ask<bool>(primary, limits, stop, [lock](pg::Connection& connection) -> Result<bool> {
    const Status unlocked = connection.Unlock(lock);
    if (!unlocked.ok()) return unlocked.error();
    return true;
  });
}

}  // namespace spire_exporter::datastore
