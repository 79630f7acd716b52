// A simulated agent as a process has it: steps on a thread, with its sockets.
#ifndef TESTS_FAKES_IDENTITY_AGENT_NODE_H_
#define TESTS_FAKES_IDENTITY_AGENT_NODE_H_

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/mutex.h"
#include "exporter/base/result.h"
#include "tests/fakes/identity/agent_admin_socket.h"
#include "tests/fakes/identity/agent_socket.h"
#include "tests/fakes/identity/sim_agent.h"
#include "tests/fakes/identity/wire_servers.h"

namespace spire_exporter::fakes {

struct AgentNodeOptions {
  SimAgentOptions agent;
  std::string workload_socket;  // paths; empty: none
  std::string admin_socket;
  std::vector<std::string> served;  // of the entries, those that a caller of the socket gets
  std::chrono::seconds jwt_ttl{120};
};

// The Workload API and the admin socket come with the first sync and go with the agent, which
// steps until it ends or this goes. The clock is a real one. Its methods are safe from any thread.
class AgentNode final : private AgentEvents {
 public:
  using OnIssued = std::function<void(std::string_view kind, const std::string& id,
                                      std::chrono::sys_seconds not_after)>;
  // `servers` outlives the node, and is stopped before it goes; `issued` is called on its threads,
  // one at a time, with `workload`, `agent` or `jwt`.
  AgentNode(AgentNodeOptions options, const Clock& clock, Servers* servers, OnIssued issued);
  ~AgentNode() override;

  bool ready() const { return ready_.load(std::memory_order_acquire); }
  // It could not renew its own SVID and that is over; the sockets are gone.
  bool ended() const { return ended_.load(std::memory_order_acquire); }
  // What it has to tell in telemetry since the last time, for whoever owns the player.
  std::vector<std::function<void(Player*)>> TakeStories();
  // Null until the sockets are there.
  std::shared_ptr<FakeAgentSocket> workload_socket() const;

 private:
  void Synced(const SyncStory& story) override;
  void Retried() override;
  void Rotated(Attestor attestor, std::string_view status, bool first) override;
  void Changed() override;
  void Issued(std::string_view kind, const Svid& svid) override;

  void Run(const std::stop_token& stop);
  Status OpenSockets();
  void Publish();
  void PublishInfo(FakeAgentAdmin* admin);
  WorkloadAnswer Answer() const;
  Result<std::vector<JwtAnswer>> Tokens(const std::string& audience, const std::string& wanted);
  Result<JwtAnswer> Token(const std::string& id, const std::string& audience);
  void Tell(std::function<void(Player*)> story);

  struct Cached {
    std::string token;
    std::chrono::sys_seconds not_after;
  };
  const AgentNodeOptions options_;
  const Clock& clock_;
  Servers* const servers_;
  const OnIssued issued_;
  const SteadyTime started_;
  SimAgent agent_;         // of the thread, as is what follows
  std::string published_;  // what the Workload API has been given, to see changes by
  // release: whoever sees them sees the sockets as they then are.
  std::atomic<bool> ready_{false};
  std::atomic<bool> ended_{false};
  mutable Mutex mutex_;
  std::shared_ptr<FakeAgentSocket> workload_ GUARDED_BY(mutex_);
  std::shared_ptr<FakeAgentAdmin> admin_ GUARDED_BY(mutex_);
  std::vector<std::string> roots_ GUARDED_BY(mutex_);
  std::map<std::pair<std::string, std::string>, Cached> tokens_ GUARDED_BY(mutex_);
  std::vector<std::function<void(Player*)>> stories_ GUARDED_BY(mutex_);
  std::mutex issuing_;
  std::mutex waiting_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_AGENT_NODE_H_
