#include "exporter/http/peer_turns.h"

#include <algorithm>

namespace spire_exporter {

void PeerTurns::Push(Connection& connection) {
  Peer& peer = *connection.peer;
  std::list<Connection*>& line = peer.*line_;
  if (line.empty()) addresses_.push_back(&peer);
  line.push_back(&connection);
  ++size_;
}

Connection* PeerTurns::Pop() {
  if (addresses_.empty()) return nullptr;
  Peer& peer = *addresses_.front();
  addresses_.pop_front();
  std::list<Connection*>& line = peer.*line_;
  Connection* const first = line.front();
  line.pop_front();
  if (!line.empty()) addresses_.push_back(&peer);
  --size_;
  return first;
}

bool PeerTurns::Remove(Connection& connection) {
  Peer& peer = *connection.peer;
  std::list<Connection*>& line = peer.*line_;
  const auto found = std::find(line.begin(), line.end(), &connection);
  if (found == line.end()) return false;
  line.erase(found);
  --size_;
  if (line.empty()) addresses_.erase(std::find(addresses_.begin(), addresses_.end(), &peer));
  return true;
}

}  // namespace spire_exporter
