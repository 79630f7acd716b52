// How long identities last if nothing is issued any more, from what others have seen.
#ifndef COLLECTORS_RUNWAY_RUNWAY_JUDGE_H_
#define COLLECTORS_RUNWAY_RUNWAY_JUDGE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/spire/runway_facts.h"
#include "collectors/runway/comeback.h"
#include "collectors/runway/runway_options.h"
#include "exporter/base/clock.h"
#include "exporter/collect/facts.h"

namespace spire_exporter::runway {

// One source of one clock.
struct SourceView {
  std::string_view clock;   // workload, agent
  std::string_view source;  // workload: ledger, bound; agent: cache, ledger, datastore
  // current:  as of now
  // kept:     the last that was whole; its source is silent, or no longer whole
  // doubtful: others than SPIRE could have said it; held against what is known otherwise, and
  //           without a value where nothing is
  // partial:  not whole yet, or some live shorter than is known, so there is no value
  // absent:   nothing was seen
  std::string_view state = "absent";
  // Below zero once it has passed: since when.
  std::optional<Duration> runway;
  Duration sooner{0}, later{0};
};

inline constexpr std::array<int64_t, 4> kWithinMinutes = {5, 15, 30, 60};
inline constexpr std::array<std::string_view, 4> kWithinNames = {"5m", "15m", "30m", "60m"};

struct ExpiringView {
  std::string_view clock;
  std::array<std::optional<uint64_t>, kWithinMinutes.size()> within;
};
struct ClassView {
  std::string_view clock;
  std::string name;
  Duration runway{0};
};

struct RunwayView {
  std::string_view issuing = "unknown";  // yes, no, unknown
  std::vector<SourceView> sources;
  std::vector<ExpiringView> expiring;
  std::vector<ClassView> classes;
  std::optional<Duration> jwt, ca;
  std::optional<Comeback> comeback;  // beside an agent
};

// Remembers the last good word of each source, since they fall silent exactly when it matters. A
// word is dropped when identities are issued and its source has been silent for two minutes, and
// when it passed an hour ago and nothing says that nothing is issued.
//
// What is left of a life is counted by the system's clock and by the steady one since it was seen,
// and the less of both counts: a clock that is set, either way, makes nothing longer.
//
// Not safe from several threads. Holds a fact a source.
class RunwayJudge {
 public:
  explicit RunwayJudge(const RunwayOptions& options) : options_(options) {}

  RunwayView Judge(const FactsBoard& facts, SteadyTime steady, SystemTime system);

 private:
  // The time of one clock at an instant of the other, when a word was first seen.
  struct Seen {
    SteadyTime at = SteadyTime::min();
    SystemTime::duration offset{0};
  };
  struct Source {
    std::string_view subject, clock, source;
    bool whole_only = false;
    Seen seen;
    std::shared_ptr<const spire::Horizon> last;  // the last whole one
    SteadyTime at;
  };
  struct Now {
    SteadyTime steady;
    SystemTime system;
    std::string_view issuing;
  };

  static void See(SteadyTime at, const Now& now, Seen* seen);
  static Duration Left(SystemTime end, const Seen& seen, const Now& now);
  static bool Dropped(Duration left, SteadyTime at, const Now& now, Duration fresh_for);
  std::string_view Issuing(const FactsBoard& facts, const Now& now) const;
  Duration SyncInterval(const FactsBoard& facts) const;
  void TakeLife(const FactsBoard& facts);
  SourceView ViewOf(Source& source, const FactsBoard& facts, const Now& now);
  SourceView Bound(const FactsBoard& facts, const Now& now);
  void HoldLedger(const FactsBoard& facts, const Now& now, bool anybody_could_say,
                  const SourceView& bound, SourceView* ledger) const;
  void AddEnds(const FactsBoard& facts, const Now& now, RunwayView* all) const;
  static void Expiring(const Source& source, const SourceView& view, const Now& now,
                       RunwayView* all);
  Comeback JudgeReturn(const FactsBoard& facts, const Now& now, const RunwayView& all) const;

  const RunwayOptions options_;
  std::array<Source, 4> sources_ = {
      Source{"workload/ledger", "workload", "ledger", true, {}, nullptr, {}},
      Source{"agent/cache", "agent", "cache", false, {}, nullptr, {}},
      Source{"agent/ledger", "agent", "ledger", false, {}, nullptr, {}},
      Source{"agent/datastore", "agent", "datastore", false, {}, nullptr, {}}};
  Seen sync_, canary_, servers_;
  std::optional<SystemTime> synced_;  // the last one seen, and when
  SteadyTime synced_at_;
  std::optional<Duration> life_;  // of SVIDs, back-dating included
};

}  // namespace spire_exporter::runway

#endif  // COLLECTORS_RUNWAY_RUNWAY_JUDGE_H_
