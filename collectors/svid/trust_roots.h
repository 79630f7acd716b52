// What is trusted here: by the agent that serves this place, and by the file that agents start
// with.
#ifndef COLLECTORS_SVID_TRUST_ROOTS_H_
#define COLLECTORS_SVID_TRUST_ROOTS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/spire/call.h"
#include "collectors/clients/spire/workload_api.h"

namespace spire_exporter::svid {

// How a set of authorities could be had.
enum class RootsState { kOk, kDenied, kUnavailable, kMalformed };
// `ok`, `denied`, `unavailable`, `malformed`.
std::string_view RootsStateName(RootsState state);

struct TrustedRoots {
  RootsState state = RootsState::kUnavailable;
  std::vector<std::string> certificates;                // DER; empty unless the state is ok
  std::optional<std::vector<std::string>> jwt_key_ids;  // absent where they are not told
  std::string agent_domain;  // that the agent serves this place as; empty unless asked and told
};

// A file of at most 512 KiB, read anew each time.
TrustedRoots ReadBootstrapBundle(const std::string& path);

// Whose bundle is asked for, `example.org`.
struct WantedDomain {
  std::string known;      // empty: the agent is asked which one it serves this place as
  std::string otherwise;  // where the agent does not tell
};

// What the agent serves of that trust domain. Two calls to it, a third where it has several bundles
// and none is known. Denied when no entry is for us.
TrustedRoots FetchHeldBundle(const spire::WorkloadApi& api, const WantedDomain& wanted,
                             const spire::Call& call);

// spiffe::TrustFingerprint() as a number, which a sample holds exactly: 48 bits.
uint64_t TrustNumber(std::span<const std::string> authorities);

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_TRUST_ROOTS_H_
