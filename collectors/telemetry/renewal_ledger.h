// When the X.509-SVIDs in an agent's cache end, from what the agent says about renewing them.
#ifndef COLLECTORS_TELEMETRY_RENEWAL_LEDGER_H_
#define COLLECTORS_TELEMETRY_RENEWAL_LEDGER_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "exporter/base/clock.h"

namespace spire_exporter::telemetry {

// A certificate begins so long before its signing.
inline constexpr Duration kBackDating = std::chrono::seconds(10);

// An instant by both clocks. `steady` is the earliest that it can have been.
struct Instant {
  SteadyTime steady;
  SystemTime system;
};

// SPIRE's agent says how many SVIDs it is about to renew, when a batch was signed, and how many it
// then holds; never which. A certificate ends at its signing + TTL; its lifetime is L = TTL + 10 s,
// as it is back-dated. At each sync every SVID is looked at with a jitter of its own, so that one
// is renewed when between 0.55 L and 0.45 L of its life is left (rotationutil in SPIRE's
// pkg/common).
//
// The ledger keeps signings in order, with the number of SVIDs of each that are not known to have
// been renewed. A renewal is taken to be of the oldest: what stands first then can be later than
// the truth by as much as two SVIDs passed each other in their jitter. Whenever all that were old
// enough to be renewed have been, who is left is known for certain; what was left then bounds the
// truth from below. So the first end lies in [earliest, latest], is exact where nobody could have
// passed anybody, and is told as max(earliest, latest - 10 s).
//
// It is whole once every SVID was seen signed: at once after a start of the agent that was seen,
// else when all that were there before must have been renewed. SVIDs that go are not told apart
// either; they are waited for until they would have been renewed.
//
// SVIDs that live shorter than the rest show when more is renewed than is old enough. The ledger is
// then not whole for two lives. A few among many that are renewed all the time do not show: the
// lifetime that it is given has to be the shortest.
//
// A server that cannot sign refuses each SVID of a batch by itself, and the agent counts the call
// as a success all the same. It then asks again twice a second for what was refused, without
// announcing it and without holding more afterwards: three times are a refusal. What the batch was
// taken for is taken back, and until such calls have ended nothing counts as signed or as synced.
//
// Not safe from several threads. At most kRecordsMax signings are told apart: older ones are put
// together under the older time. A call costs at most a walk over them.
class RenewalLedger {
 public:
  static constexpr size_t kRecordsMax = 4096;
  // How much sooner than its likeliest place the first end is told where it is not certain.
  static constexpr Duration kMargin = std::chrono::seconds(10);
  // SPIRE's limit of SVIDs in one call.
  static constexpr uint64_t kBatchMax = 500;

  struct Group {
    SystemTime expiry;
    uint64_t count = 0;
  };
  struct Standing {
    bool whole = false;
    // Some are renewed sooner than the lifetime that is known allows: nothing follows from it.
    bool shorter_lives = false;
    // Rising; without those whose signing was not seen. The first is moved as said above.
    std::vector<Group> groups;
    Duration sooner{0}, later{0};
  };

  // The lifetime that SVIDs are issued with, without the back-dating; nothing while it is not
  // known.
  void SetTtl(std::optional<Duration> ttl);

  // A new process of the agent: its cache is empty.
  void OnStarted(SteadyTime now);
  // Something was missed: what is held is of any age.
  void OnDoubt(SteadyTime now);
  void OnExpiring(uint64_t svids, const Instant& at, SteadyTime now);
  void OnOutdated(uint64_t svids, const Instant& at, SteadyTime now);
  // A batch was signed, in a call that took so long.
  void OnSigned(const Instant& at, Duration took, SteadyTime now);
  void OnSignFailed(SteadyTime now);
  void OnSynced(const Instant& at, SteadyTime now);
  void OnCached(uint64_t svids, const Instant& at, SteadyTime now);
  // About once a second.
  void Tick(SteadyTime now) { Settle(now); }

