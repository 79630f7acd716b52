#include "collectors/postgres/replication_ask.h"

#include <algorithm>
#include <utility>

namespace spire_exporter::postgres {

NodeState StateOf(Code code) {
  switch (code) {
    case Code::kDeadlineExceeded:
      return NodeState::kHung;
    case Code::kUnavailable:
      return NodeState::kUnreachable;
    case Code::kUnauthenticated:
    case Code::kPermissionDenied:
      return NodeState::kUnauthenticated;
    case Code::kResourceExhausted:
      return NodeState::kConnectionsExhausted;
    case Code::kAborted:
    case Code::kCancelled:
      return NodeState::kBusy;
    default:
      return NodeState::kRefused;
  }
}

ReplicationAsker::ReplicationAsker(const Clock& clock, Duration timeout)
    : clock_(clock), timeout_(timeout), bell_(std::make_shared<Bell>()) {}

ReplicationAsker::Question ReplicationAsker::Start(const pg::Node& node, const ReadPlan& plan) {
  auto progress = std::make_shared<Progress>();
  const Deadline deadline = Deadline::After(clock_, timeout_);
  // The session forgets a job when it is done with it, also when it could not connect: then this
  // goes with it.
  struct End {
    End(std::shared_ptr<Bell> that_bell, std::shared_ptr<Progress> that_progress)
        : bell(std::move(that_bell)), progress(std::move(that_progress)) {}
    End(const End&) = delete;
    End& operator=(const End&) = delete;
    ~End() {
      const MutexLock lock(bell->mutex);
      progress->over = true;
      bell->rung.notify_all();
    }
    const std::shared_ptr<Bell> bell;
    const std::shared_ptr<Progress> progress;
  };
  auto end = std::make_shared<const End>(bell_, progress);
  pg::Session::Job job = [end = std::move(end), plan, clock = &clock_](pg::Connection& connection) {
    {
      const MutexLock lock(end->bell->mutex);
      end->progress->begun = true;
    }
    Result<NodeReading> result = ReadNode(connection, plan, *clock);
    const MutexLock lock(end->bell->mutex);
    end->progress->result.emplace(std::move(result));
    end->bell->rung.notify_all();
  };
  return {node.session, node.session->Start(std::move(job), {deadline, timeout_}),
          std::move(progress), deadline};
}

Outcome ReplicationAsker::Look(const Question& question, Duration patience) {
  Outcome outcome;
  bool begun = false;
  {
    const MutexLock lock(bell_->mutex);
    begun = question.progress->begun;
    if (question.progress->result && question.progress->result->ok()) {
      outcome.reading = std::move(**question.progress->result);
      if (!outcome.reading->problem.ok()) outcome.problem = outcome.reading->problem.error().what;
      return outcome;
    }
    if (question.progress->result) {
      const Error& error = question.progress->result->error();
      outcome.failure = StateOf(error.code);
      outcome.problem = error.what;
      return outcome;
    }
  }
  const pg::SessionState state = question.session->State();
  if (state.connected) {
    // Behind another's question, it is as hung as if it had been asked ours.
    const bool owes = state.owed_since && clock_.Steady() - *state.owed_since >= patience;
    outcome.failure = begun || owes ? NodeState::kHung : NodeState::kBusy;
    outcome.problem = begun || owes ? "no answer in time" : "";
  } else if (state.problem) {
    outcome.failure = StateOf(state.problem->code);
    outcome.problem = state.problem->what;
  } else if (begun || state.connects > 0) {
    outcome.failure = NodeState::kUnreachable;
    outcome.problem = "the connection broke";
  } else {
    outcome.failure = NodeState::kConnecting;
    outcome.problem = "connecting";
  }
  return outcome;
}

std::vector<Outcome> ReplicationAsker::Round(const std::vector<pg::Node>& nodes,
                                             const std::function<ReadPlan(const pg::Node&)>& plan,
                                             Duration patience, const std::stop_token& stop) {
  const Deadline wait = Deadline::After(clock_, patience);
  std::map<std::string, Question, std::less<>> open;
  for (const pg::Node& node : nodes) {
    if (!node.session) continue;
    auto known = open_.find(node.name);
    if (known != open_.end() && known->second.session == node.session) {
      if (!known->second.deadline.Passed(clock_)) {
        open.emplace(node.name, std::move(known->second));
        continue;
      }
      // Breaks off what hangs there. The deadline has passed, so that it does not wait.
      if (const auto ticket = known->second.ticket.lock()) {
        (void)node.session->Finish(ticket, stop);
      }
    }
    open.emplace(node.name, Start(node, plan(node)));
  }
  open_ = std::move(open);

  {
    std::unique_lock<Mutex> lock(bell_->mutex);
    bell_->rung.wait_for(lock, stop, wait.Remaining(clock_), [this] {
      return std::all_of(open_.begin(), open_.end(), [](const auto& each) {
        return each.second.progress->over || each.second.progress->result;
      });
    });
  }

  std::vector<Outcome> outcomes;
  for (const pg::Node& node : nodes) {
    const auto question = open_.find(node.name);
    if (question == open_.end()) {
      outcomes.push_back({std::nullopt, NodeState::kGone, ""});
      continue;
    }
    outcomes.push_back(Look(question->second, patience));
    bool ended = false;
    {
      const MutexLock lock(bell_->mutex);
      ended = question->second.progress->over || question->second.progress->result;
    }
    if (ended) open_.erase(question);
  }
  return outcomes;
}

}  // namespace spire_exporter::postgres
