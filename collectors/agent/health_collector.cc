#include "collectors/agent/health_collector.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/agent/health_judge.h"
#include "collectors/clients/http/health_endpoint.h"

namespace spire_exporter::agent {
namespace {

constexpr std::array kCheckState = {
    LabelDescription{"check", "which of the two endpoints", kHealthChecks},
    LabelDescription{"state",
                     "not_attested: without an SVID of its own; failing: not well for another "
                     "reason; foreign: what answers is no agent",
                     kHealthStates}};
constexpr FamilyDescription kHealth{
    .name = "spire_local_agent_health_state",
    .type = MetricType::kStateSet,
    .labels = kCheckState,
    .help = "What the agent says of its own health; it says ok with expired SVIDs, too.",
    .source = "the agent's health_checks listener",
    .series_max = static_cast<uint32_t>(kHealthChecks.size() * kHealthStates.size()),
    .age_max = std::chrono::minutes(3),
    .detail = Detail::kFull};
constexpr const FamilyDescription* kHealthFamilies[] = {&kHealth};

HealthEndpoint EndpointOf(const AgentOptions& options) {
  return {options.health_url, options.live_path, options.ready_path};
}

class HealthCollector final : public Collector {
 public:
  explicit HealthCollector(const AgentOptions& options)
      : options_(options), endpoint_(EndpointOf(options)) {}

  std::string_view Name() const override { return "agent"; }
  std::string_view Target() const override { return "health"; }
  std::string Fingerprint() const override { return options_.Fingerprint(); }
  Duration Period() const override { return options_.health_interval; }
  Duration Timeout() const override { return options_.timeout; }

  Result<Reading> Collect(const CollectContext& context) override {
    Reading reading;
    const auto replies = endpoint_.Ask(context.clock, context.deadline, context.stop);
    for (size_t i = 0; i < replies.size(); ++i) {
      const auto& reply = replies[i];
      if (!reply.ok() && reply.error().code == Code::kCancelled) return reply.error();
      const std::string_view state = JudgeHealth(reply);
      reading.families.AddState(kHealth, {kHealthChecks[i]}, state);
      if (!reply.ok()) {
        reading.problem = reply.error();
      } else if (state == "foreign" && reading.problem.ok()) {
        reading.problem = Error{Code::kFailedPrecondition,
                                "what answers is not an agent's health endpoint", "", true};
      }
    }
    return reading;
  }

 private:
  const AgentOptions options_;
  HealthEndpoint endpoint_;
};

}  // namespace

std::span<const FamilyDescription* const> HealthFamilies() {
  return kHealthFamilies;
}

std::unique_ptr<Collector> MakeHealthCollector(const AgentOptions& options) {
  return std::make_unique<HealthCollector>(options);
}

CheckLine CheckHealth(const AgentOptions& options, const Clock& clock, const Deadline& deadline) {
  CheckLine line;
  line.subject = "agent health " + options.health_url;
  const auto reply = EndpointOf(options).AskReady(clock, deadline, {});
  const std::string_view state = JudgeHealth(reply);
  line.good = state == "ok";
  if (line.good) {
    line.detail = "the agent says that it is ready";
  } else if (state == "not_attested") {
    line.detail = "the agent has no SVID of its own";
    line.remedy = "look into the agent's log: it is not attested";
  } else if (state == "failing") {
    line.detail = "the agent says that it is not ready";
    line.remedy = "look into the agent's log";
  } else {
    line.detail =
        reply.ok() ? "what answers is not an agent's health endpoint" : reply.error().what;
    line.remedy =
        "turn on health_checks { listener_enabled = true } in the agent's configuration, or set "
        "agent.health_url";
  }
  return line;
}

}  // namespace spire_exporter::agent
