#include <array>
#include <cmath>

#include "tests/fakes/player.h"

namespace spire_exporter::fakes {
namespace {

using std::chrono::seconds;

// Who makes an action happen.
enum class Cause {
  kServer,    // the server itself, also at rest
  kOperator,  // people and controllers, in the lab
  kForced,    // a forced rotation: only when everything is asked for
};

struct Action {
  int seconds;  // between two of them
  Cause cause;
  std::array<Step, 8> steps;  // the first empty key ends it
};

// Intervals and compositions as counted in the recorded runs.
constexpr Action kActions[] = {
    {5,
     Cause::kServer,
     {{{"datastore.registration_entry.list"},
       {"datastore.registration_entry.list", kNew},
       {"datastore.node.selectors.list"},
       {"entry.cache.reload"}}}},
    {10, Cause::kServer, {{{"datastore.federation_relationship.list"}}}},
    {60,
     Cause::kServer,
     {{{"server_ca.sign.x509_svid"},
       {"datastore.bundle.fetch"},
       {"rpc.bundle.v1.bundle.get_bundle"}}}},
    {6,
     Cause::kOperator,
     {{{"datastore.registration_entry.list"}, {"rpc.entry.v1.entry.list_entries"}}}},
    {6, Cause::kOperator, {{{"datastore.node.list"}, {"rpc.agent.v1.agent.list_agents"}}}},
    {8,
     Cause::kOperator,
     {{{"datastore.registration_entry.create"}, {"rpc.entry.v1.entry.batch_create_entry"}}}},
    {25,
     Cause::kOperator,
     {{{"datastore.registration_entry.delete"}, {"rpc.entry.v1.entry.batch_delete_entry"}}}},
    {300, Cause::kOperator, {{{"datastore.node.count"}, {"rpc.agent.v1.agent.count_agents"}}}},
    {300,
     Cause::kOperator,
     {{{"datastore.registration_entry.count"}, {"rpc.entry.v1.entry.count_entries"}}}},
    {300,
     Cause::kOperator,
     {{{"datastore.bundle.list"}, {"rpc.bundle.v1.bundle.list_federated_bundles"}}}},
    {300, Cause::kOperator, {{{"server_ca.sign.jwt_svid"}, {"rpc.svid.v1.svid.mint_jwtsvid"}}}},
    {300, Cause::kOperator, {{{"server_ca.sign.x509_svid"}, {"rpc.svid.v1.svid.mint_x509svid"}}}},
    {300,
     Cause::kOperator,
     {{{"datastore.join_token.create"},
       {"datastore.registration_entry.create"},
       {"rpc.agent.v1.agent.create_join_token"}}}},
    {300,
     Cause::kOperator,
     {{{"datastore.federation_relationship.create"},
       {"rpc.trustdomain.v1.trust_domain.batch_create_federation_relationship"}}}},
    {60, Cause::kOperator, {{{"rpc.localauthority.v1.local_authority.get_x509_authority_state"}}}},
    {60, Cause::kOperator, {{{"rpc.localauthority.v1.local_authority.get_jwt_authority_state"}}}},
    {1, Cause::kForced, {{{"rpc.localauthority.v1.local_authority.prepare_x509_authority"}}}},
    {1, Cause::kForced, {{{"rpc.localauthority.v1.local_authority.activate_x509_authority"}}}},
    {1,
     Cause::kForced,
     {{{"datastore.bundle.x509.taint"},
       {"rpc.localauthority.v1.local_authority.taint_x509_authority"}}}},
    {1, Cause::kForced, {{{"rpc.localauthority.v1.local_authority.prepare_jwt_authority"}}}},
    {1, Cause::kForced, {{{"rpc.localauthority.v1.local_authority.activate_jwt_authority"}}}},
    {1,
     Cause::kForced,
     {{{"datastore.bundle.jwt.taint"},
       {"rpc.localauthority.v1.local_authority.taint_jwt_authority"}}}},
};

constexpr Step kStart[] = {{"datastore.registration_entry.list"},
                           {"datastore.node.list"},
                           {"server_key_manager.get_public_keys"},
                           {"datastore.bundle.fetch"}};
constexpr Step kPrepareX509[] = {{"server_key_manager.generate_key"},
                                 {"datastore.bundle.append"},
                                 {"datastore.ca_journal.set"},
                                 {"ca.manager.x509_ca.prepare"}};
constexpr Step kPrepareJwt[] = {{"server_key_manager.generate_key"},
                                {"datastore.bundle.append"},
                                {"datastore.ca_journal.set"},
                                {"ca.manager.jwt_key.prepare"}};
constexpr Step kActivateX509[] = {{"ca.manager.x509_ca.activate"}, {"datastore.ca_journal.set"}};
constexpr Step kActivateJwt[] = {{"manager.jwt_key.activate"}, {"datastore.ca_journal.set"}};
constexpr Step kRotateOwnSvid[] = {{"server_ca.sign.x509_svid"}, {"svid.rotate"}};
constexpr Step kAgentSync[] = {{"datastore.node.fetch"},
                               {"rpc.entry.v1.entry.sync_authorized_entries"},
                               {"rpc.entry.v1.entry.get_authorized_entries"},
                               {"datastore.bundle.fetch"},
                               {"rpc.bundle.v1.bundle.get_bundle"}};
constexpr Step kJwt[] = {{"datastore.node.fetch"},
                         {"rateLimit.svid.v1.svid.new_jwtsvid"},
                         {"server_ca.sign.jwt_svid"},
                         {"rpc.svid.v1.svid.new_jwtsvid"}};
constexpr Step kX509[] = {{"datastore.node.fetch"},
                          {"rateLimit.svid.v1.svid.batch_new_x509svid"},
                          {"server_ca.sign.x509_svid"},
                          {"rpc.svid.v1.svid.batch_new_x509svid"}};
constexpr Step kAttest[] = {{"rateLimit.agent.v1.agent.attest_agent"},
                            {"datastore.join_token.fetch"},
                            {"datastore.join_token.delete"},
                            {"datastore.node.fetch"},
                            {"server_ca.sign.x509_svid"},
                            {"datastore.node.selectors.set"},
                            {"datastore.node.create"},
                            {"rpc.agent.v1.agent.attest_agent"},
                            {"rateLimit.agent.v1.agent.post_status"},
                            {"rpc.agent.v1.agent.post_status"}};
constexpr Step kRenewAgent[] = {{"datastore.node.fetch"},
                                {"rateLimit.agent.v1.agent.renew_agent"},
                                {"server_ca.sign.x509_svid"},
                                {"datastore.node.update"},
                                {"rpc.agent.v1.agent.renew_agent"}};

class ServerLoad final : public Load {
 public:
  explicit ServerLoad(Player* player) : player_(*player) {}

