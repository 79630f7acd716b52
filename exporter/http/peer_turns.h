// Connections that wait for their turn, fair between addresses: each gets one after the other,
// however many connections another has waiting.
#ifndef EXPORTER_HTTP_PEER_TURNS_H_
#define EXPORTER_HTTP_PEER_TURNS_H_

#include <cstddef>
#include <deque>
#include <list>

#include "exporter/http/connection.h"

namespace spire_exporter {

// Belongs to the door's thread. Connections are not owned and must be removed before they go. All
// but Remove() take constant time.
class PeerTurns {
 public:
  // `line`: where a peer keeps those of its connections that wait here.
  explicit PeerTurns(std::list<Connection*> Peer::*line) : line_(line) {}

  // One that is not in it.
  void Push(Connection& connection);
  // The first of the address whose turn it is; null if there is none.
  Connection* Pop();
  // False if it was not in it.
  bool Remove(Connection& connection);

  size_t size() const { return size_; }
  // Every address with a connection here, once, the next one first.
  const std::deque<Peer*>& addresses() const { return addresses_; }

 private:
  std::list<Connection*> Peer::*const line_;
  std::deque<Peer*> addresses_;
  size_t size_ = 0;
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_PEER_TURNS_H_
