// The database nodes that SPIRE's connection strings lead to: every address behind a name is a node
// of its own, with one connection that all collectors share.
#ifndef COLLECTORS_CLIENTS_POSTGRES_NODE_SET_H_
#define COLLECTORS_CLIENTS_POSTGRES_NODE_SET_H_

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "collectors/clients/net/waiter.h"
#include "collectors/clients/postgres/client_options.h"
#include "collectors/clients/postgres/conninfo.h"
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
  // What is wrong with a group now: the file cannot be read, the name is not resolved. Its nodes
  // are those that were known before, if any.
  struct Problem {
    std::string group;
    Error error;
  };
  std::vector<Problem> problems;
};

// Safe from any thread.
class NodeSet {
 public:
  static constexpr size_t kNodesPerGroup = 8;  // what is beyond is not watched

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
  NodeList List(Duration max_age, const Deadline& deadline, const std::stop_token& stop);

 private:
  struct Group;
  struct Slot;
  struct Found;

  static Found LookUp(Group& group, const Waiter& waiter);
  std::shared_ptr<Session> Open(const Group& group, size_t number, const Host& host)
      REQUIRES(mutex_);
  bool Fresh(Duration max_age) const REQUIRES(mutex_);
  void TakeOver(Group& group, Found found) REQUIRES(mutex_);

  const Clock& clock_;
  Logger& logger_;
  Mutex mutex_;
  std::condition_variable_any changed_;
  ClientOptions options_ GUARDED_BY(mutex_);
  uint64_t generation_ GUARDED_BY(mutex_) = 0;  // of the options
  std::vector<std::shared_ptr<Group>> groups_ GUARDED_BY(mutex_);
  std::optional<SteadyTime> looked_up_ GUARDED_BY(mutex_);
  bool looking_up_ GUARDED_BY(mutex_) = false;  // somebody is, without the lock
};

}  // namespace spire_exporter::pg

#endif  // COLLECTORS_CLIENTS_POSTGRES_NODE_SET_H_
