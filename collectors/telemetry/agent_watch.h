// What the stream and SPIRE's page have told of the agent beside this process, between the thread
// that reads them and the one that publishes it.
#ifndef COLLECTORS_TELEMETRY_AGENT_WATCH_H_
#define COLLECTORS_TELEMETRY_AGENT_WATCH_H_

#include <array>
#include <cstdint>
#include <optional>

#include "collectors/telemetry/agent_tap.h"
#include "collectors/telemetry/renewal_ledger.h"
#include "collectors/telemetry/stream_series.h"
#include "exporter/base/clock.h"
#include "exporter/base/mutex.h"

namespace spire_exporter::telemetry {

// One and a half heartbeats without a line: the stream is off, or dead.
inline constexpr Duration kStreamQuiet = std::chrono::seconds(15);

// Safe from any thread; a lock is held for microseconds. Events come a few times a sync.
class AgentWatch final : public EventTap {
 public:
  // clock outlives it.
  explicit AgentWatch(const Clock& clock) : clock_(clock) {}

  void OnEvent(Tap tap, double value, const Arrival& arrival) override EXCLUDES(mutex_);

  // How the stream stands; about once a second.
  struct StreamState {
    bool listening = false;
    bool files_only = true;  // all listeners are sockets of files
    size_t clients = 0;      // processes that speak
    uint64_t restarts = 0;   // of them
    uint64_t missing = 0;    // lines
    std::optional<SteadyTime> last;

    // One more listener.
    void Add(bool of_file, const Ledger& ledger);
  };
  void OnStream(const StreamState& state) EXCLUDES(mutex_);
  // A page of SPIRE's endpoint: what it counts beyond the page before is taken for events while the
  // stream is silent; of when, is known to within two pages. A page with several tries to sign of
  // which one failed cannot say how many SVIDs that was: what is held is then of any age.
  void OnPage(const PreparedPage& page) EXCLUDES(mutex_);

  void SetTtl(std::optional<Duration> ttl) EXCLUDES(mutex_);
  // The number of cached SVIDs from elsewhere: SPIRE before 1.9 does not send it.
  void SetCached(uint64_t svids) EXCLUDES(mutex_);

  struct View {
    RenewalLedger::Standing standing;
    std::optional<SystemTime> last_sync;
    std::optional<uint64_t> cached;
    bool refused = false;  // what is due, by the servers
    // When the agent got its own SVID, where nothing was missed since.
    std::optional<SystemTime> own_svid;
    bool anybody_could_say = false;
    // When the source last spoke; nothing before it has.
    std::optional<SteadyTime> spoke;
  };
  View Read() EXCLUDES(mutex_);

 private:
  static constexpr size_t kTaps = static_cast<size_t>(Tap::kSignFailed) + 1;

  // More lines are missing than are known to be lost: since when, and how many at least.
  struct MoreMissing {
    SteadyTime since;
    uint64_t least;
  };

  Instant InstantOf(SteadyTime earliest) const;
  bool Lost(uint64_t missing, SteadyTime now) REQUIRES(mutex_);
  void Apply(Tap tap, double value, const Instant& at, SteadyTime now) REQUIRES(mutex_);
  void Doubt(SteadyTime now) REQUIRES(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  RenewalLedger ledger_ GUARDED_BY(mutex_);
  StreamState stream_ GUARDED_BY(mutex_);
  bool several_ GUARDED_BY(mutex_) = false;
  uint64_t missing_ GUARDED_BY(mutex_) = 0;  // lines whose loss is known
  std::optional<MoreMissing> more_missing_ GUARDED_BY(mutex_);
  std::optional<SteadyTime> started_ GUARDED_BY(mutex_);  // the last `started`
  std::optional<Instant> own_svid_ GUARDED_BY(mutex_);
  // The cache's size has come from SPIRE's own telemetry.
  bool cached_told_ GUARDED_BY(mutex_) = false;
  std::optional<SteadyTime> cached_set_ GUARDED_BY(mutex_);
  std::optional<SteadyTime> page_asked_ GUARDED_BY(mutex_);
  std::optional<double> page_uptime_ GUARDED_BY(mutex_);
  std::array<std::optional<double>, kTaps> page_totals_ GUARDED_BY(mutex_);
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_AGENT_WATCH_H_