  void Start() override {
    Emitter& emit = player_.emit();
    emit.Set("started", 1,
             {{"version", std::string(VersionLabel(emit.options().release))},
              {"trust_domain_id", player_.options().trust_domain_label}});
    emit.Set("entry.deleted", 0);
    player_.Play(kStart);
    PrepareX509();
    ActivateX509();
    PrepareJwt();
    player_.Play(kActivateJwt);
    player_.Repeat(player_.options().svid_ttl / 2, [this] { player_.Play(kRotateOwnSvid); });
    player_.Play(kRotateOwnSvid);

    const Mix mix = player_.options().mix;
    for (const Action& action : kActions) {
      if (action.cause == Cause::kForced || (action.cause != Cause::kServer && mix == Mix::kIdle)) {
        continue;
      }
      player_.Repeat(seconds(action.seconds), [this, &action] { Act(action); });
    }
    if (mix == Mix::kIdle) return;
    player_.Repeat(seconds(60), [this] { FetchFederatedBundle(); });
    player_.Repeat(seconds(12), [this] { GetUnknownAgent(); });
    StartAgents();
    if (mix == Mix::kEverything) StartEverything();
  }

 private:
  void Act(const Action& action) {
    size_t count = 0;
    while (count < action.steps.size() && !action.steps[count].key.empty()) ++count;
    player_.Play(std::span(action.steps).first(count));
  }

