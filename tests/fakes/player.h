// What both roles' loads share: calls with a drawn duration and status, actions that repeat, and
// fleets that act at a rate.
#ifndef TESTS_FAKES_PLAYER_H_
#define TESTS_FAKES_PLAYER_H_

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fakes/emitter.h"
#include "tests/fakes/numbers.h"
#include "tests/fakes/schedule.h"

namespace spire_exporter::fakes {

// How much goes on.
enum class Mix {
  kIdle,        // a process at rest: nobody calls
  kLab,         // agents, workloads and an operator, as in the recorded runs
  kEverything,  // the same, and every key the release knows within two seconds of the start
};

struct LoadOptions {
  Mix mix = Mix::kLab;
  uint64_t agents = 1;      // server: agents behind it
  uint64_t workloads = 10;  // agent: identities it holds; server: those of each agent
  Duration svid_ttl = std::chrono::minutes(4);
  Duration agent_ttl = std::chrono::minutes(6);
  Duration ca_ttl = std::chrono::minutes(24);
  // Life goes that many times as fast: whatever repeats does so more often, lifetimes are shorter.
  // The process does not: uptime, runtime values and the client keep wall time.
  double accelerate = 1;
  // A fleet that would make more lines a second than this is played at a lower rate.
  double fleet_lines = 20'000;
  std::string trust_domain_label = "example_org";
  // Of an agent: whoever has the identities tells of syncs and rotations, by agent_story.h.
  bool true_identities = false;
};

// What a person may change while it runs.
struct Mood {
  double error_share = 0;  // of RPCs and of datastore calls
  std::string error_status = "Unavailable";
  double latency_factor = 1;
};

// One thing of an action: a call or a plain counter.
struct Step {
  std::string_view key;
  unsigned releases = kAll;
};

// Not safe from several threads. Everything handed in outlives it.
class Player {
 public:
  Player(Emitter* emitter, Schedule* schedule, const Clock& clock, const LoadOptions& options,
         const Mood* mood, uint64_t seed);

  Emitter& emit() { return *emitter_; }
  Schedule& schedule() { return *schedule_; }
  const Clock& clock() const { return clock_; }
  const LoadOptions& options() const { return options_; }
  Random& random() { return random_; }

  // A call with a duration drawn around the key's median, and the status of the mood.
  void Call(std::string_view key, const Tags& tags = {});
  // With that status whatever the mood.
  void CallWith(std::string_view key, std::string_view status, const Tags& tags = {});
  void Play(std::span<const Step> steps);

  // A lifetime or interval of SPIRE's life in wall time.
  Duration Hastened(Duration duration) const;
  // Repeats with a first time anywhere in the interval.
  void Repeat(Duration interval, std::function<void()> task);
  // Registers something that the whole fleet does `per_second` times, making `lines` each time.
  void AddFleet(double per_second, double lines, std::function<void()> task);
  void StartFleets();
  // The share of the fleets' rate that is played, 1 unless limited.
  double fleet_share() const { return fleet_share_; }

 private:
  struct Fleet {
    double per_second;
    double lines;
    std::function<void()> task;
  };
  double DrawMilliseconds(const Key& key);

  Emitter* const emitter_;
  Schedule* const schedule_;
  const Clock& clock_;
  const LoadOptions options_;
  const Mood* const mood_;
  Random random_;
  std::vector<Fleet> fleets_;
  double fleet_share_ = 1;
};

// A role's load. Start() lays everything on the schedule.
class Load {
 public:
  virtual ~Load() = default;
  virtual void Start() = 0;

 protected:
  Load() = default;
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
};

std::unique_ptr<Load> MakeServerLoad(Player* player);
std::unique_ptr<Load> MakeAgentLoad(Player* player);
// What every Go program behind go-metrics sends: `uptime_in_ms`, `runtime.*`.
std::unique_ptr<Load> MakeProcessLoad(Player* player);

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_PLAYER_H_
