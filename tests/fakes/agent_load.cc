#include <algorithm>
#include <cmath>
#include <map>

#include "tests/fakes/agent_story.h"
#include "tests/fakes/player.h"

namespace spire_exporter::fakes {
namespace {

using std::chrono::seconds;

constexpr auto kSyncInterval = seconds(5);
// Zero time of Go in Unix seconds, as a float32 makes it: a bootstrap that never happened.
constexpr double kNever = -62135595008;
// Of the recorded fetches, the share that no entry matched.
constexpr double kDeniedShare = 0.05;

class AgentLoad final : public Load {
 public:
  explicit AgentLoad(Player* player) : player_(*player) {}

  void Start() override {
    Emitter& emit = player_.emit();
    emit.Set("started", 1,
             {{"version", std::string(VersionLabel(emit.options().release))},
              {"trust_domain_id", player_.options().trust_domain_label}});
    Bootstrap();
    player_.Call("agent_key_manager.get_keys");
    if (!player_.options().true_identities) {
      PlayAttestation(&player_, "join_token", "OK");
      Sync();
      player_.schedule().Every(player_.Hastened(kSyncInterval), player_.Hastened(kSyncInterval),
                               [this] { Sync(); });
      player_.Repeat(player_.options().agent_ttl / 2, [this] { PlayRotation(&player_, "OK"); });
    }
    if (player_.options().mix == Mix::kIdle) return;

    const auto workloads = static_cast<double>(player_.options().workloads);
    player_.AddFleet(workloads / 10, 9, [this] { Fetch("rpc.workload_api.fetch_x509svid"); });
    if (!player_.options().true_identities) {
      player_.AddFleet(workloads / 30, 9, [this] { FetchJwt(); });
    }
    player_.AddFleet(workloads / 60, 9, [this] { Fetch("rpc.workload_api.fetch_x509_bundles"); });
    player_.StartFleets();
    player_.Repeat(seconds(5), [this] { AskAdminSocket(); });
    if (player_.options().mix == Mix::kEverything) StartEverything();
  }

 private:
  void Bootstrap() {
    Emitter& emit = player_.emit();
    const Tags first = {{"mode", "bootstrap"}};
    const Tags again = {{"mode", "rebootstrap"}};
    emit.Set("bootstrapped", 1);
    emit.Set("bootstrap_attempts", 0, first);
    emit.Set("bootstrap_attempts", 0, again);
    emit.Set("bootstrap_seconds", kNever, first);
    emit.Set("bootstrap_seconds", kNever, again);
    emit.Set("bootstrapped", 0);
    emit.Set("bootstrap_attempts", 1, first);
    emit.Set("bootstrap_seconds", UnixSeconds(player_.clock().System()), first);
    emit.Set("bootstrapped", 1);
  }

  // Identities are renewed at half of their life, give or take a tenth; those that are new come
  // with the first sync after the start.
  void Sync() {
    const uint64_t total = player_.options().mix == Mix::kIdle ? 0 : player_.options().workloads;
    const uint64_t added = total - held_;
    held_ = total;
    const uint64_t expiring = TakeExpiring();
    PlaySync(&player_, {.total = total, .added = added, .expiring = expiring});
    if (expiring + added > 0) Renew(expiring + added);
  }

  void Renew(uint64_t count) {
    const double half = Seconds(player_.Hastened(player_.options().svid_ttl)) / 2;
    // By hundreds at most, so that a huge fleet costs no more than a small one.
    const uint64_t batches = std::min<uint64_t>(count, 100);
    for (uint64_t i = 0; i < batches; ++i) {
      const double due = half * (0.9 + 0.2 * player_.random().Uniform());
      const uint64_t share = count / batches + (i < count % batches ? 1 : 0);
      renewals_[player_.schedule().now() + Duration(std::llround(due * 1e9))] += share;
    }
  }

  uint64_t TakeExpiring() {
    uint64_t expiring = 0;
    while (!renewals_.empty() && renewals_.begin()->first <= player_.schedule().now()) {
      expiring += renewals_.begin()->second;
      renewals_.erase(renewals_.begin());
    }
    return expiring;
  }

  void Connect() {
    Emitter& emit = player_.emit();
    emit.Count("workload_api.connection");
    emit.Set("workload_api.connections", 1);
    player_.CallWith("workload_api.workload_attestor", "OK", {{"attestor", "unix"}});
    emit.Sample("workload_api.discovered_selectors", 4);
    player_.CallWith("workload_api.workload_attestation", "OK");
    emit.Set("workload_api.connections", 0);
  }

  void Fetch(std::string_view rpc) {
    if (player_.emit().Lookup(rpc) == nullptr) return;
    Connect();
    if (player_.random().Uniform() < kDeniedShare) {
      player_.CallWith(rpc, "PermissionDenied");
    } else {
      player_.Call(rpc);
    }
  }

  void FetchJwt() {
    Fetch("rpc.workload_api.fetch_jwtsvid");
    // The cache holds a token per identity and audience, and never lets go of expired ones.
    jwt_cached_ = std::min(jwt_cached_ + 1, static_cast<double>(2 * player_.options().workloads));
    player_.emit().Set("jwt_svid_cache_size", jwt_cached_);
  }

  void AskAdminSocket() {
    Emitter& emit = player_.emit();
    emit.Count("debug_api.connection");
    emit.Set("debug_api.connections", 1);
    player_.Call("rpc.debug.get_info");
    player_.Call("rpc.spire.agent.debug.v1.debug.get_info");
    emit.Set("debug_api.connections", 0);
  }

  void Taint() {
    Emitter& emit = player_.emit();
    const auto held = static_cast<double>(player_.options().workloads);
    emit.Sample("cache_manager.expiring_svids.svid_store", 0);
    emit.Sample("cache_manager.tainted_x509_svids.workload", held);
    player_.Call("cache_manager.workload.process_tainted_x509_svids");
    player_.Call("cache_manager.svid_store.process_tainted_x509_svids");
    emit.Sample("cache_manager.tainted_jwt_svids.workload", held);
    player_.Call("cache_manager.workload.process_tainted_jwt_svids");
    emit.Sample("cache_manager.expiring_svids", held);
    emit.Sample("cache_manager..expiring_svids", held);
  }

  void StartEverything() {
    Duration at = std::chrono::milliseconds(200);
    const auto soon = [&](std::function<void()> task) {
      player_.schedule().After(at, std::move(task));
      at += std::chrono::milliseconds(100);
    };
    soon([this] { Fetch("rpc.workload_api.fetch_x509svid"); });
    soon([this] { Fetch("rpc.workload_api.fetch_x509_bundles"); });
    soon([this] { FetchJwt(); });
    soon([this] { AskAdminSocket(); });
    soon([this] { PlayRotation(&player_, "OK"); });
    soon([this] { Taint(); });
  }

  Player& player_;
  uint64_t held_ = 0;
  double jwt_cached_ = 0;
  std::map<SteadyTime, uint64_t> renewals_;
};

}  // namespace

std::unique_ptr<Load> MakeAgentLoad(Player* player) {
  return std::make_unique<AgentLoad>(player);
}

}  // namespace spire_exporter::fakes
