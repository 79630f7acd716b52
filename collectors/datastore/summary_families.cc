#include "collectors/datastore/summary_families.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace spire_exporter::datastore {
namespace {

constexpr Duration kSummaryAge = std::chrono::minutes(2);
constexpr uint32_t kNodesMax = 32;

constexpr std::array<std::string_view, 2> kEventTables = {"attested_node_entries_events",
                                                          "registered_entries_events"};
constexpr std::array<std::string_view, 8> kSummaryParts = {
    "agent_events", "agents", "changes", "entries", "entry_events", "ids", "rows", "versions"};
constexpr std::array<std::string_view, 9> kSummaryPartStates = {
    "busy",     "failed", "locked",  "no_primary", "no_right",
    "no_table", "ok",     "timeout", "unreachable"};
constexpr std::array<std::string_view, 12> kNodeStates = {
    "ahead",    "behind",   "busy",    "current", "failed",  "locked",
    "no_right", "no_table", "primary", "timeout", "unknown", "unreachable"};
constexpr std::array<std::string_view, 6> kConditions = {"emptied", "empty",    "no_tables",
                                                         "normal",  "restored", "unknown"};
constexpr std::array<std::string_view, 3> kWhich = {"newest", "oldest", "soonest"};
constexpr std::array<std::string_view, 3> kChanges = {"created", "deleted", "updated"};

constexpr LabelDescription kTable{"table", "table of SPIRE's", kTableNames};
constexpr LabelDescription kEventTable{"table", "table of events", kEventTables};
constexpr LabelDescription kSummaryNode{"node", "database node, `ro/0`, never an address"};

constexpr std::array kTableOnly = {kTable};
constexpr std::array kEventTableOnly = {kEventTable};
constexpr std::array kEventTableNode = {kEventTable, kSummaryNode};
constexpr std::array kNodeOnly = {kSummaryNode};
constexpr std::array kNodeState = {
    kSummaryNode,
    LabelDescription{"state", "how its events stand against the primary's, or why unknown",
                     kNodeStates}};
constexpr std::array kSummaryPartState = {
    LabelDescription{"part", "what was to be read", kSummaryParts},
    LabelDescription{"state", "whether it was, and why not", kSummaryPartStates}};
constexpr std::array kCondition = {LabelDescription{
    "condition",
    "restored: ids fell within the last hour; emptied: it held entries or agents before",
    kConditions}};
constexpr std::array kWhichOnly = {
    LabelDescription{"which", "soonest: the first of those that are still to come", kWhich}};
constexpr std::array kChange = {LabelDescription{"change", "what was done to the entry", kChanges}};
constexpr std::array kCode = {LabelDescription{"code_version", "SPIRE's version, as it says"}};

constexpr FamilyDescription kSummaryPart{
    .name = "spire_datastore_look_state",
    .type = MetricType::kStateSet,
    .labels = kSummaryPartState,
    .help = "Whether each part of what is read every interval could be read from the primary.",
    .source = "SPIRE's tables",
    .series_max = static_cast<uint32_t>(kSummaryParts.size() * kSummaryPartStates.size()),
    .age_max = kSummaryAge};
constexpr FamilyDescription kDatastoreCondition{
    .name = "spire_datastore_condition",
    .type = MetricType::kStateSet,
    .labels = kCondition,
    .help = "Whether this is still the database that it was when this process began to look.",
    .source = "sequences and newest event ids of SPIRE's tables",
    .series_max = static_cast<uint32_t>(kConditions.size()),
    .age_max = kSummaryAge};
constexpr FamilyDescription kRewinds{
    .name = "spire_datastore_rewinds_total",
    .type = MetricType::kCounter,
    .help =
        "Times that ids fell which never fall: the database was restored from a backup, or a "
        "failover lost transactions.",
    .source = "sequences and newest event ids of SPIRE's tables",
    .age_max = kSummaryAge};
constexpr FamilyDescription kRestored{
    .name = "spire_datastore_restored_timestamp_seconds",
    .unit = "seconds",
    .help = "When ids were last seen to fall; absent while that never was.",
    .source = "sequences and newest event ids of SPIRE's tables",
    .age_max = kSummaryAge};
constexpr FamilyDescription kSchemaVersion{.name = "spire_datastore_schema_version",
                                           .help = "Version of SPIRE's tables.",
                                           .source = "migrations.version",
                                           .age_max = kSummaryAge};
constexpr FamilyDescription kInfo{
    .name = "spire_datastore_info",
    .type = MetricType::kInfo,
    .labels = kCode,
    .help = "Highest version of SPIRE that ever ran on this database; a downgrade leaves it.",
    .source = "migrations.code_version",
    .age_max = kSummaryAge};
constexpr FamilyDescription kAgentExpiry{
    .name = "spire_agents_expiry_timestamp_seconds",
    .unit = "seconds",
    .labels = kWhichOnly,
    .help = "When agents' SVIDs expire, banned agents included; absent while there is none.",
    .source = "attested_node_entries.expires_at",
    .series_max = 3,
    .age_max = kSummaryAge};
constexpr FamilyDescription kExpiredEntries{
    .name = "spire_entries_expired",
    .help =
        "Entries whose own expiry has passed and that are still there; 10001 is more than "
        "10000.",
    .source = "registered_entries.expiry",
    .age_max = kSummaryAge};
constexpr FamilyDescription kRows{
    .name = "spire_datastore_rows",
    .labels = kTableOnly,
    .help =
        "Rows of a table: exact below a thousand, else PostgreSQL's estimate. Absent where "
        "neither is known.",
    .source = "pg_stat_get_live_tuples(), pg_class.reltuples, count of at most 1,000 keys",
    .series_max = static_cast<uint32_t>(kTableNames.size()),
    .age_max = kSummaryAge};
constexpr FamilyDescription kOldestEvent{
    .name = "spire_events_oldest_id",
    .labels = kEventTableOnly,
    .help = "Oldest event that has not been pruned, on the primary.",
    .source = "SPIRE's events tables",
    .series_max = 2,
    .age_max = kSummaryAge};
constexpr FamilyDescription kNewestEvent{
    .name = "spire_events_newest_id",
    .labels = kEventTableNode,
    .help = "Newest event of each node, all asked at the same time.",
    .source = "SPIRE's events tables",
    .series_max = 2 * kNodesMax,
    .age_max = kSummaryAge};
constexpr FamilyDescription kEventAge{
    .name = "spire_events_newest_age_seconds",
    .unit = "seconds",
    .labels = kEventTableOnly,
    .help = "Age of the primary's newest event: how long nothing has changed.",
    .source = "created_at of SPIRE's events tables",
    .series_max = 2,
    .age_max = kSummaryAge};
constexpr FamilyDescription kMissingEvents{
    .name = "spire_events_missing_ids",
    .labels = kEventTableOnly,
    .help =
        "Ids without an event among the last 200: transactions rolled back or under way, or "
        "ids given in strides. SPIRE's cache waits for each of them.",
    .source = "SPIRE's events tables",
    .series_max = 2,
    .age_max = kSummaryAge};
constexpr FamilyDescription kLag{
    .name = "spire_events_lag",
    .labels = kEventTableNode,
    .help = "Ids by which a standby's newest event is behind the primary's.",
    .source = "SPIRE's events tables on both nodes",
    .series_max = 2 * kNodesMax,
    .age_max = kSummaryAge};
constexpr FamilyDescription kLagSeconds{
    .name = "spire_events_lag_seconds",
    .unit = "seconds",
    .labels = kEventTableNode,
    .help =
        "Since when a standby has missed an event that was seen on the primary, to within an "
        "interval; 0 when it misses none, absent when it has since before the first look.",
    .source = "SPIRE's events tables on both nodes",
    .series_max = 2 * kNodesMax,
    .age_max = kSummaryAge};
constexpr FamilyDescription kEventsNodeState{
    .name = "spire_events_node_state",
    .type = MetricType::kStateSet,
    .labels = kNodeState,
    .help =
        "How a node's events of entries stand against the primary's. `ahead` is another "
        "history: a node that was promoted, or an old primary.",
    .source = "SPIRE's events tables on both nodes",
    .series_max = kNodesMax * static_cast<uint32_t>(kNodeStates.size()),
    .age_max = kSummaryAge};
constexpr FamilyDescription kPropagation{
    .name = "spire_event_propagation_seconds",
    .type = MetricType::kHistogram,
    .unit = "seconds",
    .labels = kNodeOnly,
    .help =
        "From the look that first saw an entry's event on the primary to the look that first "
        "saw it on a standby: whole intervals, 0 within one.",
    .source = "SPIRE's events tables on both nodes",
    .series_max = kNodesMax,
    .age_max = kSummaryAge};
constexpr FamilyDescription kEntryChanges{
    .name = "spire_entry_changes_total",
    .type = MetricType::kCounter,
    .labels = kChange,
    .help = "Changes of entries, followed event by event since this process first looked.",
    .source = "registered_entries_events",
    .series_max = 3,
    .age_max = kSummaryAge};
constexpr FamilyDescription kShortLived{
    .name = "spire_entries_short_lived_total",
    .type = MetricType::kCounter,
    .help = "Entries that were created and deleted between two looks.",
    .source = "registered_entries_events",
    .age_max = kSummaryAge};
constexpr FamilyDescription kUnfollowed{
    .name = "spire_entry_events_unfollowed_total",
    .type = MetricType::kCounter,
    .help = "Events of entries that were skipped because too many came at once.",
    .source = "registered_entries_events",
    .age_max = kSummaryAge};
constexpr FamilyDescription kUnannounced{
    .name = "spire_entries_unannounced_total",
    .type = MetricType::kCounter,
    .help = "New entries that no event named within a minute: written behind SPIRE's back.",
    .source = "registered_entries, registered_entries_events",
    .age_max = kSummaryAge};
constexpr FamilyDescription kIdsUsed{
    .name = "spire_ids_used_total",
    .type = MetricType::kCounter,
    .labels = kTableOnly,
    .help =
        "Ids that were given out for a table, rolled back ones included where its sequence "
        "may be read.",
    .source = "pg_sequence_last_value(), or the highest id",
    .series_max = static_cast<uint32_t>(kTableNames.size()),
    .age_max = kSummaryAge};
constexpr FamilyDescription kHeadroom{
    .name = "spire_id_headroom_ratio",
    .unit = "ratio",
    .labels = kTableOnly,
    .help = "Share of a table's ids that is left; at 0 SPIRE can write no more rows.",
    .source = "pg_sequence_last_value(), or the highest id",
    .series_max = static_cast<uint32_t>(kTableNames.size()),
    .age_max = kSummaryAge};
constexpr FamilyDescription kExhaustion{
    .name = "spire_id_exhaustion_seconds",
    .unit = "seconds",
    .labels = kTableOnly,
    .help =
        "How long a table's ids last at the speed of up to a day; absent while none is used, "
        "and for the first ten minutes.",
    .source = "pg_sequence_last_value(), or the highest id",
    .series_max = static_cast<uint32_t>(kTableNames.size()),
    .age_max = kSummaryAge};

constexpr const FamilyDescription* kSummaryFamilies[] = {&kSummaryPart,   &kDatastoreCondition,
                                                         &kRewinds,       &kRestored,
                                                         &kSchemaVersion, &kInfo,
                                                         &kAgentExpiry,   &kExpiredEntries,
                                                         &kRows,          &kOldestEvent,
                                                         &kNewestEvent,   &kEventAge,
                                                         &kMissingEvents, &kLag,
                                                         &kLagSeconds,    &kEventsNodeState,
                                                         &kPropagation,   &kEntryChanges,
                                                         &kShortLived,    &kUnfollowed,
                                                         &kUnannounced,   &kIdsUsed,
                                                         &kHeadroom,      &kExhaustion};

template <typename Number>
void AddKnown(FamilyBuilder& families, const FamilyDescription& description,
              std::initializer_list<std::string_view> labels, const std::optional<Number>& value) {
  if (value) families.Add(description, labels, static_cast<double>(*value));
}

void AddEvents(const SummaryView& view, FamilyBuilder& families) {
  for (const SummaryView::Events& events : view.events) {
    AddKnown(families, kOldestEvent, {events.table}, events.ids.oldest);
    if (events.ids.newest_created) {
      families.Add(kEventAge, {events.table}, events.now - *events.ids.newest_created);
    }
    if (events.ids.oldest && events.ids.newest && events.ids.recent) {
      const int64_t span = std::min(*events.ids.newest - *events.ids.oldest + 1, kRecentIds);
      families.Add(kMissingEvents, {events.table}, static_cast<double>(span - *events.ids.recent));
    }
  }
  for (const SummaryView::Node& node : view.nodes) {
    families.AddState(kEventsNodeState, {node.node}, node.state);
    for (const SummaryView::Node::Table& table : node.tables) {
      AddKnown(families, kNewestEvent, {table.table, node.node}, table.newest);
      AddKnown(families, kLag, {table.table, node.node}, table.lag.ids);
      AddKnown(families, kLagSeconds, {table.table, node.node}, table.lag.seconds);
    }
  }
  for (const auto& [node, histogram] : view.propagation) {
    families.Add(kPropagation, {node}, histogram);
  }
}

void AddChanges(const EntryChanges& changes, double created, FamilyBuilder& families) {
  families.Add(kEntryChanges, {"created"}, static_cast<double>(changes.created), created);
  families.Add(kEntryChanges, {"deleted"}, static_cast<double>(changes.deleted), created);
  families.Add(kEntryChanges, {"updated"}, static_cast<double>(changes.updated), created);
  families.Add(kShortLived, {}, static_cast<double>(changes.short_lived), created);
  families.Add(kUnfollowed, {}, static_cast<double>(changes.unfollowed), created);
  families.Add(kUnannounced, {}, static_cast<double>(changes.without_event), created);
}

}  // namespace

