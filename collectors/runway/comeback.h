// Whether the agent beside this process would return if it were restarted now.
#ifndef COLLECTORS_RUNWAY_COMEBACK_H_
#define COLLECTORS_RUNWAY_COMEBACK_H_

#include <array>
#include <optional>
#include <string_view>

#include "collectors/clients/spire/runway_facts.h"

namespace spire_exporter::runway {

// Each may hold beside others. kUnknown: something that decides is not known.
enum class Reason {
  kNoServer,         // none of the servers answers from here
  kBundle,           // the bundle held does not verify the servers' live chain
  kBootstrapBundle,  // nor does, or nor would, the one that an agent begins with
  kRebootstrapOff,   // the bundle held is of no use, and the agent may not fetch another
  kSvidEnded,        // its own SVID has ended: it must attest anew
  kAttestor,         // it must, for that or for another bundle, and its attestor lets nobody twice
  kNotIssuing,       // servers answer and sign nothing: what it held it would not get again
  kUnknown,
};
inline constexpr std::array<std::string_view, 8> kReasonNames = {"no_server",
                                                                 "bundle_unverified",
                                                                 "bootstrap_bundle_unverified",
                                                                 "rebootstrap_off",
                                                                 "svid_ended",
                                                                 "attestor_cannot",
                                                                 "not_issuing",
                                                                 "unknown"};

struct Comeback {
  std::string_view state;  // yes, no, unknown
  std::array<bool, kReasonNames.size()> reasons{};

  bool Has(Reason reason) const { return reasons[static_cast<size_t>(reason)]; }
};

// Null: not known. `svid_ended`: whether the agent's own SVID has; of the servers what was seen of
// late; `not_issuing`: whether the agent was refused what it asked them to sign. The agent is taken
// to keep its data folder; one that loses it begins with its bootstrap bundle, so that a bad one is
// a reason all the same. Pure.
Comeback JudgeComeback(const spire::ServersFact* servers, const spire::SpireConfigFact* config,
                       std::optional<bool> svid_ended, bool not_issuing = false);

// Whether an attestor of that name lets an agent attest a second time. Absent of unknown ones.
// As the server plugins of SPIRE 1.15 answer `can_reattest`.
std::optional<bool> CanReattest(std::string_view attestor);

}  // namespace spire_exporter::runway

#endif  // COLLECTORS_RUNWAY_COMEBACK_H_