  // The last sync that left nothing unsigned, known a second later.
  std::optional<Instant> last_sync() const { return last_sync_; }
  std::optional<uint64_t> cached() const { return cached_; }
  // What is due is refused, as of the last batch or retry.
  bool refused() const { return refused_.has_value(); }
  Standing Read(const Instant& now) const;

 private:
  struct Record {
    Instant at;
    uint64_t count = 0;
  };
  // Announced, and not yet known to be signed.
  struct Pending {
    uint64_t expiring = 0;
    uint64_t outdated = 0;
    Instant at;
    SteadyTime seen;
    bool failed = false;
  };

  // All that one batch changes, as it was before.
  struct Before {
    std::deque<Record> records;
    uint64_t issued, taken, gone, unexplained, unseen;
    bool sure;
    std::optional<SteadyTime> unsure_since;
    std::optional<Instant> last_sync;
    uint64_t renewed;  // by the batch, which was announced at
    Instant at;
    SteadyTime seen;
    bool retrying;  // something else was refused already
  };
  // Calls that nobody announced and that brought nothing.
  struct Retries {
    int count = 0;
    SteadyTime first, last;
  };
  // What servers refuse to sign: so many were due at `at`, the last announcement of that many;
  // `latest` were at the last one.
  struct Refused {
    uint64_t due;
    Instant at;
    SteadyTime since;  // ... that due is what it is
    uint64_t latest;
    Instant latest_at;
    SteadyTime latest_seen;
  };

  // Ages, since the signing, between which an SVID is renewed.
  Duration RenewedFrom() const;
  Duration RenewedUntil() const;
  uint64_t Held() const { return signed_ - taken_ - gone_ + unseen_; }
  // Counts for something when it is looked at again a second later: names come in any order.
  void Settle(SteadyTime now);
  // The Pending for an event of now.
  Pending& Announced(const Instant& at, SteadyTime now);
  void MaybeSignedAlready(const Instant& at, SteadyTime now);
  void Sign(const Instant& at, SteadyTime now);
  void OnUnannounced(SteadyTime now, Duration took);
  void CountRetry(SteadyTime now);
  void Refuse();
  bool StillRefused(SteadyTime now);
  void Add(const Instant& at, uint64_t count);
  void Take(uint64_t count, const Instant& at);
  void LetGo(uint64_t count);
  void DropAged(SteadyTime before);
  const Record& RecordAt(uint64_t offset) const;
  SystemTime ExpiryOf(const Instant& at, const Instant& now) const;

  std::optional<Duration> ttl_;
  std::deque<Record> records_;
  uint64_t signed_ = 0;       // sum of the counts of records_
  uint64_t taken_ = 0;        // of the first of them: renewed since all were last told apart
  uint64_t gone_ = 0;         // of the rest: no longer held, nobody knows which
  uint64_t unexplained_ = 0;  // dropped as too old, and not known to be gone
  uint64_t unseen_ = 0;       // held, and signed before anything was seen
  bool sure_ = false;         // but for what is unseen, every signing is known
  std::optional<SteadyTime> unsure_since_;
  SteadyTime doubted_;                      // the last time that something was missed
  std::optional<SteadyTime> shorter_seen_;  // a renewal of one that lives shorter than ttl_
  std::optional<uint64_t> cached_;
  std::optional<Pending> pending_;
  std::optional<SteadyTime> signed_seen_;  // the last batch
  std::optional<Instant> synced_;          // not settled yet
  SteadyTime synced_seen_;
  std::optional<Instant> last_sync_;
  std::optional<Before> before_;                     // the last batch
  std::optional<SteadyTime> grew_seen_, held_seen_;  // when more were told to be held, or not
  std::optional<SteadyTime> unannounced_;            // a call that may be a retry
  Duration unannounced_took_{0};
  Retries retries_;
  uint64_t left_over_ = 0;  // announced, beyond what one call can have
  std::optional<Refused> refused_;
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_RENEWAL_LEDGER_H_
