// Complete requests that wait for a worker, fair between addresses: each gets its turn, however
// many requests another has sent.
#ifndef EXPORTER_HTTP_READY_QUEUE_H_
#define EXPORTER_HTTP_READY_QUEUE_H_

#include <cstddef>
#include <deque>

#include "exporter/http/connection.h"

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
  size_t size() const { return size_; }

 private:
  std::deque<Connection*> probes_;
  std::deque<Peer*> turns_;  // every peer with a request waiting, once
  size_t size_ = 0;
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_READY_QUEUE_H_
