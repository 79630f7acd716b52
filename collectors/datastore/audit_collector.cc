#include "collectors/datastore/audit_collector.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include "collectors/datastore/audit_read.h"
#include "collectors/datastore/elected_round.h"
#include "collectors/datastore/election.h"
#include "exporter/base/text.h"

namespace spire_exporter::datastore {
namespace {

constexpr Duration kAuditStatementTimeout = std::chrono::seconds(25);
constexpr Duration kAuditRoleTimeout = std::chrono::seconds(3);
constexpr Duration kAuditTimeout = std::chrono::minutes(2);
constexpr Duration kAuditRetry = std::chrono::minutes(1);

// Some rounds of the default hour, so that a failed one takes nothing away.
constexpr Duration kAuditAge = std::chrono::hours(4);

constexpr std::array<std::string_view, 3> kAuditParts = {
    "entries_without_agent", "entries_without_event", "orphaned_selectors"};
constexpr std::array<std::string_view, 12> kAuditPartStates = {
    "busy",     "failed",      "locked", "no_fresh_standby", "no_primary",  "no_right",
    "no_table", "not_elected", "ok",     "timeout",          "unreachable", "waiting"};

constexpr std::array kAuditPartState = {
    LabelDescription{"part", "what was to be read", kAuditParts},
    LabelDescription{"state", "whether it was, and why not", kAuditPartStates}};

constexpr FamilyDescription kAuditPart{
    .name = "spire_datastore_audit_state",
    .type = MetricType::kStateSet,
    .labels = kAuditPartState,
    .help =
        "Whether each part of the audit could be read by this process. Where there are "
        "standbys the primary is spared, so that one of them has to be fresh.",
    .source = "SPIRE's tables",
    .series_max = static_cast<uint32_t>(kAuditParts.size() * kAuditPartStates.size()),
    .age_max = kAuditAge};
constexpr FamilyDescription kAuditElected{
    .name = "spire_datastore_audit_elected",
    .help = "Whether this process is the one that makes the audit.",
    .source = "pg_try_advisory_lock() on the primary",
    .age_max = kAuditAge};
constexpr FamilyDescription kWithoutAgent{
    .name = "spire_entries_without_agent",
    .help = "Entries whose parent is no agent, no alias and no server, so that nobody gets them.",
    .source = "registered_entries, attested_node_entries",
    .age_max = kAuditAge};
constexpr FamilyDescription kMissingParents{
    .name = "spire_entry_parents_missing",
    .help = "Parents of entries that are no agent, no alias and no server.",
    .source = "registered_entries, attested_node_entries",
    .age_max = kAuditAge};
constexpr FamilyDescription kWithoutEvent{
    .name = "spire_entries_without_event",
    .help =
        "Entries written since the oldest event that no event names: written behind SPIRE's "
        "back, so that its caches do not know them.",
    .source = "registered_entries, registered_entries_events",
    .age_max = kAuditAge};
constexpr FamilyDescription kSelectorsOrphaned{
    .name = "spire_agent_selectors_orphaned",
    .help = "Selectors of agents that are there no more.",
    .source = "node_resolver_map_entries, attested_node_entries",
    .age_max = kAuditAge};
constexpr const FamilyDescription* kAuditFamilies[] = {&kAuditPart,    &kAuditElected,
                                                       &kWithoutAgent, &kMissingParents,
                                                       &kWithoutEvent, &kSelectorsOrphaned};

class AuditCollector final : public Collector {
 public:
  AuditCollector(Duration interval, std::string fingerprint, std::shared_ptr<pg::NodeSet> nodes)
      : interval_(interval), fingerprint_(std::move(fingerprint)), nodes_(std::move(nodes)) {}

  std::string_view Name() const override { return "datastore"; }
  std::string_view Target() const override { return "audit"; }
  std::string Fingerprint() const override {
    return fingerprint_ + '\n' + FormatDuration(interval_);
  }
  Duration Period() const override {
    return well_.load(std::memory_order_relaxed) ? interval_ : std::min(interval_, kAuditRetry);
  }
  Duration Timeout() const override { return kAuditTimeout; }

