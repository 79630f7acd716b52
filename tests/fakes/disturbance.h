// What does not belong in a healthy stream: floods, random tag values and bytes that are no lines.
#ifndef TESTS_FAKES_DISTURBANCE_H_
#define TESTS_FAKES_DISTURBANCE_H_

#include <vector>

#include "tests/fakes/emitter.h"
#include "tests/fakes/numbers.h"

namespace spire_exporter::fakes {

// Rates per second; zero is off.
struct DisturbanceRates {
  double flood = 0;    // lines, of the calls that the role makes anyway
  double garbage = 0;  // datagrams
  double tags = 0;     // lines of one key, each with a tag value never seen before
};

// Not safe from several threads. Everything handed in outlives it.
class Disturbance {
 public:
  Disturbance(Emitter* emitter, std::vector<DogStatsdClient*> clients, uint64_t seed);

  DisturbanceRates& rates() { return rates_; }
  bool active() const { return rates_.flood + rates_.garbage + rates_.tags > 0; }
  // Makes what is due since the last call; what is more than 100 ms late is not made up for.
  void Run(SteadyTime now);

 private:
  void FloodOnce();
  void GarbageOnce();
  void TagOnce(SteadyTime now);

  struct Call {
    Emitter::PreparedCall call;
    double median;
  };
  Emitter* const emitter_;
  const std::vector<DogStatsdClient*> clients_;
  Random random_;
  DisturbanceRates rates_;
  std::vector<Call> calls_;
  // Durations drawn beforehand: a logarithm per line would be most of a flood's cost.
  std::vector<double> factors_;
  SteadyTime last_{};
  double owed_flood_ = 0;
  double owed_garbage_ = 0;
  double owed_tags_ = 0;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_DISTURBANCE_H_
