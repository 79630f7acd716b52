// The interface that every source of metrics implements, and what the framework promises in return.
#ifndef EXPORTER_COLLECT_COLLECTOR_H_
#define EXPORTER_COLLECT_COLLECTOR_H_

#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "exporter/collect/facts.h"
#include "exporter/metrics/family.h"

namespace spire_exporter {

struct CollectContext {
  Deadline deadline;     // absolute; goes into every call, statement and read
  std::stop_token stop;  // set once, at shutdown or when the target is taken away
  const Clock& clock;
  const FactsBoard& facts;
};

// What one call brought. A reading may be partial: families that could not be read are missing from
// it, and `problem` says why; the runner then counts the call as failed and still publishes what is
// there.
struct Reading {
  FamilyBuilder families;
  std::vector<Fact> facts;
  Status problem;
};

// Watches one target (one database node, one endpoint, or the one thing there is). The runner calls
// Collect() from one thread of its own, never twice at once, and measures it; a scrape never calls
// it.
//
// Collect() returns within 100 ms of its deadline, or sooner once stop is requested; owns its
// handles; holds no lock while it waits; and does not log what it returns. On an error the runner
// keeps the last reading until the age_max of each of its families.
class Collector {
 public:
  virtual ~Collector() = default;

  // `telemetry`: the value of the label `collector`. Constant.
  virtual std::string_view Name() const = 0;
  // What tells this target from the collector's others, never an address: `scrape`, `rw/0`.
  // Constant.
  virtual std::string_view Target() const = 0;
  // Every option that shapes this target, as text. Two collectors of one name, target and
  // fingerprint are interchangeable, so that a reload leaves the running one alone.
  virtual std::string Fingerprint() const = 0;
  // May follow what was read last; safe from any thread.
  virtual Duration Period() const = 0;
  virtual Duration Timeout() const = 0;

  virtual Result<Reading> Collect(const CollectContext& context) = 0;
};

// A source that has a thread of its own and is always current: the DogStatsD stream.
class LiveSource {
 public:
  virtual ~LiveSource() = default;

  // The state as of now, or, when the source does not answer by the deadline, the last one it gave
  // (then its `taken` tells the age). Null only before the first. Safe from any thread; concurrent
  // callers share one snapshot.
  virtual std::shared_ptr<const Snapshot> Acquire(const Deadline& deadline) = 0;
};

}  // namespace spire_exporter

#endif  // EXPORTER_COLLECT_COLLECTOR_H_
