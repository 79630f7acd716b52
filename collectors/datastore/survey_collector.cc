#include "collectors/datastore/survey_collector.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "collectors/clients/spire/version_facts.h"
#include "collectors/datastore/agents_horizon.h"
#include "collectors/datastore/elected_round.h"
#include "collectors/datastore/election.h"
#include "exporter/base/text.h"

namespace spire_exporter::datastore {
namespace {

// A statement takes half a second at a million rows; a database under load gets some patience. All
// of it stays below the deadline, so that no connection has to be broken off.
constexpr Duration kSurveyStatementTimeout = std::chrono::seconds(8);
constexpr Duration kSurveyRoleTimeout = std::chrono::seconds(3);
constexpr Duration kSurveyTimeout = std::chrono::minutes(1);
constexpr Duration kSurveyRetry = std::chrono::minutes(1);

class SurveyCollector final : public Collector {
 public:
  SurveyCollector(Duration interval, std::string fingerprint,
                  std::shared_ptr<const spiffe::ClassMap> classes,
                  std::shared_ptr<pg::NodeSet> nodes)
      : interval_(interval),
        fingerprint_(std::move(fingerprint)),
        classes_(std::move(classes)),
        nodes_(std::move(nodes)) {}

  std::string_view Name() const override { return "datastore"; }
  std::string_view Target() const override { return "survey"; }
  std::string Fingerprint() const override {
    return fingerprint_ + '\n' + FormatDuration(interval_);
  }
  Duration Period() const override {
    return well_.load(std::memory_order_relaxed) ? interval_ : std::min(interval_, kSurveyRetry);
  }
  Duration Timeout() const override { return kSurveyTimeout; }

  Result<Reading> Collect(const CollectContext& context) override {
    pg::NodeList list = nodes_->List(kSurveyRetry, context.deadline, context.stop);
    if (list.nodes.empty() && !list.problems.empty()) return list.problems.front().error;
    const pg::JobLimits limits{
        Deadline(std::min(context.deadline.at(), context.clock.Steady() + kSurveyRoleTimeout)),
        kSurveyRoleTimeout};
    const Election election =
        Elect(AskCandidates(std::move(list.nodes), kSurveyLock, limits, context.stop),
              context.facts, context.clock.Steady());
    // The last survey stays, with its age, while nobody can make another one.
    if (!election.primary && surveyed_) {
      well_.store(false, std::memory_order_relaxed);
      return election.problem.error();
    }
    SurveyView view;
    view.election = election.state;
    view.classes = classes_;
    Reading reading;
    reading.problem = election.problem;
    surveyed_ = false;
    if (election.state == "elected") {
      ElectedRound round(context, kSurveyStatementTimeout,
                         election.fresh_standby ? *election.fresh_standby : *election.primary,
                         election.fresh_standby ? election.primary : std::nullopt);
      (void)round.ReadColumns();
      Survey(round, view);
      view.reader = round.node();
      reading.problem = round.problem();
      // Who cannot read lets another one try.
      surveyed_ = round.any();
      if (view.agents.ok()) {
        reading.facts.push_back(Fact::Make("agents", context.clock.Steady(),
                                           spire::AgentVersionsFact{view.agents->versions}));
      }
      if (!surveyed_) StepDown(*election.primary, kSurveyLock, limits, context.stop);
    }
    well_.store(surveyed_ && reading.problem.ok(), std::memory_order_relaxed);
    AddSurvey(view, reading.families);
    if (view.agents.ok()) {
      reading.facts.push_back(Fact::Make<spire::Horizon>(
          std::string(kSurveyedAgents), context.clock.Steady(), view.agents->horizon));
    }
    return reading;
  }

 private:
  void Survey(ElectedRound& round, SurveyView& view) const {
    view.ttl = round.Part<AgentTtl>(&ReadAgentTtl);
    // Without the lifetime agents are counted all the same, if the time is known.
    view.agents = round.Part<AgentCounts>(
        [ttl = view.ttl.ok() ? std::optional(*view.ttl) : std::nullopt, classes = classes_](
            pg::Connection& connection, const Schema& schema) -> Result<AgentCounts> {
          AgentTtl known;
          if (ttl) {
            known = *ttl;
          } else {
            const auto now =
                connection.Query("the time", "SELECT date_part('epoch', now())::bigint");
            if (!now.ok()) return now.error();
            known.now = now->Int(0).value_or(0);
          }
          return ReadAgents(connection, schema, known, classes);
        });
    view.agent_totals = round.Part<AgentTotals>(&ReadAgentTotals);
    view.entries = round.Part<EntryTotals>(&ReadEntryTotals);
    if (!classes_->trivial()) {
      view.entry_classes = round.Part<std::vector<uint64_t>>(
          [classes = classes_](pg::Connection& connection, const Schema& schema) {
            return ReadEntryClasses(connection, schema, *classes);
          });
    }
    view.parents = round.Part<EntriesPerParent>(&ReadEntriesPerParent);
  }

  const Duration interval_;
  const std::string fingerprint_;
  const std::shared_ptr<const spiffe::ClassMap> classes_;
  const std::shared_ptr<pg::NodeSet> nodes_;
  bool surveyed_ = false;  // whether the last reading is a survey
  // Whether the next round can wait for its time. Written by Collect() alone and stands alone, so
  // relaxed is enough.
  std::atomic<bool> well_{false};
};

}  // namespace

std::unique_ptr<Collector> MakeSurveyCollector(Duration interval, std::string fingerprint,
                                               std::shared_ptr<const spiffe::ClassMap> classes,
                                               std::shared_ptr<pg::NodeSet> nodes) {
  return std::make_unique<SurveyCollector>(interval, std::move(fingerprint), std::move(classes),
                                           std::move(nodes));
}

}  // namespace spire_exporter::datastore
