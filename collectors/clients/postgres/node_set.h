// The database nodes that SPIRE's connection strings lead to: every address behind a name is a node
// of its own, with one connection that all collectors share.
#ifndef COLLECTORS_CLIENTS_POSTGRES_NODE_SET_H_
#define COLLECTORS_CLIENTS_POSTGRES_NODE_SET_H_

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "collectors/clients/postgres/client_options.h"
#include "collectors/clients/postgres/session.h"
#include "exporter/base/clock.h"
#include "exporter/base/logger.h"
#include "exporter/base/mutex.h"
#include "exporter/base/result.h"

namespace spire_exporter::pg {

// One address behind one name. Value type; sharing the session.
struct Node {
  // The group and a number, `ro/0`: what the label `node` says. An address keeps its number; a new
  // one takes the lowest number that is free or whose address is gone.
  std::string name;
  std::string group;  // `ro`
  Expect expect = Expect::kAny;
  // `10.0.0.7:5432` or a socket's path, for logs at level debug and the status page.
  std::string address;
  // Null when the address is no longer behind the name: such a node stays listed, as a fact, and
  // is not connected to, because the address may be somebody else's now.
  std::shared_ptr<Session> session;
};

struct NodeList {
  std::vector<Node> nodes;  // by group in the order of the configuration, then by number
  // Groups without a node, and why: the file cannot be read, the name was never resolved.
  struct Problem {
    std::string group;
    Error error;
  };
  std::vector<Problem> problems;
};

// Safe from any thread.
class NodeSet {
 public:
  NodeSet(const Clock& clock, Logger& logger);
  // Ends all sessions; whoever still has one sees its calls fail.
  ~NodeSet();
  NodeSet(const NodeSet&) = delete;
  NodeSet& operator=(const NodeSet&) = delete;

  // Sessions of groups whose options are unchanged live on; others end before new ones begin, so
  // that a node never has two connections.
  void Configure(ClientOptions options);

  // Reads the connection files and resolves their names anew when the last time is longer ago than
  // `max_age`; what cannot be resolved now keeps the addresses it had. Waits no longer than the
  // deadline; callers at the same time share one look-up.
  NodeList List(Duration max_age, const Deadline& deadline, std::stop_token stop);

 private:
  struct Group;
  struct Slot;

  const Clock& clock_;
  Logger& logger_;
  Mutex mutex_;
  ClientOptions options_ GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Group>> groups_ GUARDED_BY(mutex_);
};

}  // namespace spire_exporter::pg

#endif  // COLLECTORS_CLIENTS_POSTGRES_NODE_SET_H_
