// The nodes asked in rounds, so that one that hangs delays no other: its question stays open while
// the rounds go on.
#ifndef COLLECTORS_POSTGRES_REPLICATION_ASK_H_
#define COLLECTORS_POSTGRES_REPLICATION_ASK_H_

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "collectors/clients/postgres/node_set.h"
#include "collectors/postgres/replication_judge.h"
#include "collectors/postgres/replication_reading.h"
#include "exporter/base/clock.h"
#include "exporter/base/mutex.h"

namespace spire_exporter::postgres {

// What a round brought of one node: a reading, or why there is none.
struct Outcome {
  std::optional<NodeReading> reading;
  std::optional<NodeState> failure;  // absent with a reading
  std::string problem;               // one line; empty when there is nothing to complain about
};

// What a failure to connect or to ask means for the node.
NodeState StateOf(Code code);

// Not safe from several threads; its questions run on those of the sessions.
class ReplicationAsker {
 public:
  // `timeout`: when a question is given up, and with it the connection if it hangs there.
  // The clock outlives the sessions.
  ReplicationAsker(const Clock& clock, Duration timeout);

  // Asks every node that is not still being asked, and gives what is there after `patience` at the
  // latest, or as soon as all have answered; in the order of the nodes.
  std::vector<Outcome> Round(const std::vector<pg::Node>& nodes,
                             const std::function<ReadPlan(const pg::Node&)>& plan,
                             Duration patience, const std::stop_token& stop);

 private:
  // Rung whenever a question has come to its end.
  struct Bell {
    Mutex mutex;
    std::condition_variable_any rung;
  };
  // How far a question has come; guarded by the bell's mutex.
  struct Progress {
    bool begun = false;
    bool over = false;
    std::optional<Result<NodeReading>> result;
  };
  struct Question {
    std::shared_ptr<pg::Session> session;
    // Gone once the session is done with it, well or not.
    std::weak_ptr<pg::Session::Ticket> ticket;
    std::shared_ptr<Progress> progress;
    Deadline deadline;
  };

  Question Start(const pg::Node& node, const ReadPlan& plan);
  Outcome Look(const Question& question, Duration patience);

  const Clock& clock_;
  const Duration timeout_;
  const std::shared_ptr<Bell> bell_;
  std::map<std::string, Question, std::less<>> open_;  // by the node's name
};

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_REPLICATION_ASK_H_
