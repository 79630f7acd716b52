// What an attempt of the canary came to. Pure, without an agent.
#ifndef COLLECTORS_SVID_CANARY_JUDGE_H_
#define COLLECTORS_SVID_CANARY_JUDGE_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/spiffe/jwt_svid.h"
#include "collectors/clients/spiffe/x509_svid.h"
#include "collectors/clients/spire/workload_api.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::svid {

enum class CanaryOperation { kX509, kJwt, kBundle };
// The label `operation`, in the order of the enum.
inline constexpr std::array<std::string_view, 3> kCanaryOperations = {"x509", "jwt", "bundle"};

// README.md says what each means and what to do.
enum class CanaryOutcome {
  kOk,
  kNoEntry,
  kDenied,
  kAgentGone,
  kServerPath,
  kTimeout,
  kExpired,
  kNotYetValid,
  kUnverifiable,
  kMalformed,
  kFailed,
};
// The label `outcome`, in the order of the enum.
inline constexpr std::array<std::string_view, 11> kCanaryOutcomes = {
    "ok",      "no_entry",      "denied",       "agent_gone", "server_path", "timeout",
    "expired", "not_yet_valid", "unverifiable", "malformed",  "failed"};

// Of a call that failed. An agent that has answered in this round and says kUnavailable means its
// way to the servers; one that has not is gone itself.
CanaryOutcome OutcomeOf(const Error& error, bool agent_answers);
// Of what was served: an agent serves what has expired and what nobody can verify as if all were
// well.
CanaryOutcome OutcomeOf(spiffe::Verdict verdict);

// The SVID of that id, or the first for an empty one; null when there is none.
const spire::X509Svid* FindCanary(const spire::X509Context& context, const std::string& spiffe_id);

// What is told of the canary's X.509-SVID.
struct CanarySvid {
  CanaryOutcome outcome = CanaryOutcome::kFailed;
  std::string spiffe_id;                  // for the next calls; never shown
  std::optional<spiffe::LeafFacts> leaf;  // when it could be read, good or not
  std::vector<std::string> roots;         // DER
};
CanarySvid JudgeX509(const spire::X509Svid& svid, SystemTime now);

// Of the bundles that came beside: how many, and when the first of their authorities that have not
// ended yet does.
struct FederatedSummary {
  size_t bundles = 0;
  size_t unreadable = 0;
  std::optional<std::chrono::sys_seconds> first_expiry;
};
FederatedSummary SummariseFederated(const spire::X509Context& context, SystemTime now);

// Audiences that come back only when the token that was signed for them has ended, however long
// each was signed for: agents never drop an ended token, so that ever new ones would fill their
// cache, and answer from it while one has not. Not safe from several threads.
class AudienceRing {
 public:
  static constexpr size_t kSizeMax = 300;  // of a cache of 1000

  // Goes on where a process before this one has stopped, as far as `started` tells, so that the
  // first tokens after a start are new ones too.
  AudienceRing(std::string prefix, Duration interval, SystemTime started);

  // The audience of the next attempt: the one before again when no token came for it.
  std::string Next(SystemTime now);
  // A token came for the audience that Next() gave last. True when it was signed for this attempt,
  // as its issue says: another than that of the last token for it. False while that is not known:
  // of the first round after a start an older process may have asked for the same.
  bool Signed(const spiffe::JwtFacts& token, SystemTime asked);

  // Audiences with a token.
  size_t size() const { return used_.size(); }

 private:
  struct Used {
    size_t audience = 0;
    std::optional<std::chrono::sys_seconds> issued;
    std::chrono::sys_seconds ends;
  };

  const std::string prefix_;
  const size_t first_;
  std::deque<Used> used_;  // the longest ago first
  bool again_ = false;     // the next is the first of them
};

// How far the clock of whoever signed is ahead of ours (behind: negative), from a token that was
// signed between the two moments; nothing while that is within a second, which is all a token
// tells. SPIRE back-dates by 10 s: whoever is further ahead signs what is not valid here yet.
std::chrono::seconds ClockOffset(std::chrono::sys_seconds issued, SystemTime asked,
                                 SystemTime answered);

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_CANARY_JUDGE_H_
