// The thread that owns everything the stream has told.
#ifndef COLLECTORS_TELEMETRY_INGEST_H_
#define COLLECTORS_TELEMETRY_INGEST_H_

#include <sys/epoll.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "collectors/telemetry/agent_watch.h"
#include "collectors/telemetry/datagram_socket.h"
#include "collectors/telemetry/listener.h"
#include "collectors/telemetry/nap.h"
#include "collectors/telemetry/store.h"
#include "collectors/telemetry/stream_families.h"
#include "exporter/base/clock.h"
#include "exporter/base/logger.h"
#include "exporter/base/mutex.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"
#include "exporter/collect/collector.h"

namespace spire_exporter::telemetry {

struct IngestOptions {
  std::vector<ListenAddress> listen;
  mode_t socket_mode = 0660;
  StoreOptions store;
  bool scrape = false;  // whether pages will come
};

// One thread reads all sockets and is the only one that touches the store. Everybody else leaves
// messages: new options, pages, and requests for a snapshot, which it answers between two
// datagrams. Of a snapshot it only writes the numbers down; who has asked makes the rest. Work per
// turn is bounded, so that no flood on one socket starves another, a request, or the socket checks.
//
// Where datagrams of UDP come steadily, the thread leaves them in the socket for some milliseconds
// and then reads all of them (see NapPacer): a wake-up costs more than what it brings. It never
// does so with sockets of files, whose queue of ten holds the sender up. A request ends such a nap,
// and is answered with all that has arrived.
//
// Safe from any thread but for construction, Start() and destruction.
class Ingest final : public LiveSource {
 public:
  // clock, logger and watch outlive it. `watch`: who is told of an agent's renewals; null for
  // nobody.
  Ingest(const Clock& clock, Logger& logger, AgentWatch* watch = nullptr);
  ~Ingest() override;
  Ingest(const Ingest&) = delete;
  Ingest& operator=(const Ingest&) = delete;

  // Starts the thread. Fails only when the system has no descriptors or threads left.
  Status Start();
  // Listeners whose address and rights stay are not touched; new ones are bound on the thread, with
  // retries.
  void Configure(IngestOptions options) EXCLUDES(mutex_);
  // A page of SPIRE's endpoint. Of pages that come faster than they are looked at, the last stays.
  void Deliver(PreparedPage page) EXCLUDES(mutex_);

  // Whether a line has come lately: SPIRE's clients send one every ten seconds at the least.
  bool StreamSpeaks() const;

  std::shared_ptr<const Snapshot> Acquire(const Deadline& deadline) override EXCLUDES(mutex_);

 private:
  // A snapshot of which the thread has done its part.
  struct Frozen {
    uint64_t request = 0;
    FrozenStore store;
    StreamState stream;
  };
  struct Mail {
    bool stop = false;
    std::optional<IngestOptions> options;
    std::optional<PreparedPage> page;
    uint64_t snapshot = 0;  // the request to answer; 0 is none
  };

  void Run();
  // False when the thread shall end.
  bool ReadMail();
  void AnswerIfAsked() EXCLUDES(mutex_);
  void ApplyOptions(IngestOptions options);
  // The number of datagrams read. `answer`: requests are answered in between.
  size_t ReadListener(Listener& listener, int fd, int batches, bool answer);
  // One turn: reads what is ready. The number of datagrams of UDP.
  size_t ReadListeners(std::span<const epoll_event> events, SteadyTime now);
  // After a turn: whether, and how long, the next wait leaves UDP alone.
  void ChooseNap(size_t datagrams, SteadyTime now);
  void Maintain(SteadyTime now);
  void ApplyDuePage(SteadyTime now);
  int WaitMs(SteadyTime now) const;
  // Reads what has arrived by now, bounded.
  void ReadArrived();
  // The thread's half of a snapshot.
  void Freeze(uint64_t request) EXCLUDES(mutex_);
  // The other half, by who has asked: of the frozen state, unless another is at it already.
  void MakeSnapshot() EXCLUDES(making_, mutex_);
  void Wake();

  const Clock& clock_;
  Logger& logger_;
  AgentWatch* const watch_;

  // Of the thread.
  Store store_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  DatagramBatch batch_;
  UniqueFd epoll_;        // of everything
  UniqueFd quiet_epoll_;  // of everything but UDP, for naps
  NapPacer nap_;
  int nap_ms_ = 0;  // of the wait to come; 0 is none
  IngestOptions options_;
  static constexpr size_t kPagesMax = 4;
  std::deque<PreparedPage> pages_;  // not due yet, oldest first
  SteadyTime next_tick_ = SteadyTime::min();
  double created_seconds_ = 0;

  UniqueFd event_;
  // A hint that saves the lock; what it tells of is read under mutex_, so relaxed is enough.
  std::atomic<bool> has_mail_{false};
  // When the last line came, in ns of the steady clock, known to within a second; 0 is never. It
  // stands alone, so relaxed is enough.
  std::atomic<int64_t> stream_last_ns_{0};
  Mutex mutex_;
  std::condition_variable_any answered_;
  Mail mail_ GUARDED_BY(mutex_);
  uint64_t requested_ GUARDED_BY(mutex_) = 0;          // snapshots asked for,
  uint64_t begun_ GUARDED_BY(mutex_) = 0;              // begun
  uint64_t made_ GUARDED_BY(mutex_) = 0;               // and ready
  std::unique_ptr<Frozen> frozen_ GUARDED_BY(mutex_);  // to be made
  std::unique_ptr<Frozen> spare_ GUARDED_BY(mutex_);   // memory for the next
  std::shared_ptr<const Snapshot> latest_ GUARDED_BY(mutex_);
  Mutex making_;  // taken before mutex_
  SnapshotMaker maker_ GUARDED_BY(making_);
  std::thread thread_;
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_INGEST_H_
