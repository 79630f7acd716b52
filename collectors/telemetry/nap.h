// When the ingest thread leaves a stream of UDP in its socket for a while.
#ifndef COLLECTORS_TELEMETRY_NAP_H_
#define COLLECTORS_TELEMETRY_NAP_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "exporter/base/clock.h"

namespace spire_exporter::telemetry {

// A nap that gathers more than so many datagrams saves nothing more.
inline constexpr size_t kNapDatagrams = 64;

// Decides after each turn of reading. A nap is worth it where datagrams come steadily, some 400 to
// 12,800 a second: more seldom it gathers nothing, and of a flood it would make a backlog that is
// cold when it is read. So the rate of the last 20 ms has to be known first, and whoever has not
// sent for as long starts anew.
//
// Not safe from several threads.
class NapPacer {
 public:
  // How long the next wait may leave UDP alone, in ms; 0 is not at all. `datagrams` of UDP have
  // been read in the turn that ended at `now`; `buffer` is the smallest receive buffer, in bytes as
  // the kernel accounts for them. A nap never takes longer than a burst of 50,000 full datagrams a
  // second needs to fill half of it: with the buffer that Linux grants by default there is none.
  int AfterTurn(size_t datagrams, SteadyTime now, size_t buffer);

 private:
  std::optional<SteadyTime> last_;  // when a turn brought datagrams
  SteadyTime since_;                // of the stretch that is being counted
  size_t count_ = 0;
  bool steady_ = false;  // the stretch before it had the rate of a nap
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_NAP_H_
