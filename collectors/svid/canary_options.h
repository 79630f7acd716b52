// What the canary is told.
#ifndef COLLECTORS_SVID_CANARY_OPTIONS_H_
#define COLLECTORS_SVID_CANARY_OPTIONS_H_

#include <string>

#include "exporter/base/clock.h"

namespace spire_exporter::svid {

struct CanaryOptions {
  std::string socket;  // the Workload API, `unix:///run/spire/agent.sock`; empty: no canary
  // Of the tokens that are asked for, followed by a number: `spire-exporter-canary-7`. Nobody
  // accepts it.
  std::string audience = "spire-exporter-canary";
  // Of the entry that is the canary's; empty: the first SVID that is served. Tokens are asked for
  // it by name, so that one is signed and not one for every entry.
  std::string spiffe_id;
  Duration interval = std::chrono::seconds(15);
  Duration timeout = std::chrono::seconds(5);
};

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_CANARY_OPTIONS_H_
