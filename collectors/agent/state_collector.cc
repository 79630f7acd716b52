#include "collectors/agent/state_collector.h"

#include <string>
#include <utility>

#include "collectors/agent/state_families.h"
#include "collectors/agent/state_judge.h"
#include "collectors/clients/spire/agent_admin.h"
#include "collectors/clients/spire/channel.h"
#include "collectors/clients/spire/runway_facts.h"

namespace spire_exporter::agent {
namespace {

// Telemetry publishes every two seconds while an agent speaks.
constexpr Duration kTelemetryAge = std::chrono::seconds(30);

Result<spire::AgentInfo> Ask(const std::string& socket, std::shared_ptr<spire::Channel>* channel,
                             const spire::Call& call) {
  if (*channel == nullptr) {
    auto made = spire::Channel::ToSocket(socket);
    if (!made.ok()) return std::move(made).error();
    *channel = *std::move(made);
  }
  return spire::AgentAdmin(*channel).GetInfo(call);
}

class StateCollector final : public Collector {
 public:
  explicit StateCollector(const AgentOptions& options) : options_(options) {}

  std::string_view Name() const override { return "agent"; }
  std::string_view Target() const override { return "state"; }
  std::string Fingerprint() const override { return options_.Fingerprint(); }
  Duration Period() const override { return options_.interval; }
  Duration Timeout() const override { return options_.timeout; }

  Result<Reading> Collect(const CollectContext& context) override {
    Sources sources;
    Reading reading;
    if (!options_.admin_socket.empty()) {
      sources.admin =
          Ask(options_.admin_socket, &channel_, {context.deadline, context.stop, context.clock});
      if (!sources.admin->ok()) {
        const Error& error = sources.admin->error();
        if (error.code == Code::kCancelled) return error;
        reading.problem = error;
      }
    }
    const SteadyTime now = context.clock.Steady();
    const auto telemetry = context.facts.Latest<spire::AgentTelemetryFact>("agent");
    if (telemetry && now - telemetry->at <= kTelemetryAge) sources.telemetry = telemetry->value;
    sources.sync_interval = SyncInterval(context.facts);
    StateView view = judge_.Judge(sources, now, context.clock.System());
    AddState(view, {options_.x509_cache_limit, options_.jwt_cache_limit}, reading.families);
    if (view.sync_fact) {
      view.sync_fact->interval = sources.sync_interval;
      reading.facts.push_back(Fact::Make("sync", now, *std::move(view.sync_fact)));
    }
    if (view.horizon) {
      reading.facts.push_back(Fact::Make("agent/cache", now, *std::move(view.horizon)));
    }
    return reading;
  }

 private:
  // The option, else SPIRE's own file, else SPIRE's default.
  Duration SyncInterval(const FactsBoard& facts) const {
    if (options_.sync_interval) return *options_.sync_interval;
    const auto config = facts.Latest<spire::SpireConfigFact>("agent");
    const Duration told =
        config ? config->value->sync_interval.value_or(Duration::zero()) : Duration::zero();
    return told >= std::chrono::seconds(1) ? told : Sources().sync_interval;
  }

  const AgentOptions options_;
  std::shared_ptr<spire::Channel> channel_;
  StateJudge judge_;
};

}  // namespace

std::unique_ptr<Collector> MakeStateCollector(const AgentOptions& options) {
  return std::make_unique<StateCollector>(options);
}

CheckLine CheckAdmin(const AgentOptions& options, const Clock& clock, const Deadline& deadline) {
  CheckLine line;
  line.subject = "agent admin socket " + options.admin_socket;
  std::shared_ptr<spire::Channel> channel;
  const auto info = Ask(options.admin_socket, &channel, {deadline, std::stop_token(), clock});
  line.good = info.ok();
  if (info.ok()) {
    line.detail =
        "GetInfo answers, " + std::to_string(info->cached_x509_svids) + " X.509-SVIDs in the cache";
    return line;
  }
  line.detail = info.error().what;
  switch (info.error().code) {
    case Code::kInternal:
      line.remedy = "the agent's own SVID does not verify: see how its servers are";
      break;
    case Code::kPermissionDenied:
      line.remedy = "run this process with the user or the group of the agent";
      break;
    default:
      line.remedy =
          "set admin_socket_path in the agent's configuration and mount its folder here, or leave "
          "agent.admin_socket empty";
  }
  return line;
}

}  // namespace spire_exporter::agent
