#include "collectors/postgres/statistics_collector.h"

#include <algorithm>
#include <utility>

#include "collectors/clients/postgres/ask.h"
#include "collectors/postgres/capacity_families.h"
#include "collectors/postgres/capacity_findings.h"
#include "collectors/postgres/locks_families.h"
#include "collectors/postgres/statistics_memory.h"
#include "collectors/postgres/statistics_parts.h"
#include "collectors/postgres/statistics_reading.h"
#include "exporter/base/text.h"

namespace spire_exporter::postgres {
namespace {

// How long a look-up of the nodes' names may be used.
constexpr Duration kNamesMaxAge = std::chrono::seconds(30);
// The size of a large database on slow storage is not worth a broken connection.
constexpr Duration kSizeTimeout = std::chrono::seconds(1);

using Answers = std::vector<pg::Answer<StatisticsReading>>;

class StatisticsCollector final : public Collector {
 public:
  StatisticsCollector(const StatisticsOptions& options, std::shared_ptr<pg::NodeSet> nodes)
      : options_(options), nodes_(std::move(nodes)), layout_(LockWaitLayout()) {}

  std::string_view Name() const override { return "postgres"; }
  std::string_view Target() const override { return "statistics"; }
  Duration Period() const override { return options_.period; }
  Duration Timeout() const override { return options_.timeout; }
  std::string Fingerprint() const override;
  Result<Reading> Collect(const CollectContext& context) override;

 private:
  bool SlowDue(SteadyTime now) const;
  void AskSizes(const std::vector<pg::Node>& nodes, const CollectContext& context);
  void Add(const std::string& node, const StatisticsReading& told, StatisticsMemory& memory,
           PartsReport& report, FamilyBuilder& families);
  void AddSlow(const std::string& node, const StatisticsReading& told,
               const SettingsReading* reference, const StatisticsMemory& memory,
               PartsReport& report, FamilyBuilder& families);
  const SettingsReading* Reference(const Answers& answers) const;

