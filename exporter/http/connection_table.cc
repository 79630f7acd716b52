#include "exporter/http/connection_table.h"

#include <tuple>
#include <utility>

namespace spire_exporter {
namespace {

// A reader that has not taken its answer in this time is slow enough to make room for others.
constexpr Duration kSlowReader = std::chrono::seconds(1);

// The door marks its other events in the top two bits.
constexpr uint32_t kGenerationMask = 0x3fffffff;

// How easily a connection goes, lower first; negative: it stays.
int Rank(const Connection& connection, SteadyTime now) {
  switch (connection.state) {
    case Connection::State::kLingering:
      return 0;
    case Connection::State::kWaiting:
      return 1;
    case Connection::State::kWriting:
      return now - connection.since >= kSlowReader ? 2 : -1;
    case Connection::State::kQueued:
    case Connection::State::kRunning:
      return -1;
  }
  return -1;
}

}  // namespace

ConnectionTable::ConnectionTable(size_t max_connections, size_t max_per_peer)
    : max_connections_(max_connections), max_per_peer_(max_per_peer) {}

Connection* ConnectionTable::Victim(const Peer* of, SteadyTime now) const {
  Connection* best = nullptr;
  int best_rank = 0;
  for (const auto& slot : slots_) {
    if (slot == nullptr || (of != nullptr && slot->peer != of)) continue;
    const int rank = Rank(*slot, now);
    if (rank < 0) continue;
    // The busiest address first, then the rank, then the age.
    if (best == nullptr || slot->peer->open > best->peer->open ||
        (slot->peer->open == best->peer->open &&
         std::tie(rank, slot->since) < std::tie(best_rank, best->since))) {
      best = slot.get();
      best_rank = rank;
    }
  }
  return best;
}

ConnectionTable::Room ConnectionTable::FindRoom(const std::string& peer_key, SteadyTime now) const {
  Room room;
  const auto peer = peers_.find(peer_key);
  if (peer != peers_.end() && peer->second->open >= max_per_peer_) {
    room.kind = Room::Kind::kEvictForPeer;
    room.victim = Victim(peer->second.get(), now);
  } else if (open_ >= max_connections_) {
    room.kind = Room::Kind::kEvictForTotal;
    room.victim = Victim(nullptr, now);
  } else {
    return room;
  }
  if (room.victim == nullptr) room.kind = Room::Kind::kRefuse;
  return room;
}

Connection& ConnectionTable::Add(Stream stream, const std::string& peer_key,
                                 const std::string& peer_name, bool probe, const HeadLimits& limits,
                                 SteadyTime now) {
  std::unique_ptr<Peer>& peer = peers_[peer_key];
  if (peer == nullptr) {
    peer = std::make_unique<Peer>();
    peer->key = peer_key;
    peer->name = peer_name;
  }
  ++peer->open;
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  slots_[slot] = std::make_unique<Connection>(limits);
  Connection& connection = *slots_[slot];
  generation_ = (generation_ + 1) & kGenerationMask;
  connection.id = (uint64_t{generation_} << 32) | slot;
  connection.stream = std::move(stream);
  connection.peer = peer.get();
  connection.probe = probe;
  connection.since = now;
  counts_[static_cast<size_t>(connection.state)].fetch_add(1, std::memory_order_relaxed);
  ++open_;
  return connection;
}

void ConnectionTable::Remove(Connection& connection) {
  counts_[static_cast<size_t>(connection.state)].fetch_sub(1, std::memory_order_relaxed);
  --open_;
  Peer& peer = *connection.peer;
  const uint32_t slot = static_cast<uint32_t>(connection.id);
  free_slots_.push_back(slot);
  slots_[slot].reset();
  if (--peer.open == 0) peers_.erase(std::string(peer.key));
}

Connection* ConnectionTable::Find(uint64_t id) const {
  const uint32_t slot = static_cast<uint32_t>(id);
  if (slot >= slots_.size() || slots_[slot] == nullptr || slots_[slot]->id != id) return nullptr;
  return slots_[slot].get();
}

void ConnectionTable::SetState(Connection& connection, Connection::State state, SteadyTime now) {
  counts_[static_cast<size_t>(connection.state)].fetch_sub(1, std::memory_order_relaxed);
  counts_[static_cast<size_t>(state)].fetch_add(1, std::memory_order_relaxed);
  connection.state = state;
  connection.since = now;
}

}  // namespace spire_exporter
