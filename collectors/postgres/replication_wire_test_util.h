// The collector on real servers, and what it says of them.
#ifndef COLLECTORS_POSTGRES_REPLICATION_WIRE_TEST_UTIL_H_
#define COLLECTORS_POSTGRES_REPLICATION_WIRE_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/clients/postgres/node_facts.h"
#include "collectors/clients/postgres/node_set.h"
#include "collectors/clients/postgres/test_postgres.h"
#include "collectors/postgres/replication_collector.h"
#include "exporter/base/clock.h"
#include "exporter/base/logger.h"

namespace spire_exporter::postgres {

// Watches servers as a role with pg_read_all_stats and nothing else.
class Watch {
 public:
  explicit Watch(std::vector<pg::GroupOptions> groups) {
    pg::ClientOptions options;
    options.connect_timeout = std::chrono::seconds(2);
    options.groups = std::move(groups);
    nodes_->Configure(options);
  }

  // A round; what it says is in the page afterwards.
  void Round() {
    const CollectContext context{
        Deadline::After(clock_, std::chrono::seconds(3)), {}, clock_, facts_};
    const SteadyTime began = clock_.Steady();
    Result<Reading> reading = collector_->Collect(context);
    took_ = clock_.Steady() - began;
    ASSERT_TRUE(reading.ok()) << reading.error().ToString();
    problem_ = reading->problem.ok() ? "" : reading->problem.error().what;
    for (Fact& fact : reading->facts) facts_.Publish(std::move(fact));
    page_.clear();
    for (const Family& family : reading->families.Take()) {
      for (const Series& series : family.series) {
        page_[std::string(family.description->name) + "{" + std::string(series.labels->rendered()) +
              "}"] = series.value;
      }
    }
  }

  // Rounds until it is so.
  ::testing::AssertionResult Until(const std::function<bool()>& so,
                                   Duration within = std::chrono::seconds(30)) {
    const Deadline deadline = Deadline::After(clock_, within);
    while (!deadline.Passed(clock_)) {
      Round();
      if (so()) return ::testing::AssertionSuccess();
    }
    std::string all = "problem: " + problem_ + "\n";
    for (const auto& [series, value] : page_) {
      if (value != 0) all += series + " " + std::to_string(value) + "\n";
    }
    return ::testing::AssertionFailure() << all;
  }

  std::optional<double> Get(const std::string& name, const std::string& labels) const {
    const auto found = page_.find("spire_postgres_" + name + "{" + labels + "}");
    return found == page_.end() ? std::nullopt : std::optional<double>(found->second);
  }
  std::optional<double> Of(const std::string& node, const std::string& name) const {
    return Get(name, "node=\"" + node + "\"");
  }
  // The state of a set that is 1.
  std::string State(const std::string& name, const std::string& labels) const {
    const std::string prefix =
        "spire_postgres_" + name + "{" + labels + (labels.empty() ? "" : ",") + "state=\"";
    std::string state;
    for (const auto& [series, value] : page_) {
      if (value == 0 || series.compare(0, prefix.size(), prefix) != 0) continue;
      state += series.substr(prefix.size(), series.size() - prefix.size() - 2);
    }
    return state;
  }
  std::string StateOf(const std::string& node, const std::string& name) const {
    return State(name, "node=\"" + node + "\"");
  }
  std::optional<double> Lag(const std::string& node = "ro/0") const {
    return Of(node, "replication_lag_seconds");
  }
  std::string Replication(const std::string& node = "ro/0") const {
    return StateOf(node, "replication_state");
  }
  bool InSync(const std::string& node = "ro/0") const { return Replication(node) == "in_sync"; }
  std::optional<pg::NodeStanding> Standing(const std::string& node) const {
    const auto fact = facts_.Latest<pg::NodeStanding>(node);
    return fact ? std::optional<pg::NodeStanding>(*fact->value) : std::nullopt;
  }
  // Another collector's question to a node, which is then in front of ours; it needs five seconds.
  void AskInFront(const std::string& node) {
    const CollectContext context{
        Deadline::After(clock_, std::chrono::seconds(3)), {}, clock_, facts_};
    for (const pg::Node& each :
         nodes_->List(std::chrono::hours(1), context.deadline, context.stop).nodes) {
      if (each.name != node) continue;
      each.session->Start(
          [](pg::Connection& connection) { (void)connection.Query("ask", "SELECT 1"); },
          {Deadline::After(clock_, std::chrono::seconds(5)), std::chrono::seconds(3)});
    }
  }
  Duration took() const { return took_; }
  const std::string& problem() const { return problem_; }
  const RealClock& clock() const { return clock_; }
  double Since(SteadyTime then) const { return Seconds(clock_.Steady() - then); }

 private:
  const RealClock clock_;
  NullLogger logger_;
  FactsBoard facts_;
  std::shared_ptr<pg::NodeSet> nodes_ = std::make_shared<pg::NodeSet>(clock_, logger_);
  std::unique_ptr<Collector> collector_ =
      MakeReplicationCollector(std::chrono::seconds(1), std::chrono::seconds(3), "test", nodes_);
  std::map<std::string, double> page_;
  std::string problem_;
  Duration took_{};
};

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_REPLICATION_WIRE_TEST_UTIL_H_
