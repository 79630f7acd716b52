#include "collectors/server/health_collector.h"

#include <array>
#include <string>
#include <utility>

#include "collectors/clients/http/health_endpoint.h"
#include "collectors/clients/postgres/node_facts.h"
#include "collectors/clients/spire/runway_facts.h"

namespace spire_exporter::server {
namespace {

constexpr Duration kEvidenceAge = std::chrono::minutes(1);
constexpr int kNodesPerName = 8;  // addresses behind a database's name that are looked at
constexpr Duration kHealthAge = std::chrono::minutes(2);

constexpr std::string_view kFromListener = "the server's health_checks listener";
constexpr std::array<std::string_view, 2> kBounds = {"earliest", "latest"};
constexpr std::array kHealthLabels = {
    LabelDescription{"check", "which of the two endpoints", kHealthChecks},
    LabelDescription{"state", "foreign: what answers is no server's", kHealthStates}};
constexpr std::array kSubsystemLabels = {
    LabelDescription{"subsystem", "part that the server looks at, by SPIRE's name", kSubsystems}};
constexpr std::array kVerdictLabels = {LabelDescription{
    "state",
    "database: it does not serve because its database does not; not_signing: it serves, and says "
    "that its keys fail",
    kVerdicts}};
constexpr std::array kAgreementLabels = {LabelDescription{
    "state", "says_well: 200 while it does not serve; says_ill: not 200 while it serves and signs",
    kAgreements}};
constexpr std::array kBoundLabels = {
    LabelDescription{"bound", "Kubernetes probes at times of its own", kBounds}};

constexpr FamilyDescription kHealth{
    .name = "spire_local_server_health_state",
    .type = MetricType::kStateSet,
    .labels = kHealthLabels,
    .help = "What the server says of its own health, up to a minute old and wrong both ways.",
    .source = kFromListener,
    .series_max = static_cast<uint32_t>(kHealthChecks.size() * kHealthStates.size()),
    .age_max = kHealthAge};
constexpr FamilyDescription kSubsystem{
    .name = "spire_local_server_subsystem_failing",
    .labels = kSubsystemLabels,
    .help = "Whether the server sees an error in a part of itself: 1 or 0; up to a minute old.",
    .source = kFromListener,
    .series_max = static_cast<uint32_t>(kSubsystems.size()),
    .age_max = kHealthAge};
constexpr FamilyDescription kVerdict{
    .name = "spire_local_server_state",
    .type = MetricType::kStateSet,
    .labels = kVerdictLabels,
    .help =
        "What the server is by the evidence of its port and its database, and by its own word "
        "where there is none, as of its keys.",
    .source = "GetBundle on the server's port, PostgreSQL, the server's health_checks listener",
    .series_max = static_cast<uint32_t>(kVerdicts.size()),
    .age_max = kHealthAge};
constexpr FamilyDescription kAgreement{
    .name = "spire_local_server_health_agreement",
    .type = MetricType::kStateSet,
    .labels = kAgreementLabels,
    .help = "The server's word about its health against whether it serves.",
    .source = "GetBundle on the server's port, the server's health_checks listener",
    .series_max = static_cast<uint32_t>(kAgreements.size()),
    .age_max = kHealthAge};
constexpr FamilyDescription kStrike{
    .name = "spire_local_server_liveness_kill_timestamp_seconds",
    .unit = "seconds",
    .labels = kBoundLabels,
    .help =
        "When a liveness probe as configured would end the server if it goes on answering badly; "
        "absent while it answers well.",
    .source = kFromListener,
    .series_max = static_cast<uint32_t>(kBounds.size()),
    .age_max = kHealthAge};
constexpr const FamilyDescription* kHealthFamilies[] = {&kHealth, &kSubsystem, &kVerdict,
                                                        &kAgreement, &kStrike};

Evidence Gather(const ServerOptions& options, const CollectContext& context) {
  Evidence evidence;
  const SteadyTime now = context.clock.Steady();
  if (const auto servers = context.facts.Latest<spire::ServersFact>("servers");
      servers && now - servers->at <= kEvidenceAge) {
    const spire::ServersFact& fact = *servers->value;
    // Where the name stands for several, the one beside us may be either.
    if (fact.serving == 0) evidence.serving = false;
    if (fact.addresses > 0 && fact.serving == fact.addresses) evidence.serving = true;
  }
  for (const std::string& name : options.databases) {
    for (int i = 0; i < kNodesPerName; ++i) {
      const auto node = context.facts.Latest<pg::NodeStanding>(name + "/" + std::to_string(i));
      if (!node || now - node->at > kEvidenceAge) continue;
      const bool takes_writes = node->value->reachable && node->value->writable;
      evidence.database = evidence.database.value_or(false) || takes_writes;
    }
  }
  return evidence;
}

HealthEndpoint EndpointOf(const ServerOptions& options) {
  return {options.health_url, options.live_path, options.ready_path};
}

class HealthCollector final : public Collector {
 public:
  explicit HealthCollector(const ServerOptions& options)
      : options_(options), endpoint_(EndpointOf(options)), liveness_(options.liveness) {}

