// What collectors publish for the outage runway: when what is held now ends. All of it is public
// knowledge of times and counts; no name is in here.
#ifndef COLLECTORS_CLIENTS_SPIRE_RUNWAY_FACTS_H_
#define COLLECTORS_CLIENTS_SPIRE_RUNWAY_FACTS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/spire/authority.h"
#include "exporter/base/clock.h"

namespace spire_exporter::spire {

// When identities end that one source knows of. The fact's subject is the clock and the source:
// `workload/ledger`, `agent/cache`, `agent/ledger`, `agent/datastore`.
//   workload  the first X.509-SVID of a workload ends
//   agent     the first agent's own SVID ends: the agent exits and takes its Workload API along
struct Horizon {
  struct Group {
    UnixTime expiry;
    uint64_t count = 0;
    bool operator==(const Group&) const = default;
  };
  static constexpr size_t kGroupsMax = 4096;

  // Rising, at most kGroupsMax: what is beyond is counted in the last.
  std::vector<Group> groups;
  // Whether that is all that the source's place has. False for a ledger that has not yet seen every
  // SVID renewed once.
  bool whole = false;
  // Some were renewed sooner than the lifetime that is known allows: nothing follows from it.
  bool shorter_lives = false;
  // By how much the first may end sooner, or later, than the first group says, where the source
  // cannot tell them apart.
  std::chrono::seconds sooner{0}, later{0};
  // Whether others than SPIRE could have said it: a UDP port takes lines from anybody.
  bool anybody_could_say = false;
  // Names of classes (`classes` of the configuration) of those that end first, where the source
  // knows: at most ten, in the order in which they end.
  struct ClassEnd {
    std::string name;
    UnixTime first_expiry;
    uint64_t count = 0;
    bool operator==(const ClassEnd&) const = default;
  };
  std::vector<ClassEnd> classes;

  bool operator==(const Horizon&) const = default;
};

// How long a word is as of now where its source asks each half a minute or sooner.
inline constexpr Duration kFreshFor = std::chrono::seconds(90);

// Of the agent beside this process. Subject: `canary`.
struct CanaryFact {
  Duration fresh_for = kFreshFor;  // two rounds, where they are far apart
  std::optional<UnixTime> x509_not_before, x509_not_after;
  std::optional<SystemTime> jwt_minted;  // the last token that had to be signed, and came
  std::optional<Duration> jwt_lifetime;
  // Whether the last round got a new signature through: the end-to-end proof that identities are
  // issued. Absent while it is not known (no entry for us is not a broken agent).
  std::optional<bool> issuing;
  // The agent answered in the last round, and could not get a new signature.
  bool refused = false;
};

// Of the agent beside this process. Subject: `sync`; what the stream alone has told: `sync/stream`.
struct SyncFact {
  std::optional<Duration> interval;  // between two synchronisations; absent where nobody said
  // What was synchronised were refusals: nothing that was due has been signed since.
  bool refused = false;
  std::optional<UnixTime> last_success;
  std::optional<uint64_t> cached_x509_svids;
  std::string source;  // `admin_socket`, `telemetry`
};

// The servers as they are reached from here. Subject: `servers`.
struct ServersFact {
  Duration fresh_for = kFreshFor;  // two rounds, where they are far apart
  uint64_t addresses = 0;          // that the name stands for; 0 when it stands for none
  uint64_t serving = 0;            // that answered GetBundle
  // Of those that shook hands: whether the bundle that this place holds, and the one that an agent
  // starts with, verify what they showed: all of them, or none. Absent where there is nothing to
  // compare, and where some verify and some do not.
  std::optional<bool> held_bundle_verifies, bootstrap_bundle_verifies;
  std::optional<UnixTime>
      ca_not_after;  // the first end of an authority above a chain that verifies
};

// What SPIRE's own configuration file says. Subject: `agent` or `server`.
struct SpireConfigFact {
  std::optional<Duration> x509_svid_ttl, jwt_svid_ttl, ca_ttl, agent_ttl, sync_interval;
  std::string node_attestor;                // of an agent: `join_token`, `x509pop`; empty unknown
  std::optional<std::string> rebootstrap;   // of an agent: `never`, `auto`, `always`
  std::string trust_domain;                 // empty when it does not say
  std::string trust_bundle_path;            // an agent's bootstrap bundle; empty without one
  std::string server_address, server_port;  // where an agent finds its servers
};

// A version that was seen to run. Subject: `server`, `agent`.
struct VersionFact {
  std::string version;  // `1.15.3`
  std::string source;   // `telemetry`, `datastore`
};

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_RUNWAY_FACTS_H_
