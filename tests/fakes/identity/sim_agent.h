// What a SPIRE agent does with identities, without its sockets: joins, syncs, renews, and ends.
#ifndef TESTS_FAKES_IDENTITY_SIM_AGENT_H_
#define TESTS_FAKES_IDENTITY_SIM_AGENT_H_

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "tests/fakes/agent_story.h"
#include "tests/fakes/identity/authority.h"
#include "tests/fakes/numbers.h"

namespace spire_exporter::fakes {

// A server that an agent got through to.
struct ReachedServer {
  std::shared_ptr<const Authority> authority;  // what it signs with
  std::vector<std::string> roots;              // of its bundle, as DER
  std::string jwks;
};

// The way to the servers. Safe from any thread.
class Servers {
 public:
  virtual ~Servers() = default;
  // Holds the server's chain against `roots`. Errors as an agent sees them: kUnauthenticated of a
  // chain that ends in no root of these, kUnavailable, kDeadlineExceeded, kInternal, kCancelled.
  virtual Result<ReachedServer> Reach(const std::vector<std::string>& roots, Duration timeout) = 0;
  // Whether that server's key manager signs, after as long as it takes.
  virtual Status Sign(const Authority& authority, Duration timeout) = 0;
};

enum class Attestor { kJoinToken, kX509Pop };

struct SimAgentOptions {
  std::string name = "agent-0";
  std::string trust_domain = "example.org";
  Attestor attestor = Attestor::kX509Pop;
  std::vector<std::string> entries;  // paths of SPIFFE IDs
  std::chrono::seconds svid_ttl{240};
  std::chrono::seconds agent_ttl{360};
  Duration sync_interval = std::chrono::seconds(5);
  Duration server_timeout = std::chrono::seconds(30);
  std::vector<std::string> bootstrap_roots;  // DER
  std::string state_file;                    // what it knows after a restart; empty: nothing
  uint64_t seed = 1;
};

// Who is told what an agent does, on the thread that steps it.
class AgentEvents {
 public:
  virtual ~AgentEvents() = default;
  virtual void Synced(const SyncStory& story) = 0;
  // It asked between syncs for what it had been refused.
  virtual void Retried() = 0;
  virtual void Rotated(Attestor attestor, std::string_view status, bool first) = 0;
  // SVIDs or the bundle changed; also what has expired is served.
  virtual void Changed() = 0;
  // `workload`, `agent`; the time at which it ends.
  virtual void Issued(std::string_view kind, const Svid& svid) = 0;
};

// Steps of at most the sync interval give SPIRE's beat. Not safe from several threads.
class SimAgent {
 public:
  SimAgent(SimAgentOptions options, const Clock& clock, Servers* servers, AgentEvents* events);

  // Does what is due; may take as long as a server's timeout. False once it has ended, which it
  // does when it could not renew its own SVID and that is over, and at a sync with a server whose
  // chain ends in no root of its bundle.
  bool Step();
  SteadyTime next() const;

  // Attested and synced once: sockets are open, and it is ready.
  bool ready() const { return ready_; }
  const std::optional<Svid>& own() const { return own_; }
  // Whether the own SVID verifies against the bundle now; an admin is told nothing otherwise.
  bool OwnVerifies() const;
  const std::vector<Svid>& svids() const { return svids_; }
  const std::vector<std::string>& roots() const { return roots_; }
  const std::string& jwks() const { return jwks_; }
  std::optional<std::chrono::sys_seconds> last_sync() const { return last_sync_; }
  std::optional<std::chrono::sys_seconds> FirstExpiry() const;

 private:
  struct Retry {
    SteadyTime due;
    Duration wait{0};
  };
  bool Join();
  bool Sync();
  bool Rotate();
  void Renew(const ReachedServer& server, SyncStory* story);
  // Signed or refused; an error when no answer came.
  Status Issue(const ReachedServer& server, const std::vector<size_t>& wanted);
  void AskAgain();
  void TakeOwn(Svid svid);
  void Later(Retry* retry, Duration first, Duration longest);
  void Take(const ReachedServer& server);
  SystemTime RenewalOf(const Svid& svid);
  std::chrono::sys_seconds Now() const;
  void Save() const;
  void Recall();

  const SimAgentOptions options_;
  const Clock& clock_;
  Servers* const servers_;
  AgentEvents* const events_;
  Random random_;
  bool ready_ = false;
  bool token_used_ = false;
  std::vector<std::string> roots_;
  std::string jwks_;
  std::optional<Svid> own_;
  SystemTime own_due_;
  std::vector<Svid> svids_;
  std::vector<SystemTime> due_;  // of the same index
  std::optional<std::chrono::sys_seconds> last_sync_;
  // Refused: asked for twice a second, without a word and as a success, as SPIRE's agent does.
  std::vector<size_t> refused_;
  SteadyTime ask_again_;
  Retry join_, sync_, rotate_;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_SIM_AGENT_H_
