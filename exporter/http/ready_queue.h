// Complete requests that wait for a worker, fair between addresses.
#ifndef EXPORTER_HTTP_READY_QUEUE_H_
#define EXPORTER_HTTP_READY_QUEUE_H_

#include <cstddef>
#include <deque>

#include "exporter/http/connection.h"
#include "exporter/http/peer_turns.h"

namespace spire_exporter {

// Belongs to the door's thread. Connections are not owned and must be removed before they go.
class ReadyQueue {
 public:
  // Requests from probe listeners go ahead of all others.
  void Push(Connection& connection);
  // Null if there is none.
  Connection* Pop();
  void Remove(Connection& connection);

  // The newest request of the address that has the most waiting, if that is more than `peer` would
  // have with one more; else null. For when there is room for one alone.
  Connection* Displaceable(const Peer& peer) const;

  // Without those from probe listeners.
  size_t size() const { return turns_.size(); }

 private:
  std::deque<Connection*> probes_;
  PeerTurns turns_{&Peer::ready};
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_READY_QUEUE_H_