  const StatisticsOptions options_;
  const std::shared_ptr<pg::NodeSet> nodes_;
  const std::shared_ptr<const HistogramLayout> layout_;
  StatisticsMemories memories_;
};

// Rounds are not exactly a period apart: what is due within half of one is due.
Duration Soon(Duration period, Duration round) {
  return period - round / 2;
}

std::string StatisticsCollector::Fingerprint() const {
  std::string text = options_.client_fingerprint + '\n';
  for (const Duration each : {options_.period, options_.timeout, options_.slow_period,
                              options_.size_period, options_.long_transaction}) {
    text += FormatDuration(each) + '\n';
  }
  for (const std::string& role : options_.spire_roles) text += role + '\n';
  if (options_.spire_pool_max) text += std::to_string(*options_.spire_pool_max);
  return text;
}

bool StatisticsCollector::SlowDue(SteadyTime now) const {
  return std::any_of(memories_.begin(), memories_.end(), [&](const auto& each) {
    return each.second.answers &&
           each.second.settings.Due(now, Soon(options_.slow_period, options_.period));
  });
}

Result<Reading> StatisticsCollector::Collect(const CollectContext& context) {
  const pg::NodeList list = nodes_->List(kNamesMaxAge, context.deadline, context.stop);
  const SteadyTime now = context.clock.Steady();
  Remember(list.nodes, UnixSeconds(context.clock.System()), memories_);

  StatisticsQuestions questions;
  questions.spire_roles = options_.spire_roles;
  questions.long_transaction = options_.long_transaction;
  questions.slow_parts = SlowDue(now);
  // Half the time for one statement, so that a slow one costs its part and not the connection.
  const pg::JobLimits limits{context.deadline, options_.timeout / 2};
  Answers answers = pg::AskEach<StatisticsReading>(
      list.nodes, limits, context.stop,
      [questions](pg::Connection& connection) { return ReadStatistics(connection, questions); });
  std::vector<pg::Node> answering;
  for (pg::Answer<StatisticsReading>& answer : answers) {
    StatisticsMemory& memory = memories_[answer.node.name];
    if (!answer.result.ok()) {
      memory.FallSilent();
      continue;
    }
    memory.answers = true;
    answering.push_back(answer.node);
    if (answer.result->settings) {
      memory.TakeSettings(std::move(*answer.result->settings), now);
    }
    if (answer.result->tables) memory.tables.Take(std::move(*answer.result->tables), now);
  }
  AskSizes(answering, context);

  Reading reading;
  PartsReport report;
  const SettingsReading* reference = Reference(answers);
  for (const pg::Answer<StatisticsReading>& answer : answers) {
    StatisticsMemory& memory = memories_[answer.node.name];
    if (!answer.result.ok()) {
      report.AllBad(answer.node.name, answer.result.error(), reading.families);
      continue;
    }
    Add(answer.node.name, *answer.result, memory, report, reading.families);
    AddSlow(answer.node.name, *answer.result, reference, memory, report, reading.families);
  }
  reading.problem = report.Summary();
  if (reading.problem.ok() && !list.problems.empty()) {
    reading.problem = list.problems.front().error;
  }
  return reading;
}

void StatisticsCollector::AskSizes(const std::vector<pg::Node>& nodes,
                                   const CollectContext& context) {
  const SteadyTime now = context.clock.Steady();
  std::vector<pg::Node> due;
  for (const pg::Node& node : nodes) {
    const SlowPart<int64_t>& size = memories_[node.name].size;
    // What failed is tried again sooner.
    const Duration period = size.Value() != nullptr
                                ? options_.size_period
                                : std::min(options_.size_period, options_.slow_period);
    if (size.Due(now, Soon(period, options_.period))) {
      due.push_back(node);
    }
  }
  if (due.empty()) return;
  const pg::JobLimits limits{context.deadline, std::min(kSizeTimeout, options_.timeout / 2)};
  auto answers = pg::AskEach<int64_t>(due, limits, context.stop, ReadSize);
  for (pg::Answer<int64_t>& answer : answers) {
    memories_[answer.node.name].size.Take(std::move(answer.result), now);
  }
}

const SettingsReading* StatisticsCollector::Reference(const Answers& answers) const {
  const SettingsReading* first = nullptr;
  const SettingsReading* primary = nullptr;
  size_t known = 0;
  for (const pg::Answer<StatisticsReading>& answer : answers) {
    if (!answer.result.ok()) continue;
    const SettingsReading* settings = memories_.at(answer.node.name).settings.Value();
    if (settings == nullptr) continue;
    ++known;
    if (first == nullptr) first = settings;
    const auto& database = answer.result->database;
    if (primary == nullptr && database.ok() && !database->standby) primary = settings;
  }
  if (known < 2) return nullptr;
  return primary != nullptr ? primary : first;
}

Error SomethingHidden(int64_t sessions) {
  return Error{
      Code::kPermissionDenied,
      "the state of " + std::to_string(sessions) + " sessions is hidden: GRANT pg_read_all_stats",
      "", false};
}

void StatisticsCollector::Add(const std::string& node, const StatisticsReading& told,
                              StatisticsMemory& memory, PartsReport& report,
                              FamilyBuilder& families) {
  const auto judge = [&](StatisticsPart part, const auto& result) {
    if (result.ok()) {
      report.Good(node, part, families);
    } else {
      report.Bad(node, part, result.error(), families);
    }
    return result.ok();
  };
  const StatisticsScope& scope = told.scope;
  if (scope.tables.empty() || scope.roles.empty()) {
    report.Bad(node, StatisticsPart::kSpire,
               Error{Code::kNotFound,
                     scope.tables.empty() ? "no table registered_entries in this database"
                                          : "none of SPIRE's roles is on this server",
                     "", true},
               families);
  } else {
    report.Good(node, StatisticsPart::kSpire, families);
  }
  if (judge(StatisticsPart::kLocks, told.locks)) {
    AddLocks(node, *told.locks, scope, layout_, families);
  }
  const SessionsReading* sessions = told.sessions.ok() ? &*told.sessions : nullptr;
  const int64_t hidden = sessions != nullptr ? Summarize(*sessions, scope).hidden : 0;
  if (hidden > 0) {
    report.Bad(node, StatisticsPart::kSessions, SomethingHidden(hidden), families);
  } else {
    judge(StatisticsPart::kSessions, told.sessions);
  }
  if (sessions != nullptr) {
    AddSessions(node, *sessions, scope, options_.spire_pool_max, families);
  }
  if (judge(StatisticsPart::kTransactions, told.transactions)) {
    AddTransactions(node, *told.transactions, sessions, scope, families);
  }
  if (judge(StatisticsPart::kDatabase, told.database)) {
    AddDatabase(node, *told.database, memory.rebase, families);
  }
  if (judge(StatisticsPart::kWrites, told.writes)) {
    AddWrites(node, *told.writes, memory.rebase, families);
  }
  AddRebased(node, memory.rebase, memory.created_seconds, families);
}

void StatisticsCollector::AddSlow(const std::string& node, const StatisticsReading& told,
                                  const SettingsReading* reference, const StatisticsMemory& memory,
                                  PartsReport& report, FamilyBuilder& families) {
  // Not asked yet, because the node has only now begun to answer: neither good nor bad.
  const auto judge = [&](StatisticsPart part, const auto& slow) {
    if (!slow.answer) return;
    if (slow.answer->ok()) {
      report.Good(node, part, families);
    } else {
      report.Bad(node, part, slow.answer->error(), families);
    }
  };
  judge(StatisticsPart::kSettings, memory.settings);
  judge(StatisticsPart::kTables, memory.tables);
  judge(StatisticsPart::kSize, memory.size);
  const SettingsReading* settings = memory.settings.Value();
  if (settings != nullptr) {
    AddSettings(node, *settings, reference, memory.setting_changes, memory.created_seconds,
                families);
  }
  AddFindings(node, told.sessions.ok() ? &*told.sessions : nullptr, settings, told.scope, families);
  if (const auto* tables = memory.tables.Value()) AddTables(node, *tables, families);
  if (const auto* bytes = memory.size.Value()) AddSize(node, *bytes, families);
}

}  // namespace

std::vector<const FamilyDescription*> StatisticsFamilies() {
  std::vector<const FamilyDescription*> all;
  for (const auto families :
       {PartsFamilies(), LocksFamilies(), CapacityFamilies(), FindingsFamilies()}) {
    all.insert(all.end(), families.begin(), families.end());
  }
  return all;
}

std::unique_ptr<Collector> MakeStatisticsCollector(const StatisticsOptions& options,
                                                   std::shared_ptr<pg::NodeSet> nodes) {
  return std::make_unique<StatisticsCollector>(options, std::move(nodes));
}

}  // namespace spire_exporter::postgres