  std::string_view Name() const override { return "server"; }
  std::string_view Target() const override { return "health"; }
  std::string Fingerprint() const override { return options_.Fingerprint(); }
  Duration Period() const override { return options_.interval; }
  Duration Timeout() const override { return options_.timeout; }

  Result<Reading> Collect(const CollectContext& context) override {
    Reading reading;
    const SteadyTime asked = context.clock.Steady();
    std::array<HealthAnswer, 2> answers;
    const auto replies = endpoint_.Ask(context.clock, context.deadline, context.stop);
    for (size_t i = 0; i < answers.size(); ++i) {
      const auto& reply = replies[i];
      if (!reply.ok() && reply.error().code == Code::kCancelled) return reply.error();
      answers[i] = JudgeAnswer(reply);
      reading.families.AddState(kHealth, {kHealthChecks[i]}, answers[i].state);
      if (!reply.ok()) {
        reading.problem = reply.error();
      } else if (answers[i].state == "foreign") {
        reading.problem = Error{Code::kFailedPrecondition,
                                "what answers is no server's health endpoint", "", true};
      }
    }
    Publish(answers[0], answers[1], asked, context, reading.families);
    return reading;
  }

 private:
  void Publish(const HealthAnswer& live, const HealthAnswer& ready, SteadyTime asked,
               const CollectContext& context, FamilyBuilder& families) {
    for (size_t i = 0; i < kSubsystems.size(); ++i) {
      if (!live.failing[i] && !ready.failing[i]) continue;
      const bool fails = live.failing[i].value_or(false) || ready.failing[i].value_or(false);
      families.Add(kSubsystem, {kSubsystems[i]}, fails ? 1 : 0);
    }
    const Evidence evidence = Gather(options_, context);
    families.AddState(kVerdict, {}, JudgeServer(live, ready, evidence));
    families.AddState(kAgreement, {}, JudgeAgreement(live, ready, evidence));
    if (const auto strike = liveness_.OnAnswer(live, asked)) {
      const auto at = [&context](SteadyTime time) {
        return UnixSeconds(context.clock.System()) + Seconds(time - context.clock.Steady());
      };
      if (strike->earliest) families.Add(kStrike, {"earliest"}, at(*strike->earliest));
      families.Add(kStrike, {"latest"}, at(strike->latest));
    }
  }

  const ServerOptions options_;
  HealthEndpoint endpoint_;
  LivenessClock liveness_;
};

std::string FailingParts(const HealthAnswer& answer) {
  std::string parts;
  for (size_t i = 0; i < kSubsystems.size(); ++i) {
    if (!answer.failing[i].value_or(false)) continue;
    parts += (parts.empty() ? "" : ", ") + std::string(kSubsystems[i]);
  }
  return parts.empty() ? "no part named" : parts;
}

}  // namespace

std::span<const FamilyDescription* const> HealthFamilies() {
  return kHealthFamilies;
}

std::unique_ptr<Collector> MakeHealthCollector(const ServerOptions& options) {
  return std::make_unique<HealthCollector>(options);
}

CheckLine CheckHealth(const ServerOptions& options, const Clock& clock, const Deadline& deadline) {
  CheckLine line;
  line.subject = "server health " + options.health_url;
  const auto reply = EndpointOf(options).AskReady(clock, deadline, {});
  const HealthAnswer answer = JudgeAnswer(reply);
  line.good = answer.state == "ok";
  if (line.good) {
    line.detail = "the server says that it is ready";
  } else if (answer.state == "failing") {
    line.detail = "the server says that it is not ready: " + FailingParts(answer);
    line.remedy = answer.failing[kDatastore].value_or(false)
                      ? "look at the database and at the server's connection to it"
                      : "look into the server's log";
  } else {
    line.detail = reply.ok() ? "what answers is no server's health endpoint" : reply.error().what;
    line.remedy =
        "turn on health_checks { listener_enabled = true } in the server's configuration, or set "
        "server.health_url";
  }
  return line;
}

}  // namespace spire_exporter::server
