// What looks at the servers come to. Pure, without a server.
#ifndef COLLECTORS_SVID_REACH_JUDGE_H_
#define COLLECTORS_SVID_REACH_JUDGE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/spiffe/x509_svid.h"
#include "collectors/clients/spire/authority.h"
#include "collectors/clients/spire/server_port.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::svid {

// A bundle as a server served it.
struct ServedView {
  uint64_t x509_number = 0;  // TrustNumber() of its X.509 authorities
  uint64_t jwt_number = 0;   // of the ids of those of tokens
  std::array<size_t, spire::kAuthorityTypes.size()> authorities{};  // by type
  std::optional<spire::UnixTime> first_expiry, last_expiry;         // of X.509 authorities
  std::optional<std::chrono::seconds> refresh_hint;
  uint64_t sequence_number = 0;
  std::string trust_domain;
  std::vector<std::string> certificates;  // DER; none when they are more than 512 KiB
};
std::shared_ptr<const ServedView> ViewOf(const spire::ServedBundle& served);

// What a server showed of itself in a handshake.
struct ShownChain {
  std::vector<std::string> chain;  // DER, the leaf first
  spiffe::LeafFacts leaf;
  // The first end of what is above the leaf: of the chain, and of the authority in its own bundle.
  std::optional<spire::UnixTime> above_not_after;
};
// Nothing when its leaf is no certificate.
std::optional<ShownChain> ReadShown(std::vector<std::string> chain,
                                    const spire::ServedBundle* served);

// What is known of one address, by the last look at it.
struct ServerState {
  spire::ServerStage ended = spire::ServerStage::kConnect;
  Code code = Code::kOk;  // of what ended it there
  SystemTime seen;        // when that was
  std::optional<ShownChain> shown;
  std::shared_ptr<const ServedView> served;  // null unless it ended at done
};

enum class ReachVerdict {
  kAllServing,
  kSomeServing,
  kUnreachable,  // no connection to any
  kNameUnknown,  // the name stands for no address
  kTlsBroken,    // connections, and no handshake
  kDatabase,     // handshakes, and the bundle fails or does not come
  kUnknown,      // handshakes, and something else than SPIRE's answer
};
inline constexpr std::array<std::string_view, 7> kReachVerdicts = {
    "all_serving", "some_serving", "unreachable", "name_unknown",
    "tls_broken",  "database",     "unknown"};
std::string_view ReachVerdictName(ReachVerdict verdict);

// By what came farthest when none serves. `resolved`: the name stood for addresses just now.
ReachVerdict JudgeReach(bool resolved, std::span<const ServerState> servers);

struct ReachSummary {
  std::array<size_t, 5> by_stage{};   // addresses by spire::ServerStage
  const ShownChain* first = nullptr;  // the chain whose leaf ends first
  std::optional<spire::UnixTime> above_not_after;
  const ServedView* view = nullptr;  // the one of the highest sequence number
  size_t views = 0;                  // different sets of X.509 authorities that are served
};
// Points into `servers`.
ReachSummary Summarise(std::span<const ServerState> servers);

// What a chain is held against: authorities (DER, the first 100 of them) and their trust domain
// (`example.org`; empty where nobody knows it).
struct Trusted {
  std::span<const std::string> roots;
  std::string_view trust_domain;
};

// Chains that were shown, by spiffe::Verdict, each as of when it was seen: a server may have
// renewed what has ended since. One of whoever is not the trust domain's `/spire/server` is
// untrusted. Nothing when none was shown, or there is nothing to hold them against.
using ChainTally = std::optional<std::array<size_t, 5>>;
// Against the bundle that the same server served.
ChainTally AgainstServed(std::span<const ServerState> servers);
ChainTally AgainstRoots(std::span<const ServerState> servers, const Trusted& trusted);
// True when all are good, false when none is; unknown when some are, as one stranger behind the
// name tells nothing of the others.
std::optional<bool> Verifies(const ChainTally& tally);

// The first end above the leaf among the chains that verify, each as of when it was seen: against
// `trusted`, or where it has no roots, against what the same server served. A chain that verifies
// against neither says nothing of the authorities that sign here.
std::optional<spire::UnixTime> FirstAuthorityEnd(std::span<const ServerState> servers,
                                                 const Trusted& trusted);

// How far a server's clock is off ours, as far as its certificates prove it: one that was issued
// between two looks, by SPIRE's rule ten seconds after its beginning. Not safe from several
// threads.
class ClockProof {
 public:
  // What a look at one server at `now` showed.
  void Observe(spire::UnixTime not_before, SystemTime now, SteadyTime steady);
  // Positive: the server is ahead by at least that. 0: nothing speaks against equal clocks. Absent
  // before it has renewed its certificate under our eyes, unless that is from the future.
  std::optional<double> offset_seconds() const { return offset_; }

 private:
  struct Look {
    spire::UnixTime not_before;
    SystemTime at;
    SteadyTime steady;
  };
  std::optional<Look> last_;
  std::optional<double> offset_;
};

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_REACH_JUDGE_H_
