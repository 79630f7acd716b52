// The command line of spire-sim.
#ifndef TESTS_FAKES_SIM_OPTIONS_H_
#define TESTS_FAKES_SIM_OPTIONS_H_

#include <optional>
#include <span>
#include <string>

#include "tests/fakes/endpoints.h"
#include "tests/fakes/identity_options.h"
#include "tests/fakes/simulator.h"

namespace spire_exporter::fakes {

struct SimOptions {
  SimulatorOptions simulator;
  EndpointOptions endpoints;
  DisturbanceRates rates;
  IdentityOptions identity;
  std::string truth;  // a file; empty: none
  std::optional<Duration> run_for;
  bool help = false;
};

// Arguments without the program's name, as `--flag=value` or `--flag value`.
Result<SimOptions> ParseSimOptions(std::span<const char* const> arguments);
std::string SimUsage();

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_SIM_OPTIONS_H_
