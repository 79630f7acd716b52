// What one line of the stream costs, for the benchmarks.
#ifndef COLLECTORS_TELEMETRY_LINE_BENCH_H_
#define COLLECTORS_TELEMETRY_LINE_BENCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "collectors/telemetry/store.h"
#include "exporter/base/clock.h"

namespace spire_exporter::telemetry {

// A store and datagrams as SPIRE's client writes them: some 300 series, half of the lines timers
// and half counters, in random order, about 75 bytes each.
class LineBench {
 public:
  // `lines` in datagrams of up to `datagram_max` bytes; the same seed makes the same ones.
  LineBench(size_t lines, size_t datagram_max, uint64_t seed);

  // Parses, looks up and observes all lines once. Every series exists already.
  void Run();
  size_t lines() const { return lines_; }
  size_t bytes() const { return bytes_; }
  const std::vector<std::string>& datagrams() const { return datagrams_; }
  // Zero, or the numbers mean nothing.
  uint64_t rejected() const;

 private:
  size_t lines_;
  size_t bytes_ = 0;
  std::vector<std::string> datagrams_;
  ManualClock clock_;
  Store store_;
  ListenerCounts counts_;
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_LINE_BENCH_H_