std::span<const FamilyDescription* const> SummaryFamilies() {
  return kSummaryFamilies;
}

void AddSummary(const SummaryView& view, double created_seconds, FamilyBuilder& families) {
  for (const std::string_view part : kSummaryParts) {
    const auto state = view.parts.find(part);
    families.AddState(kSummaryPart, {part},
                      state == view.parts.end() ? "no_primary" : state->second);
  }
  families.AddState(kDatastoreCondition, {}, view.condition);
  families.Add(kRewinds, {}, static_cast<double>(view.rewinds), created_seconds);
  AddKnown(families, kRestored, {}, view.last_rewind);
  if (view.versions) {
    AddKnown(families, kSchemaVersion, {}, view.versions->schema);
    if (view.versions->code) families.AddInfo(kInfo, {*view.versions->code});
  }
  if (view.agents) {
    AddKnown(families, kAgentExpiry, {"soonest"}, view.agents->soonest);
    AddKnown(families, kAgentExpiry, {"oldest"}, view.agents->oldest);
    AddKnown(families, kAgentExpiry, {"newest"}, view.agents->newest);
  }
  AddKnown(families, kExpiredEntries, {}, view.expired_entries);
  for (const TableRows& rows : view.rows) families.Add(kRows, {rows.table}, rows.rows);
  AddEvents(view, families);
  if (view.changes) AddChanges(*view.changes, created_seconds, families);
  for (const SummaryView::Ids& ids : view.ids) {
    families.Add(kIdsUsed, {ids.table}, static_cast<double>(ids.last));
    families.Add(kHeadroom, {ids.table}, ids.reading.headroom);
    AddKnown(families, kExhaustion, {ids.table}, ids.reading.exhaustion_seconds);
  }
}

}  // namespace spire_exporter::datastore
