#include "exporter/http/ready_queue.h"

#include <algorithm>

namespace spire_exporter {

void ReadyQueue::Push(Connection& connection) {
  if (connection.probe) {
    probes_.push_back(&connection);
  } else {
    turns_.Push(connection);
  }
}

Connection* ReadyQueue::Pop() {
  if (probes_.empty()) return turns_.Pop();
  Connection* const first = probes_.front();
  probes_.pop_front();
  return first;
}

void ReadyQueue::Remove(Connection& connection) {
  const auto found = std::find(probes_.begin(), probes_.end(), &connection);
  if (found != probes_.end()) {
    probes_.erase(found);
  } else {
    turns_.Remove(connection);
  }
}

Connection* ReadyQueue::Displaceable(const Peer& peer) const {
  const Peer* most = nullptr;
  for (const Peer* one : turns_.addresses()) {
    if (most == nullptr || one->ready.size() > most->ready.size()) most = one;
  }
  if (most == nullptr || most->ready.size() <= peer.ready.size() + 1) return nullptr;
  return most->ready.back();
}

}  // namespace spire_exporter
