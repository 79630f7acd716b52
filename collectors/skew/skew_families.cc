#include "collectors/skew/skew_families.h"

#include <array>
#include <chrono>

namespace spire_exporter::skew {
namespace {

constexpr Duration kAge = std::chrono::minutes(5);
constexpr std::string_view kSource =
    "SPIRE telemetry started, migrations, attested_node_entries.agent_version";

constexpr std::array<std::string_view, 4> kFits = {"fits", "newer", "too_old", "unknown"};
constexpr std::array<std::string_view, 4> kWhose = {"highest_server", "newest_agent",
                                                    "oldest_agent", "server"};

constexpr LabelDescription kPair{
    "pair",
    "server_server: this server and the newest that ever ran on its database; schema_code: the "
    "database's schema and this server",
    kPairs};
constexpr std::array kPairOnly = {kPair};
constexpr std::array kPairState = {
    kPair, LabelDescription{"state", "by SPIRE's rules of upgrading", kSkewStates}};
constexpr std::array kRoll = {LabelDescription{
    "state",
    "rolling: apart for less than a roll takes; lingering: a roll that does not end; rolled_back: "
    "older than what ran before; unrecorded: newer than the database knows",
    kRollStates}};
constexpr std::array kFit = {
    LabelDescription{"fit", "beside this server; too_old: by more than one minor version", kFits}};
constexpr std::array kVersion = {
    LabelDescription{"whose", "highest_server: that ever ran on the database", kWhose},
    LabelDescription{"version", "as it calls itself, without what follows the three numbers"}};

constexpr FamilyDescription kSkew{
    .name = "spire_version_skew",
    .labels = kPairOnly,
    .help =
        "Minor versions apart, of agents those farthest off; for schema_code versions of the "
        "schema. Below zero: this server is newer than its database tells, or older than an "
        "agent.",
    .source = kSource,
    .series_max = static_cast<uint32_t>(kPairs.size()),
    .age_max = kAge};
constexpr FamilyDescription kState{
    .name = "spire_version_skew_state",
    .type = MetricType::kStateSet,
    .labels = kPairState,
    .help = "Whether versions as far apart as these are supported together.",
    .source = kSource,
    .series_max = static_cast<uint32_t>(kPairs.size() * kSkewStates.size()),
    .age_max = kAge};
constexpr FamilyDescription kSince{
    .name = "spire_version_skew_since_timestamp_seconds",
    .unit = "seconds",
    .labels = kPairOnly,
    .help = "When the two were first seen to be as they are now: a roll is young.",
    .source = kSource,
    .series_max = static_cast<uint32_t>(kPairs.size()),
    .age_max = kAge};
constexpr FamilyDescription kRollState{
    .name = "spire_version_roll_state",
    .type = MetricType::kStateSet,
    .labels = kRoll,
    .help = "How this server stands against the newest that ever ran on its database.",
    .source = kSource,
    .series_max = static_cast<uint32_t>(kRollStates.size()),
    .age_max = kAge};
constexpr FamilyDescription kAgents{
    .name = "spire_agents_by_version_fit",
    .labels = kFit,
    .help = "Agents that are active or overdue by whether their version fits this server's.",
    .source = kSource,
    .series_max = static_cast<uint32_t>(kFits.size()),
    .age_max = kAge};
constexpr FamilyDescription kSeen{.name = "spire_version_seen_info",
                                  .type = MetricType::kInfo,
                                  .labels = kVersion,
                                  .help = "Versions that were seen.",
                                  .source = kSource,
                                  .series_max = static_cast<uint32_t>(kWhose.size()),
                                  .age_max = kAge};

constexpr const FamilyDescription* kFamilies[] = {&kSkew,      &kState,  &kSince,
                                                  &kRollState, &kAgents, &kSeen};

}  // namespace

std::span<const FamilyDescription* const> SkewFamilies() {
  return kFamilies;
}

void AddSkew(const SkewView& view, FamilyBuilder& families) {
  for (const auto& [name, pair] :
       {std::pair{"agent_server", &view.agent_server}, std::pair{"schema_code", &view.schema_code},
        std::pair{"server_server", &view.server_server}}) {
    families.AddState(kState, {name}, pair->state);
    if (pair->apart) families.Add(kSkew, {name}, static_cast<double>(*pair->apart));
    if (pair->since) families.Add(kSince, {name}, UnixSeconds(*pair->since));
  }
  families.AddState(kRollState, {}, view.roll);
  if (view.agents) {
    families.Add(kAgents, {"fits"}, static_cast<double>(view.agents->fit));
    families.Add(kAgents, {"newer"}, static_cast<double>(view.agents->newer));
    families.Add(kAgents, {"too_old"}, static_cast<double>(view.agents->too_old));
    families.Add(kAgents, {"unknown"}, static_cast<double>(view.agents->unknown));
  }
  for (const auto& [whose, version] :
       {std::pair{"server", &view.server}, std::pair{"highest_server", &view.highest_server},
        std::pair{"oldest_agent", &view.oldest_agent},
        std::pair{"newest_agent", &view.newest_agent}}) {
    if (*version) families.AddInfo(kSeen, {whose, (*version)->ToString()});
  }
}

}  // namespace spire_exporter::skew
