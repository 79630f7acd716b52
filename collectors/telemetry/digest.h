// What others need to know of SPIRE's telemetry, made from snapshots as they follow each other.
#ifndef COLLECTORS_TELEMETRY_DIGEST_H_
#define COLLECTORS_TELEMETRY_DIGEST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/clients/spire/agent_facts.h"
#include "exporter/base/clock.h"
#include "exporter/metrics/family.h"

namespace spire_exporter::telemetry {

struct DigestView {
  std::optional<spire::AgentTelemetryFact> agent;  // absent while no agent speaks
  // `1.15.3`; empty while unknown.
  std::string agent_version, server_version;
};

// `1_15_3`, as telemetry spells it, or `1.15.3-rc1`: `1.15.3`. Empty for anything else.
std::string PlainVersion(std::string_view text);

// Not safe from several threads. Cost: a pass over the families and the few series it needs.
class Digest {
 public:
  // `snapshot` is newer than the one before. `stream_speaks`: what is new in it came by the stream,
  // in this moment; else it came with the last page, and happened since the page before.
  DigestView Take(const Snapshot& snapshot, bool stream_speaks, SteadyTime now, SystemTime wall);

 private:
  struct Seen {
    std::optional<double> uptime;
    std::optional<double> page;  // when the last one came, Unix time
    uint64_t good = 0, bad = 0, svids_bad = 0;
    std::optional<double> x509, jwt;
    std::optional<double> bootstrapped;
    bool rebootstrap_began = false;
    std::string agent_version, server_version;
  };
  static Seen Read(const Snapshot& snapshot);
  // The time since which what is new must have happened; absent when that is not known.
  std::optional<SystemTime> Since(bool stream_speaks, SteadyTime now, SystemTime wall) const;
  void FollowSyncs(const Seen& seen, std::optional<SystemTime> since);
  void FollowStart(double uptime, SystemTime wall);

  std::optional<SteadyTime> looked_;  // when the last snapshot was taken in
  std::optional<double> page_, page_before_;
  uint64_t good_ = 0, bad_ = 0, svids_bad_ = 0;
  std::optional<spire::UnixTime> last_sync_;
  uint64_t failed_ = 0;
  std::optional<double> uptime_;
  std::optional<double> started_;  // Unix time
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_DIGEST_H_
