// The same question to several nodes at once.
#ifndef COLLECTORS_CLIENTS_POSTGRES_ASK_H_
#define COLLECTORS_CLIENTS_POSTGRES_ASK_H_

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "collectors/clients/postgres/node_set.h"

namespace spire_exporter::pg {

// What a node said. `result` is the job's, or why it could not be asked: kNotFound for a node whose
// address is gone, else as in Session::Finish() and Connection.
template <typename T>
struct Answer {
  Node node;
  Result<T> result;
};

// Asks all nodes at the same time and waits for all of them, for each no longer than the limits
// say, so that one that hangs delays the others' answers until then and no further. `ask` is called
// on the threads of the sessions, at once for several nodes, and may outlive the call: it keeps
// nothing by reference that may go away.
template <typename T>
std::vector<Answer<T>> AskEach(std::vector<Node> nodes, const JobLimits& limits,
                               const std::stop_token& stop,
                               std::function<Result<T>(Connection&)> ask) {
  struct Pending {
    std::shared_ptr<Session::Ticket> ticket;
    std::shared_ptr<std::optional<Result<T>>> slot;
  };
  std::vector<Pending> pending;
  for (const Node& node : nodes) {
    Pending one{nullptr, std::make_shared<std::optional<Result<T>>>()};
    if (node.session) {
      one.ticket = node.session->Start(
          [slot = one.slot, ask](Connection& connection) { slot->emplace(ask(connection)); },
          limits);
    }
    pending.push_back(std::move(one));
  }
  std::vector<Answer<T>> answers;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!pending[i].ticket) {
      answers.push_back(
          {std::move(nodes[i]), Error{Code::kNotFound, "its address is gone", "", true}});
      continue;
    }
    const Status finished = nodes[i].session->Finish(pending[i].ticket, stop);
    if (finished.ok()) {
      answers.push_back({std::move(nodes[i]), std::move(**pending[i].slot)});
    } else {
      answers.push_back({std::move(nodes[i]), finished.error()});
    }
  }
  return answers;
}

// The same for one node.
template <typename T>
Result<T> Ask(const Node& node, const JobLimits& limits, const std::stop_token& stop,
              std::function<Result<T>(Connection&)> ask) {
  return std::move(AskEach<T>({node}, limits, stop, std::move(ask)).front().result);
}

}  // namespace spire_exporter::pg

#endif  // COLLECTORS_CLIENTS_POSTGRES_ASK_H_
