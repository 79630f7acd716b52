#include "exporter/http/ready_queue.h"

#include <algorithm>

namespace spire_exporter {
namespace {

template <typename T>
bool Erase(std::deque<T*>& from, const T* what) {
  const auto found = std::find(from.begin(), from.end(), what);
  if (found == from.end()) return false;
  from.erase(found);
  return true;
}

}  // namespace

void ReadyQueue::Push(Connection& connection) {
  if (connection.probe) {
    probes_.push_back(&connection);
    return;
  }
  Peer& peer = *connection.peer;
  if (peer.ready.empty()) turns_.push_back(&peer);
  peer.ready.push_back(&connection);
  ++size_;
}

Connection* ReadyQueue::Pop() {
  if (!probes_.empty()) {
    Connection* const first = probes_.front();
    probes_.pop_front();
    return first;
  }
  if (turns_.empty()) return nullptr;
  Peer& peer = *turns_.front();
  turns_.pop_front();
  Connection* const first = peer.ready.front();
  peer.ready.pop_front();
  if (!peer.ready.empty()) turns_.push_back(&peer);
  --size_;
  return first;
}

void ReadyQueue::Remove(Connection& connection) {
  if (Erase(probes_, &connection)) return;
  Peer& peer = *connection.peer;
  if (!Erase(peer.ready, &connection)) return;
  --size_;
  if (peer.ready.empty()) Erase(turns_, &peer);
}

Connection* ReadyQueue::Displaceable(const Peer& peer) const {
  const Peer* most = nullptr;
  for (const Peer* one : turns_) {
    if (most == nullptr || one->ready.size() > most->ready.size()) most = one;
  }
  if (most == nullptr || most->ready.size() <= peer.ready.size() + 1) return nullptr;
  return most->ready.back();
}

}  // namespace spire_exporter
