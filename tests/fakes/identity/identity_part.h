// The part of spire-sim that has identities: a server or an agent beside its telemetry.
#ifndef TESTS_FAKES_IDENTITY_IDENTITY_PART_H_
#define TESTS_FAKES_IDENTITY_IDENTITY_PART_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "tests/fakes/identity_options.h"
#include "tests/fakes/simulator.h"

namespace spire_exporter::fakes {

// Stepped by the thread that steps the simulator, whose telemetry and health it writes. Each
// certificate and token that is issued adds a line to `expiries`: Unix seconds, `server`, `ca`,
// `agent`, `workload` or `jwt`, what it is for, Unix seconds of its end, separated by tabs.
class IdentityPart {
 public:
  // `simulator` and `clock`, a real one, outlive it.
  static Result<std::unique_ptr<IdentityPart>> Start(const IdentityOptions& options,
                                                     Simulator* simulator, const Clock& clock);
  virtual ~IdentityPart() = default;

  // False once it has ended, as an agent does whose own SVID is over; the telemetry is then still
  // to be sent.
  virtual bool Step() = 0;
  // A command of the control listener; nothing when it is none of this part's.
  //
  //   signing well|denied|SECONDS       a server's key manager
  //   database well|down|hung           as a server stands beside it
  //   port well|refuse|accept-only|reset|drip
  virtual std::optional<Result<std::string>> Command(std::string_view line) = 0;

 protected:
  IdentityPart() = default;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_IDENTITY_PART_H_
