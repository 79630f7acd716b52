#include "collectors/datastore/survey_families.h"

#include <array>
#include <chrono>

namespace spire_exporter::datastore {
namespace {

// Some rounds of the default ten minutes, so that a failed one takes nothing away.
constexpr Duration kSurveyAge = std::chrono::hours(1);
constexpr std::string_view kAgentTable = "attested_node_entries";
constexpr std::string_view kEntryTable = "registered_entries";
constexpr uint32_t kClassesMax = spiffe::ClassMap::kClassesMax + 1;

constexpr std::array<std::string_view, 6> kSurveyParts = {"agent_totals",  "agents",  "entries",
                                                          "entry_classes", "parents", "ttl"};
constexpr std::array<std::string_view, 10> kSurveyPartStates = {
    "busy",     "failed",      "locked", "no_primary", "no_right",
    "no_table", "not_elected", "ok",     "timeout",    "unreachable"};
constexpr std::array<std::string_view, 5> kAgentStates = {"active", "banned", "expired", "lapsed",
                                                          "overdue"};
constexpr std::array<std::string_view, 3> kAges = {"1d", "30d", "7d"};

constexpr std::array kSurveyPartState = {
    LabelDescription{"part", "what was to be read", kSurveyParts},
    LabelDescription{"state", "whether it was, and why not; not_elected: another one reads it",
                     kSurveyPartStates}};
constexpr std::array kSurveyNode = {LabelDescription{"node", "database node that was read"}};
constexpr std::array kState = {LabelDescription{
    "state",
    "overdue: less than 0.4 of the lifetime left, renewal is due at half; lapsed: expired within "
    "ten minutes; expired: longer ago; banned: whatever its expiry",
    kAgentStates}};
constexpr std::array kVersion = {
    LabelDescription{"version", "as agents say at their start; unknown before schema 24"}};
constexpr std::array kAttestor = {LabelDescription{"attestor", "node attestor plugin"}};
constexpr std::array kCluster = {
    LabelDescription{"cluster", "Kubernetes cluster, from the agent's SPIFFE ID"}};
constexpr std::array kClass = {
    LabelDescription{"class", "the first of `classes` in the configuration, or other"}};
constexpr std::array kExpiredFor = {
    LabelDescription{"expired_for", "how long ago at least", kAges}};

constexpr FamilyDescription kSurveyPart{
    .name = "spire_datastore_survey_state",
    .type = MetricType::kStateSet,
    .labels = kSurveyPartState,
    .help = "Whether each part of the survey could be read by this process.",
    .source = "SPIRE's tables",
    .series_max = static_cast<uint32_t>(kSurveyParts.size() * kSurveyPartStates.size()),
    .age_max = kSurveyAge};
constexpr FamilyDescription kSurveyElected{
    .name = "spire_datastore_survey_elected",
    .help = "Whether this process is the one that makes the survey.",
    .source = "pg_try_advisory_lock() on the primary",
    .age_max = kSurveyAge};
constexpr FamilyDescription kReader{
    .name = "spire_datastore_survey_info",
    .type = MetricType::kInfo,
    .labels = kSurveyNode,
    .help = "Node that the survey was read from: a fresh standby where there is one.",
    .source = "the exporter itself",
    .age_max = kSurveyAge};
constexpr FamilyDescription kAgents{
    .name = "spire_agents",
    .labels = kState,
    .help = "Agents by state; `overdue` is absent while their lifetime is not known.",
    .source = kAgentTable,
    .series_max = static_cast<uint32_t>(kAgentStates.size()),
    .age_max = kSurveyAge};
constexpr FamilyDescription kAgentTtl{
    .name = "spire_agents_svid_lifetime_seconds",
    .unit = "seconds",
    .help = "Lifetime that agents' SVIDs are issued with, learned from those renewed last.",
    .source = "attested_node_entries.expires_at, updated_at",
    .age_max = kSurveyAge};
constexpr FamilyDescription kExpiring{.name = "spire_agents_expiring",
                                      .help = "Agents whose SVID expires within ten minutes.",
                                      .source = kAgentTable,
                                      .age_max = kSurveyAge};
constexpr FamilyDescription kByVersion{
    .name = "spire_agents_by_version",
    .labels = kVersion,
    .help = "Agents that are active or overdue by version; beyond 32 versions `other`.",
    .source = "attested_node_entries.agent_version",
    .series_max = kVersionsMax,
    .age_max = kSurveyAge};
constexpr FamilyDescription kByAttestor{
    .name = "spire_agents_by_attestor",
    .labels = kAttestor,
    .help = "Agents that are active or overdue by attestor; beyond 16 `other`.",
    .source = "attested_node_entries.data_type",
    .series_max = kAttestorsMax,
    .age_max = kSurveyAge};
constexpr FamilyDescription kByCluster{
    .name = "spire_agents_by_cluster",
    .labels = kCluster,
    .help = "Agents of k8s_psat and k8s_sat that are active or overdue; beyond 32 `other`.",
    .source = "attested_node_entries.spiffe_id",
    .series_max = kClustersMax,
    .age_max = kSurveyAge};
constexpr FamilyDescription kByClass{
    .name = "spire_agents_by_class",
    .labels = kClass,
    .help = "Agents that are active or overdue by class of their SPIFFE ID.",
    .source = "attested_node_entries.spiffe_id",
    .series_max = kClassesMax,
    .age_max = kSurveyAge};
constexpr FamilyDescription kRemaining{
    .name = "spire_agents_svid_remaining_seconds",
    .type = MetricType::kGaugeHistogram,
    .unit = "seconds",
    .help = "How long the SVIDs of all agents still live that are active or overdue.",
    .source = "attested_node_entries.expires_at",
    .age_max = kSurveyAge};
constexpr FamilyDescription kRatio{
    .name = "spire_agents_svid_remaining_ratio",
    .type = MetricType::kGaugeHistogram,
    .unit = "ratio",
    .help = "The same as a share of their lifetime; absent while that is not known.",
    .source = "attested_node_entries.expires_at, updated_at",
    .age_max = kSurveyAge};
constexpr FamilyDescription kPrunable{
    .name = "spire_agents_prunable",
    .labels = kExpiredFor,
    .help =
        "Rows that a prune of agents expired for so long would delete: not banned, and able "
        "to attest again. Without pruning this is mostly machines that are gone.",
    .source = kAgentTable,
    .series_max = static_cast<uint32_t>(kAges.size()),
    .age_max = kSurveyAge};
constexpr FamilyDescription kEntries{.name = "spire_entries",
                                     .help = "Registration entries.",
                                     .source = kEntryTable,
                                     .age_max = kSurveyAge};
constexpr FamilyDescription kAdmin{
    .name = "spire_entries_admin",
    .help = "Entries whose workloads may do everything on the server's API.",
    .source = "registered_entries.admin",
    .age_max = kSurveyAge};
constexpr FamilyDescription kDownstream{
    .name = "spire_entries_downstream",
    .help = "Entries whose workloads may get an intermediate CA.",
    .source = "registered_entries.downstream",
    .age_max = kSurveyAge};
constexpr FamilyDescription kStored{.name = "spire_entries_store_svid",
                                    .help = "Entries whose SVIDs agents put into a secret store.",
                                    .source = "registered_entries.store_svid",
                                    .age_max = kSurveyAge};
constexpr FamilyDescription kWithExpiry{
    .name = "spire_entries_with_expiry",
    .help = "Entries that have an expiry of their own, passed or not.",
    .source = "registered_entries.expiry",
    .age_max = kSurveyAge};
constexpr FamilyDescription kEntriesByClass{.name = "spire_entries_by_class",
                                            .labels = kClass,
                                            .help = "Entries by class of their SPIFFE ID.",
                                            .source = "registered_entries.spiffe_id",
                                            .series_max = kClassesMax,
                                            .age_max = kSurveyAge};
constexpr FamilyDescription kPerAgent{
    .name = "spire_entries_per_agent",
    .type = MetricType::kGaugeHistogram,
    .help = "Entries of each parent that has any: agents, aliases of agents, servers.",
    .source = "registered_entries.parent_id",
    .age_max = kSurveyAge};

constexpr const FamilyDescription* kSurveyFamilies[] = {
    &kSurveyPart, &kSurveyElected, &kReader,     &kAgents,         &kAgentTtl,
    &kExpiring,   &kByVersion,     &kByAttestor, &kByCluster,      &kByClass,
    &kRemaining,  &kRatio,         &kPrunable,   &kEntries,        &kAdmin,
    &kDownstream, &kStored,        &kWithExpiry, &kEntriesByClass, &kPerAgent};

void AddNames(FamilyBuilder& families, const FamilyDescription& description,
              const std::vector<std::pair<std::string, uint64_t>>& names) {
  families.Declare(description);
  for (const auto& [name, count] : names) {
    families.Add(description, {name}, static_cast<double>(count));
  }
}

void AddClasses(FamilyBuilder& families, const FamilyDescription& description,
                const spiffe::ClassMap& classes, const std::vector<uint64_t>& counts) {
  for (size_t i = 0; i < counts.size(); ++i) {
    families.Add(description, {classes.names()[i]}, static_cast<double>(counts[i]));
  }
}

void AddAgents(const SurveyView& view, FamilyBuilder& families) {
  const AgentCounts& agents = *view.agents;
  families.Add(kAgents, {"active"}, static_cast<double>(agents.active));
  if (agents.overdue) families.Add(kAgents, {"overdue"}, static_cast<double>(*agents.overdue));
  families.Add(kAgents, {"lapsed"}, static_cast<double>(agents.lapsed));
  families.Add(kExpiring, {}, static_cast<double>(agents.expiring));
  AddNames(families, kByVersion, agents.versions);
  AddNames(families, kByAttestor, agents.attestors);
  AddNames(families, kByCluster, agents.clusters);
  if (!view.classes->trivial()) AddClasses(families, kByClass, *view.classes, agents.classes);
  families.Add(kRemaining, {}, agents.remaining.histogram);
  if (agents.ratio) families.Add(kRatio, {}, agents.ratio->histogram);
}

}  // namespace

std::span<const FamilyDescription* const> SurveyFamilies() {
  return kSurveyFamilies;
}

void AddSurvey(const SurveyView& view, FamilyBuilder& families) {
  const bool elected = view.election == "elected";
  const auto state = [&](std::string_view part, const auto& result) {
    const Status status = result.ok() ? Status() : Status(result.error());
    families.AddState(kSurveyPart, {part}, elected ? StateOf(status) : view.election);
  };
  state("agent_totals", view.agent_totals);
  state("agents", view.agents);
  state("entries", view.entries);
  if (!view.classes->trivial()) state("entry_classes", view.entry_classes);
  state("parents", view.parents);
  state("ttl", view.ttl);
  if (view.election != "no_primary") families.Add(kSurveyElected, {}, elected ? 1 : 0);
  if (!elected) return;
  if (view.reader) families.AddInfo(kReader, {*view.reader});
  if (view.ttl.ok() && view.ttl->seconds) families.Add(kAgentTtl, {}, *view.ttl->seconds);
  if (view.agents.ok()) AddAgents(view, families);
  if (view.agent_totals.ok()) {
    families.Add(kAgents, {"banned"}, static_cast<double>(view.agent_totals->banned));
    families.Add(kAgents, {"expired"}, static_cast<double>(view.agent_totals->expired));
    for (const auto& [age, count] : view.agent_totals->prunable) {
      families.Add(kPrunable, {age}, static_cast<double>(count));
    }
  }
  if (view.entries.ok()) {
    families.Add(kEntries, {}, static_cast<double>(view.entries->all));
    families.Add(kAdmin, {}, static_cast<double>(view.entries->admin));
    families.Add(kDownstream, {}, static_cast<double>(view.entries->downstream));
    families.Add(kStored, {}, static_cast<double>(view.entries->store_svid));
    families.Add(kWithExpiry, {}, static_cast<double>(view.entries->expiring));
  }
  if (view.entry_classes.ok() && !view.classes->trivial()) {
    AddClasses(families, kEntriesByClass, *view.classes, *view.entry_classes);
  }
  if (view.parents.ok()) families.Add(kPerAgent, {}, view.parents->entries.histogram);
}

}  // namespace spire_exporter::datastore
