#include "collectors/datastore/summary_collector.h"

#include <utility>

#include "collectors/clients/postgres/ask.h"
#include "collectors/clients/spire/version_facts.h"
#include "collectors/datastore/agents_horizon.h"
#include "collectors/datastore/summary_judge.h"
#include "exporter/base/text.h"

namespace spire_exporter::datastore {
namespace {

// Two surveys of an hour's interval, which is the longest that is of use here.
constexpr Duration kSurveyAgeMax = std::chrono::hours(2);

class SummaryCollector final : public Collector {
 public:
  SummaryCollector(Duration interval, Duration timeout, std::string fingerprint,
                   std::shared_ptr<pg::NodeSet> nodes)
      : interval_(interval),
        timeout_(timeout),
        fingerprint_(std::move(fingerprint)),
        nodes_(std::move(nodes)) {}

  std::string_view Name() const override { return "datastore"; }
  std::string_view Target() const override { return "summary"; }
  std::string Fingerprint() const override {
    return fingerprint_ + '\n' + FormatDuration(interval_) + '\n' + FormatDuration(timeout_);
  }
  Duration Period() const override { return interval_; }
  Duration Timeout() const override { return timeout_; }

  Result<Reading> Collect(const CollectContext& context) override {
    if (created_seconds_ == 0) created_seconds_ = UnixSeconds(context.clock.System());
    pg::NodeList list = nodes_->List(interval_, context.deadline, context.stop);
    if (list.nodes.empty() && !list.problems.empty()) return list.problems.front().error;
    const auto answers = pg::AskEach<NodeSummary>(
        std::move(list.nodes), {context.deadline, timeout_}, context.stop,
        [schema = judge_.SchemaToUse(context.clock.Steady()), request = judge_.Follow()](
            pg::Connection& connection) { return ReadSummary(connection, schema, request); });
    Reading reading;
    const SummaryView view =
        judge_.Judge(answers, context.clock.Steady(), context.clock.System(), &reading.problem);
    AddSummary(view, created_seconds_, reading.families);
    if (view.versions) {
      spire::SchemaVersionFact fact;
      fact.schema = view.versions->schema;
      fact.highest_server = view.versions->code.value_or("");
      reading.facts.push_back(Fact::Make("datastore", context.clock.Steady(), std::move(fact)));
    }
    const auto surveyed = context.facts.Latest<spire::Horizon>(kSurveyedAgents);
    const bool of_late = surveyed && context.clock.Steady() - surveyed->at <= kSurveyAgeMax;
    if (auto horizon = AgentsHorizon(view.first_agents, view.agents,
                                     of_late ? surveyed->value.get() : nullptr)) {
      reading.facts.push_back(Fact::Make<spire::Horizon>("agent/datastore", context.clock.Steady(),
                                                         *std::move(horizon)));
    }
    return reading;
  }

 private:
  const Duration interval_;
  const Duration timeout_;
  const std::string fingerprint_;
  const std::shared_ptr<pg::NodeSet> nodes_;
  SummaryJudge judge_;
  double created_seconds_ = 0;
};

}  // namespace

std::unique_ptr<Collector> MakeSummaryCollector(Duration interval, Duration timeout,
                                                std::string fingerprint,
                                                std::shared_ptr<pg::NodeSet> nodes) {
  return std::make_unique<SummaryCollector>(interval, timeout, std::move(fingerprint),
                                            std::move(nodes));
}

}  // namespace spire_exporter::datastore
