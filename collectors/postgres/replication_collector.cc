#include "collectors/postgres/replication_collector.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "collectors/clients/postgres/node_facts.h"
#include "collectors/postgres/replication_ask.h"
#include "collectors/postgres/replication_families.h"
#include "collectors/postgres/replication_judge.h"

namespace spire_exporter::postgres {
namespace {

using std::chrono::seconds;

constexpr Duration kLookUpEvery = seconds(15);
constexpr Duration kSurroundingsEvery = seconds(5);
constexpr Duration kIdentityEvery = seconds(15);
constexpr Duration kSettingsEvery = seconds(60);

// What is remembered of a node from round to round.
struct Memo {
  std::string address;
  NodeKnown known;
  std::optional<SteadyTime> surroundings_read;
  // When each was asked for last, also in vain: what a role may not read is not asked every round.
  std::optional<SteadyTime> surroundings_asked;
  std::optional<SteadyTime> identity_asked;
  std::optional<SteadyTime> settings_asked;
};

class ReplicationCollector final : public Collector {
 public:
  ReplicationCollector(Duration period, Duration timeout, std::string fingerprint,
                       std::shared_ptr<pg::NodeSet> nodes)
      : period_(period),
        timeout_(timeout),
        patience_(std::min<Duration>(seconds(1), timeout / 2)),
        fingerprint_(std::move(fingerprint)),
        nodes_(std::move(nodes)),
        judge_(period) {}

  std::string_view Name() const override { return "postgres"; }
  std::string_view Target() const override { return "replication"; }
  std::string Fingerprint() const override { return fingerprint_; }
  Duration Period() const override { return period_; }
  Duration Timeout() const override { return timeout_; }

  Result<Reading> Collect(const CollectContext& context) override {
    if (!asker_) asker_.emplace(context.clock, timeout_);
    const Duration patience = std::min(patience_, context.deadline.Remaining(context.clock) / 2);
    const pg::NodeList list =
        nodes_->List(kLookUpEvery, Deadline::After(context.clock, patience), context.stop);
    Forget(list);
    const SteadyTime began = context.clock.Steady();
    const std::vector<Outcome> outcomes = asker_->Round(
        list.nodes, [&](const pg::Node& node) { return PlanFor(node, began); }, patience,
        context.stop);
    if (context.stop.stop_requested()) return Error{Code::kCancelled, "stopped", "", true};

    Reading reading;
    const SteadyTime now = context.clock.Steady();
    const double unix_now = UnixSeconds(context.clock.System());
    for (size_t i = 0; i < list.nodes.size(); ++i) {
      TakeIn(outcomes[i], now, unix_now, &memos_[list.nodes[i].name]);
      if (!outcomes[i].problem.empty()) {
        Complain(list.nodes[i].name + ": " + outcomes[i].problem, outcomes[i].failure,
                 &reading.problem);
      }
    }
    std::vector<NodeKnown> known;
    for (const pg::Node& node : list.nodes) known.push_back(memos_[node.name].known);
    for (const pg::NodeList::Problem& problem : list.problems) {
      Complain(problem.group + ": " + problem.error.what, std::nullopt, &reading.problem);
      const bool has_nodes =
          std::any_of(list.nodes.begin(), list.nodes.end(),
                      [&](const auto& node) { return node.group == problem.group; });
      if (has_nodes) continue;
      NodeKnown group;
      group.view.name = problem.group;
      group.view.failure = NodeState::kUnresolved;
      known.push_back(std::move(group));
    }
    std::vector<NodeView> views;
    for (const NodeKnown& each : known) views.push_back(each.view);
    const ClusterVerdict verdict = judge_.Judge(views, now);
    AddReplication(known, verdict, &reading.families);
    for (size_t i = 0; i < list.nodes.size(); ++i) {
      // Of a session that was only busy with another question, what was said before still stands.
      if (views[i].failure == NodeState::kBusy && verdict.nodes[i].up) continue;
      reading.facts.push_back(Fact::Make(list.nodes[i].name, now, verdict.nodes[i].standing));
    }
    return reading;
  }

