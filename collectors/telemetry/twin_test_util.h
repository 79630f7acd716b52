// The fast path of the store held against its slow one, for tests and the fuzzer.
#ifndef COLLECTORS_TELEMETRY_TWIN_TEST_UTIL_H_
#define COLLECTORS_TELEMETRY_TWIN_TEST_UTIL_H_

#include <string>
#include <string_view>

#include "collectors/telemetry/store.h"
#include "exporter/base/clock.h"

namespace spire_exporter::telemetry {

// The same lines, each with a carriage return at its end, which parsing takes off again: no memo
// holds such a spelling, so every line goes the slow way. Lines that end in one are left alone.
std::string SlowSpelling(std::string_view datagram);

// Two stores that are told the same, one in the slow spelling.
class Twins {
 public:
  explicit Twins(const StoreOptions& options) : fast_(options, clock_), slow_(options, clock_) {}

  void Feed(std::string_view datagram, bool truncated);
  ManualClock& clock() { return clock_; }
  const ListenerCounts& counts() const { return fast_counts_; }

  // Everything that the stores and ledgers would show, with all bits of all numbers; empty when it
  // is the same of both, else where they part.
  std::string Difference();

 private:
  ManualClock clock_;
  Store fast_;
  Store slow_;
  ListenerCounts fast_counts_;
  ListenerCounts slow_counts_;
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_TWIN_TEST_UTIL_H_
