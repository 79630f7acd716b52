// When to look at which servers, so that many who look are no burden to few who are looked at.
#ifndef COLLECTORS_SVID_REACH_SCHEDULE_H_
#define COLLECTORS_SVID_REACH_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "exporter/base/clock.h"

namespace spire_exporter::svid {

// While all is well and as it was, a round looks at a quarter of the addresses in turn, so that
// each is seen at least every fourth round. After a change the next round comes after a quarter of
// the interval, then twice that, until the interval again: a change of any kind costs two rounds
// more and not a new pace. All delays are drawn from 0.8 to 1.2 of that, so that processes that
// started together do not look together. Not safe from several threads.
class ReachSchedule {
 public:
  // `seed` differs from process to process.
  ReachSchedule(Duration interval, uint64_t seed);

  // Which of `count` addresses this round looks at, by place.
  std::vector<bool> Next(size_t count);
  // How it went. `changed`: something is not as the round before had it. `well`: all serve, with
  // one view. Gives the time until the next round.
  Duration Done(bool changed, bool well);

 private:
  uint64_t Random();

  const Duration interval_;
  Duration step_;
  uint64_t state_;
  size_t turn_;
  bool calm_ = false;
};

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_REACH_SCHEDULE_H_