  Result<Reading> Collect(const CollectContext& context) override {
    if (!began_) {
      began_ = true;
      Reading reading;
      AddStates("waiting", reading.families);
      return reading;
    }
    pg::NodeList list = nodes_->List(kAuditRetry, context.deadline, context.stop);
    if (list.nodes.empty() && !list.problems.empty()) return list.problems.front().error;
    const pg::JobLimits limits{
        Deadline(std::min(context.deadline.at(), context.clock.Steady() + kAuditRoleTimeout)),
        kAuditRoleTimeout};
    const Election election =
        Elect(AskCandidates(std::move(list.nodes), kAuditLock, limits, context.stop), context.facts,
              context.clock.Steady());
    // The last audit stays, with its age, while nobody can make another one.
    if (!election.primary && audited_) {
      well_.store(false, std::memory_order_relaxed);
      return election.problem.error();
    }
    Reading reading;
    reading.problem = election.problem;
    audited_ = false;
    const bool elected = election.state == "elected";
    if (elected && (election.fresh_standby || !election.has_standby)) {
      ElectedRound round(context, kAuditStatementTimeout,
                         election.fresh_standby ? *election.fresh_standby : *election.primary,
                         std::nullopt);
      (void)round.ReadColumns();
      Audit(round, reading.families);
      reading.problem = round.problem();
      audited_ = round.any();
      if (!audited_) StepDown(*election.primary, kAuditLock, limits, context.stop);
    } else {
      AddStates(elected ? "no_fresh_standby" : election.state, reading.families);
      // Another process may see what this one does not.
      if (elected) StepDown(*election.primary, kAuditLock, limits, context.stop);
    }
    if (election.primary) reading.families.Add(kAuditElected, {}, elected ? 1 : 0);
    well_.store(audited_ && reading.problem.ok(), std::memory_order_relaxed);
    return reading;
  }

 private:
  static void AddStates(std::string_view state, FamilyBuilder& families) {
    for (const std::string_view part : kAuditParts) families.AddState(kAuditPart, {part}, state);
  }
  static void Audit(ElectedRound& round, FamilyBuilder& families) {
    const auto orphans = round.Part<Orphans>(&ReadOrphans);
    const auto without_event = round.Part<int64_t>(&ReadEntriesWithoutEvent);
    const auto selectors = round.Part<int64_t>(&ReadOrphanedSelectors);
    const auto state = [&](std::string_view part, const auto& result) {
      families.AddState(kAuditPart, {part},
                        StateOf(result.ok() ? Status() : Status(result.error())));
    };
    state("entries_without_agent", orphans);
    state("entries_without_event", without_event);
    state("orphaned_selectors", selectors);
    if (orphans.ok()) {
      families.Add(kWithoutAgent, {}, static_cast<double>(orphans->entries));
      families.Add(kMissingParents, {}, static_cast<double>(orphans->parents));
    }
    if (without_event.ok()) families.Add(kWithoutEvent, {}, static_cast<double>(*without_event));
    if (selectors.ok()) families.Add(kSelectorsOrphaned, {}, static_cast<double>(*selectors));
  }

  const Duration interval_;
  const std::string fingerprint_;
  const std::shared_ptr<pg::NodeSet> nodes_;
  bool began_ = false;
  bool audited_ = false;  // whether the last reading is an audit
  // Whether the next round can wait for its time. Written by Collect() alone and stands alone, so
  // relaxed is enough.
  std::atomic<bool> well_{false};
};

}  // namespace

std::span<const FamilyDescription* const> AuditFamilies() {
  return kAuditFamilies;
}

std::unique_ptr<Collector> MakeAuditCollector(Duration interval, std::string fingerprint,
                                              std::shared_ptr<pg::NodeSet> nodes) {
  return std::make_unique<AuditCollector>(interval, std::move(fingerprint), std::move(nodes));
}

}  // namespace spire_exporter::datastore
