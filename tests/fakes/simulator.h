// One SPIRE server or agent, as far as a sidecar sees its telemetry.
#ifndef TESTS_FAKES_SIMULATOR_H_
#define TESTS_FAKES_SIMULATOR_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "tests/fakes/disturbance.h"
#include "tests/fakes/dogstatsd_client.h"
#include "tests/fakes/emitter.h"
#include "tests/fakes/metrics_page.h"
#include "tests/fakes/player.h"
#include "tests/fakes/schedule.h"

namespace spire_exporter::fakes {

struct SimulatorOptions {
  EmitterOptions emitter;
  LoadOptions load;
  std::vector<std::string> streams;  // one client each
  uint64_t seed = 1;
};

enum class Health {
  kWell,
  kFailing,     // the datastore does not answer
  kRefusing,    // a server whose keys do not sign
  kUnattested,  // an agent without an SVID: alive, not ready
};

// Time comes from the clock alone: with a manual clock, steps of at most 100 ms give the beat of
// the client's flushes, and a seed gives the same bytes every time. The seam for what comes later:
// gRPC and TLS sides stand beside the page and the clients and read the same options.
//
// Not safe from several threads.
class Simulator {
 public:
  using Dialler = std::function<Result<std::unique_ptr<DatagramWriter>>(std::string_view address,
                                                                        const ClientDialect&)>;

  // Starts at once. `truth` may be null and outlives the simulator.
  static Result<std::unique_ptr<Simulator>> Start(SimulatorOptions options, const Clock& clock,
                                                  std::ostream* truth,
                                                  Dialler dial = DialDatagrams);
  ~Simulator();

  // Does what is due.
  void Step();
  // For whoever has true identities: tells what they do in this life.
  void Tell(const std::function<void(Player*)>& story);
  // When to step again.
  SteadyTime next() const;
  // Sockets without room that somebody waits for.
  std::vector<int> blocked_fds() const;

  // As after a crash: counters and uptime from zero, new sockets, what was buffered is lost.
  Status Restart();
  // SPIRE does nothing for a while; the client goes on flushing and reporting.
  void set_running(bool running);
  bool running() const { return running_; }
  Mood& mood() { return mood_; }
  LoadOptions& load() { return options_.load; }  // takes effect with the next Restart()
  DisturbanceRates& disturbance() { return rates_; }
  Health health = Health::kWell;

  const SimulatorOptions& options() const { return options_; }
  std::string Page() const;
  std::string_view PageType() const;
  // The status and the JSON that the health listener answers with; 404 for another path.
  std::pair<int, std::string> HealthAnswer(std::string_view path) const;
  // A line per client of this and former lives: what became of lines and datagrams.
  std::string Summary() const;
  const DogStatsdClient& client(size_t index) const;
  // The share of the fleet's rate that is played: less than 1 when `fleet_lines` limits it.
  double fleet_share() const;

 private:
  struct Life;
  Simulator(SimulatorOptions options, const Clock& clock, std::ostream* truth, Dialler dial);
  Result<std::unique_ptr<Life>> Begin();
  std::string LifeSummary(const Life& life) const;

  SimulatorOptions options_;
  const Clock& clock_;
  std::ostream* const truth_;
  const Dialler dial_;
  bool running_ = true;
  Mood mood_;
  DisturbanceRates rates_;
  uint64_t lives_ = 0;
  std::string former_;  // summaries
  std::unique_ptr<Life> life_;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_SIMULATOR_H_