 private:
  // Forgets nodes that are no longer listed, and what another address had that now has the name.
  void Forget(const pg::NodeList& list) {
    std::map<std::string, Memo, std::less<>> kept;
    for (const pg::Node& node : list.nodes) {
      Memo& memo = kept[node.name];
      const auto before = memos_.find(node.name);
      if (before != memos_.end() && before->second.address == node.address) {
        memo = std::move(before->second);
      }
      memo.address = node.address;
      memo.known.view.name = node.name;
      memo.known.view.expect = node.expect;
    }
    memos_ = std::move(kept);
  }

  ReadPlan PlanFor(const pg::Node& node, SteadyTime now) {
    Memo& memo = memos_.at(node.name);
    const auto due = [now](std::optional<SteadyTime>* last, Duration every) {
      if (*last && now - **last < every) return false;
      *last = now;
      return true;
    };
    ReadPlan plan;
    plan.surroundings = due(&memo.surroundings_asked, kSurroundingsEvery);
    plan.identity = due(&memo.identity_asked, kIdentityEvery);
    plan.settings = due(&memo.settings_asked, kSettingsEvery);
    if (const auto& position = memo.known.view.position) {
      plan.started_us = position->started_us;
      plan.in_recovery = position->in_recovery;
    }
    return plan;
  }

  static void TakeIn(const Outcome& outcome, SteadyTime now, double unix_now, Memo* memo) {
    NodeKnown& known = memo->known;
    known.view.failure = outcome.failure;
    if (!outcome.reading) return;
    const NodeReading& reading = *outcome.reading;
    const bool met = known.view.position &&
                     known.view.position->started_us == reading.position.started_us &&
                     known.view.position->in_recovery == reading.position.in_recovery;
    if (!met) {
      // Another life or role: nothing of the former is said of it.
      known.view.identity.reset();
      known.view.settings.reset();
      known.surroundings.reset();
      memo->surroundings_read.reset();
    }
    known.version = reading.version;
    known.view.position = reading.position;
    if (reading.identity) {
      known.view.identity = reading.identity;
    }
    if (reading.settings) {
      known.view.settings = reading.settings;
    }
    if (reading.surroundings) {
      known.surroundings = reading.surroundings;
      memo->surroundings_read = now;
      WatchSlots(reading.surroundings->slots, unix_now, &known.slots_inactive_since);
    } else if (memo->surroundings_read && now - *memo->surroundings_read > 4 * kSurroundingsEvery) {
      known.surroundings.reset();
    }
  }

  // The first problem of a round is the one that is told.
  static void Complain(std::string text, const std::optional<NodeState>& state, Status* problem) {
    if (!problem->ok()) return;
    const Code code = state == NodeState::kHung                   ? Code::kDeadlineExceeded
                      : state == NodeState::kUnauthenticated      ? Code::kUnauthenticated
                      : state == NodeState::kRefused              ? Code::kFailedPrecondition
                      : state == NodeState::kConnectionsExhausted ? Code::kResourceExhausted
                                                                  : Code::kUnavailable;
    *problem = Error{code, std::move(text), "", true};
  }

  const Duration period_;
  const Duration timeout_;
  const Duration patience_;
  const std::string fingerprint_;
  const std::shared_ptr<pg::NodeSet> nodes_;
  ReplicationJudge judge_;
  std::optional<ReplicationAsker> asker_;  // made when the clock is known
  std::map<std::string, Memo, std::less<>> memos_;
};

}  // namespace

std::unique_ptr<Collector> MakeReplicationCollector(Duration period, Duration timeout,
                                                    std::string fingerprint,
                                                    std::shared_ptr<pg::NodeSet> nodes) {
  return std::make_unique<ReplicationCollector>(period, timeout, std::move(fingerprint),
                                                std::move(nodes));
}

}  // namespace spire_exporter::postgres
