// The event loop that owns every client: it accepts, gathers whole requests, hands them to workers,
// and sends the answers. A client can keep it waiting for nothing but the client's own answer.
#ifndef EXPORTER_HTTP_DOOR_H_
#define EXPORTER_HTTP_DOOR_H_

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"
#include "exporter/http/civetweb_engine.h"
#include "exporter/http/connection_table.h"
#include "exporter/http/dispatcher.h"
#include "exporter/http/handoff.h"
#include "exporter/http/http_server.h"
#include "exporter/http/listener.h"
#include "exporter/http/peer_turns.h"
#include "exporter/http/ready_queue.h"
#include "exporter/http/router.h"

namespace spire_exporter {

// Init() and then Run() on one thread; RequestStop() and Stats() from any.
class Door {
 public:
  struct Parts {
    const HttpServerOptions& options;
    const Router& router;
    Handoff& handoff;
    CivetwebEngine& engine;
    Dispatcher& dispatcher;
    const Clock& clock;
  };

  explicit Door(const Parts& parts);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  Status Init(std::vector<Listener> listeners, std::vector<Listener> probe_listeners);
  // Returns once drained after RequestStop().
  void Run();
  void RequestStop();
  HttpStats Stats() const;

 private:
  // A counter with one writer: the door's thread. Each is read by itself, so relaxed is enough.
  class Tally {
   public:
    void Add(uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
    void Subtract(uint64_t by) { value_.fetch_sub(by, std::memory_order_relaxed); }
    uint64_t Get() const { return value_.load(std::memory_order_relaxed); }

   private:
    std::atomic<uint64_t> value_{0};
  };
  struct Entrance {
    Listener listener;
    bool probe;
  };
  // What an epoll event is about: the kind in the top two bits, then a number; for a connection its
  // id.
  static constexpr uint64_t kConnectionTag = 0;
  static constexpr uint64_t kStopTag = uint64_t{1} << 62;
  static constexpr uint64_t kGateTag = kStopTag | 1;
  static constexpr uint64_t kListenerTag = uint64_t{2} << 62;
  static constexpr uint64_t kWorkerTag = uint64_t{3} << 62;
  static constexpr uint64_t kKindMask = uint64_t{3} << 62;

  // One request at a worker.
  struct Errand {
    UniqueFd done;  // reads as closed when the worker has let go
    uint64_t connection = 0;
    bool probe = false;
  };

  // door.cc: the loop
  Status Watch(int fd, uint64_t tag);
  int WaitMs() const;
  void HandleEvent(uint64_t tag, uint32_t events);
  void Accept(Entrance& from);
  void AcceptOne(UniqueFd fd, const sockaddr_storage& address, bool probe);
  void HandleNoDescriptors(int listener_fd);
  void Expire();
  void OnDeadline(Connection& connection);
  void KeepBudgets();
  void BeginDrain();
  bool Drained() const;

  // door_entry.cc: coming in
  void QueueStep(Connection& connection);
  void StepDue();
  void StepHandshake(Connection& connection);
  bool PassGate(Connection& connection);
  Duration IdleTime(const Connection& connection) const;
  void OnGateReady();

  // door_connections.cc: one connection
  void StepInput(Connection& connection);
  void Discard(Connection& connection);
  void Advance(Connection& connection);
  bool TakeRequest(Connection& connection);
  void Prepare(Connection& connection, const HeadScan& scan);
  void Admit(Connection& connection);
  void StartRequests();
  void OnWorkerDone(uint16_t place);
  void Refuse(Connection& connection, const HttpResponse& response, bool keep_alive);
  void StartReply(Connection& connection, Reply reply);
  bool SendReply(Connection& connection);
  void AwaitNext(Connection& connection);
  void EndAnswered(Connection& connection);
  void Listen(Connection& connection, uint32_t events);
  void SetDeadline(Connection& connection, Duration from_now);
  void DropInput(Connection& connection, size_t bytes);
  void Close(Connection& connection);

  const Parts parts_;
  const HeadLimits limits_;
  UniqueFd epoll_;
  UniqueFd stop_;     // eventfd
  UniqueFd reserve_;  // given up for a moment when the process is out of descriptors
  std::vector<Entrance> listeners_;
  ConnectionTable table_;
  ReadyQueue ready_;
  PeerTurns due_{&Peer::due};
  std::vector<Errand> errands_;  // by place - 1
  size_t running_ = 0;           // ordinary requests at workers
  size_t input_bytes_ = 0;       // held for unfinished requests
  bool draining_ = false;
  SteadyTime drain_until_;
  SteadyTime now_;  // of the current turn of the loop
  SteadyTime next_deadline_ = SteadyTime::max();
  std::array<char, 16 * 1024> scratch_;

  Tally accepted_, unsent_bytes_;
  Tally evicted_for_peer_, evicted_for_total_, evicted_for_bytes_, refused_, request_timeouts_,
      idle_timeouts_, write_timeouts_, malformed_, too_large_, too_many_, tls_failed_,
      tls_timeouts_, denied_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_DOOR_H_
