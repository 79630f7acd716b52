// How the agent beside this process stands, from its admin socket where that is mounted and
// answers, else from what telemetry tells, else from what was last known.
#ifndef COLLECTORS_AGENT_STATE_JUDGE_H_
#define COLLECTORS_AGENT_STATE_JUDGE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "collectors/clients/spire/agent_admin.h"
#include "collectors/clients/spire/agent_facts.h"
#include "collectors/clients/spire/runway_facts.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::agent {

// Of the admin socket. `svid_unverified`: the agent's own SVID has ended or no longer verifies
// against its bundle; it then tells nothing at all. `off`: not configured.
inline constexpr std::array<std::string_view, 7> kAdminStates = {
    "denied", "failed", "off", "ok", "svid_unverified", "timeout", "unreachable"};

// Of the agent's synchronisation with the servers.
//   current  the last good one is no older than two intervals and ten seconds
//   late     older, and no try has been seen to fail
//   failing  tries have failed since the last good one, and the agent backs off
//   stalled  older than the longest back-off, and no try has been seen to fail
//   never    the agent says that none has succeeded yet
//   unknown  nothing tells it
inline constexpr std::array<std::string_view, 6> kSyncStates = {"current", "failing", "late",
                                                                "never",   "stalled", "unknown"};
inline constexpr std::array<std::string_view, 4> kBootstrapStates = {"bootstrapping", "done",
                                                                     "rebootstrapping", "unknown"};

// Where a part of what is told comes from. `kept`: from before its source fell silent; `none`:
// nothing is told.
enum class Source { kNone, kKept, kTelemetry, kAdminSocket };
inline constexpr std::array<std::string_view, 4> kSources = {"admin_socket", "kept", "none",
                                                             "telemetry"};
std::string_view SourceName(Source source);

struct Sources {
  // The answer of this round; absent when the socket is not configured.
  std::optional<Result<spire::AgentInfo>> admin;
  // Null while no agent speaks.
  std::shared_ptr<const spire::AgentTelemetryFact> telemetry;
  Duration sync_interval = std::chrono::seconds(5);
};

struct StateView {
  std::string_view admin = "off";
  std::optional<SystemTime> admin_last;  // the last good answer

  Source sync_source = Source::kNone;
  std::optional<spire::UnixTime> last_sync;
  std::string_view sync = "unknown";
  std::optional<double> gap_ratio;    // time since the last good one, in intervals
  std::optional<uint64_t> failures;   // tries since then
  std::optional<Duration> next_wait;  // between the last try and the next

  Source cache_source = Source::kNone;
  std::optional<uint64_t> x509, jwt, svidstore;

  Source svid_source = Source::kNone;
  std::optional<spire::UnixTime> svid_expiry;  // of the agent's own
  std::optional<double> svid_remaining_ratio;  // of the lifetime that a renewal was seen to give

  Source start_source = Source::kNone;
  std::optional<spire::UnixTime> started;

  std::string_view bootstrap = "unknown";

  // What this round has to publish.
  std::optional<spire::SyncFact> sync_fact;
  std::optional<spire::Horizon> horizon;
};

// The wait that SPIRE's agent makes after `failures` tries in a row: the interval times 1.5 for
// each, up to 48 intervals and eight minutes, but never less than the interval; it adds up to a
// tenth of jitter (pkg/agent/manager, pkg/common/backoff).
Duration SyncWait(Duration interval, uint64_t failures);

// Not safe from several threads. Ages are measured by the steady clock from the moment in which a
// new value was seen, so that a step of the wall clock makes no sync look late.
class StateJudge {
 public:
  StateView Judge(const Sources& sources, SteadyTime now, SystemTime wall);

 private:
  void TakeAdmin(const spire::AgentInfo& info, SteadyTime now, SystemTime wall);
  void JudgeSync(const Sources& sources, SteadyTime now, SystemTime wall, StateView& view);
  void JudgeCaches(bool fresh, bool speaks, StateView& view) const;
  void JudgeSvid(bool fresh, SystemTime wall, StateView& view) const;
  void JudgeStart(bool fresh, bool speaks, StateView& view) const;

  std::optional<spire::AgentInfo> info_;  // the last good answer of the socket,
  std::optional<SteadyTime> info_at_;     // when it came,
  std::optional<SystemTime> info_wall_;
  std::optional<spire::UnixTime> admin_start_;  // and when its process started
  std::optional<std::chrono::seconds> lifetime_;
  std::optional<spire::AgentTelemetryFact> heard_;  // what telemetry told last,
  std::optional<SteadyTime> heard_at_;              // and when

  std::optional<SteadyTime> first_;  // the first round in which a source spoke
  std::optional<SteadyTime> last_round_;
  std::optional<spire::UnixTime> last_sync_;
  SteadyTime synced_;  // when last_sync_ was, by the steady clock
};

}  // namespace spire_exporter::agent

#endif  // COLLECTORS_AGENT_STATE_JUDGE_H_
