// Every open connection and every address behind them, with the caps on both.
#ifndef EXPORTER_HTTP_CONNECTION_TABLE_H_
#define EXPORTER_HTTP_CONNECTION_TABLE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporter/http/connection.h"
#include "exporter/http/http_types.h"

namespace spire_exporter {

// Belongs to the door's thread, except for Count().
class ConnectionTable {
 public:
  ConnectionTable(size_t max_connections, size_t max_per_peer);

  // What must go before one more of `peer_key` fits in.
  struct Room {
    enum class Kind { kFree, kEvictForPeer, kEvictForTotal, kRefuse };
    Kind kind = Kind::kFree;
    Connection* victim = nullptr;  // kEvict...
  };
  // A cap of an address is met by its own oldest connection, the cap of all by the oldest of the
  // address that has the most. Only those that can go without loss are taken: answered ones,
  // waiting ones, and readers that have been slow for a second.
  Room FindRoom(const std::string& peer_key, SteadyTime now) const;
  // The one that goes when the process is out of descriptors; null if none can.
  Connection* FindVictim(SteadyTime now) const { return Victim(nullptr, now); }

  Connection& Add(Stream stream, const std::string& peer_key, const std::string& peer_name,
                  bool probe, const HeadLimits& limits, SteadyTime now);
  void Remove(Connection& connection);
  // Null if it is gone.
  Connection* Find(uint64_t id) const;
  void SetState(Connection& connection, Connection::State state, SteadyTime now);

  size_t size() const { return open_; }
  // Calls `visit(Connection&)` for each; it may remove the one it is called with.
  template <typename Visit>
  void ForEach(Visit visit) {
    for (size_t slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot] != nullptr) visit(*slots_[slot]);
    }
  }

  // Safe from any thread.
  uint64_t Count(Connection::State state) const {
    return counts_[static_cast<size_t>(state)].load(std::memory_order_relaxed);
  }

 private:
  Connection* Victim(const Peer* of, SteadyTime now) const;

  const size_t max_connections_;
  const size_t max_per_peer_;
  std::vector<std::unique_ptr<Connection>> slots_;
  std::vector<uint32_t> free_slots_;
  uint32_t generation_ = 0;
  size_t open_ = 0;
  std::unordered_map<std::string, std::unique_ptr<Peer>> peers_;
  // One writer, and each count is read by itself: relaxed orders enough.
  std::array<std::atomic<uint64_t>, 5> counts_{};
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_CONNECTION_TABLE_H_