  void FetchFederatedBundle() {
    // The partner of the recorded runs was a closed port.
    player_.CallWith("bundle_manager.fetch.federated_bundle", "Unknown",
                     {{"trust_domain_id", "partner_example"}});
  }

  void GetUnknownAgent() { player_.CallWith("rpc.agent.v1.agent.get_agent", "InvalidArgument"); }

  // Prepared at half of the active one's life, activated when a sixth of it is left.
  void PrepareX509() {
    player_.Play(kPrepareX509);
    issued_ = player_.schedule().now();
    const Duration life = player_.Hastened(player_.options().ca_ttl);
    player_.schedule().After(life / 2, [this, life] {
      PrepareX509();
      player_.schedule().After(life / 3, [this] { ActivateX509(); });
    });
  }

  void ActivateX509() {
    player_.Play(kActivateX509);
    const Duration life = player_.Hastened(player_.options().ca_ttl);
    const double left = Seconds(life) - Seconds(player_.schedule().now() - issued_) -
                        0.25 * player_.random().Uniform();
    const Tags tags = {{"trust_domain_id", player_.options().trust_domain_label}};
    player_.emit().Set("manager.x509_ca.rotate.ttl", left, tags);
    player_.emit().SetPrecisely("manager.x509_ca.rotate.expiration",
                                std::floor(UnixSeconds(player_.clock().System()) + left), tags);
  }

  void PrepareJwt() {
    player_.Play(kPrepareJwt);
    const Duration life = player_.Hastened(player_.options().ca_ttl);
    player_.schedule().After(life / 2, [this, life] {
      PrepareJwt();
      player_.schedule().After(life / 3, [this] { player_.Play(kActivateJwt); });
    });
  }

  void StartAgents() {
    const LoadOptions& options = player_.options();
    const auto agents = static_cast<double>(options.agents);
    const double identities = agents * static_cast<double>(options.workloads);
    player_.AddFleet(agents / 5, 8, [this] { player_.Play(kAgentSync); });
    player_.AddFleet(identities / 60, 7, [this] { player_.Play(kJwt); });
    player_.AddFleet(identities / (Seconds(options.svid_ttl) / 2), 7,
                     [this] { player_.Play(kX509); });
    player_.AddFleet(agents / (Seconds(options.agent_ttl) / 2), 9,
                     [this] { player_.Play(kRenewAgent); });
    // A node comes back after an hour or so, and one is there from the start.
    player_.AddFleet(agents / 3600, 19, [this] { player_.Play(kAttest); });
    player_.schedule().After(std::chrono::milliseconds(400), [this] { player_.Play(kAttest); });
    player_.StartFleets();
  }

  void StartEverything() {
    Duration at = std::chrono::milliseconds(100);
    const auto soon = [&](std::function<void()> task) {
      player_.schedule().After(at, std::move(task));
      at += std::chrono::milliseconds(40);
    };
    for (const Action& action : kActions) soon([this, &action] { Act(action); });
    soon([this] { FetchFederatedBundle(); });
    soon([this] { GetUnknownAgent(); });
    soon([this] { player_.Play(kAgentSync); });
    soon([this] { player_.Play(kJwt); });
    soon([this] { player_.Play(kX509); });
    soon([this] { player_.Play(kRenewAgent); });
  }

  Player& player_;
  SteadyTime issued_;
};

}  // namespace

std::unique_ptr<Load> MakeServerLoad(Player* player) {
  return std::make_unique<ServerLoad>(player);
}

}  // namespace spire_exporter::fakes
