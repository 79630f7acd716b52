#include "collectors/postgres/capacity_findings.h"

#include <iterator>

#include "collectors/postgres/statistics_describe.h"

namespace spire_exporter::postgres {
namespace {

constexpr std::string_view kSource = "pg_settings, pg_db_role_setting";

// Those of kWatchedSettings that are numbers; their unit is the setting's own base unit.
constexpr std::string_view kNumbers[] = {"idle_in_transaction_session_timeout", "lock_timeout",
                                         "max_slot_wal_keep_size", "statement_timeout"};
constexpr std::string_view kShown[] = {"idle_in_transaction_session_timeout", "lock_timeout",
                                       "max_slot_wal_keep_size", "statement_timeout",
                                       "synchronous_standby_names"};
constexpr std::string_view kCommitStates[] = {"off", "local", "remote_write", "on", "remote_apply"};
constexpr std::string_view kWalLevels[] = {"minimal", "replica", "logical"};
constexpr std::string_view kFindings[] = {"session_unencrypted", "session_superuser",
                                          "fsync_off",           "full_page_writes_off",
                                          "autovacuum_off",      "synchronous_commit_off"};

constexpr LabelDescription kNodeSetting[] = {
    kStatisticsNode,
    {"setting",
     "PostgreSQL's name. Timeouts in seconds, sizes in bytes; synchronous_standby_names is 1 when "
     "it is set.",
     kShown}};
constexpr LabelDescription kNodeCommit[] = {kStatisticsNode,
                                            {"state", "What a commit waits for.", kCommitStates}};
constexpr LabelDescription kNodeWal[] = {kStatisticsNode,
                                         {"state", "What the log is good for.", kWalLevels}};
constexpr LabelDescription kNodeFinding[] = {
    kStatisticsNode,
    {"finding",
     "session_unencrypted: a session of SPIRE's comes over the network without TLS or GSS; "
     "session_superuser: one has a superuser's role; the others: the setting is off.",
     kFindings}};

constexpr FamilyDescription kValue = DescribeStatistics(
    "spire_postgres_setting_value", MetricType::kGauge, kNodeSetting, std::size(kShown),
    "A setting as it holds for SPIRE's sessions; 0 of a timeout and -1 of a size are no limit. "
    "Read "
    "every minute. Absent when a setting of our own role hides it.",
    kSource);
constexpr FamilyDescription kCommit = DescribeStatistics(
    "spire_postgres_synchronous_commit", MetricType::kStateSet, kNodeCommit,
    std::size(kCommitStates), "The setting, as it holds for SPIRE's sessions.", kSource);
constexpr FamilyDescription kWalLevel =
    DescribeStatistics("spire_postgres_wal_level", MetricType::kStateSet, kNodeWal,
                       std::size(kWalLevels), "The setting.", kSource);
constexpr FamilyDescription kDiffering = DescribeStatistics(
    "spire_postgres_settings_differing", MetricType::kGauge, kNodeOnly, 1,
    "Settings that matter to SPIRE and are not as on the primary, or the first node when there is "
    "none. Absent with one node.",
    kSource);
constexpr FamilyDescription kChanges =
    DescribeStatistics("spire_postgres_setting_changes_total", MetricType::kCounter, kNodeOnly, 1,
                       "Settings that matter to SPIRE seen to change.", kSource);
constexpr FamilyDescription kPending = DescribeStatistics(
    "spire_postgres_settings_pending_restart", MetricType::kGauge, kNodeOnly, 1,
    "Settings, of all, that were changed and wait for a restart.", "pg_settings");
constexpr FamilyDescription kFinding = DescribeStatistics(
    "spire_postgres_finding", MetricType::kGauge, kNodeFinding, std::size(kFindings),
    "1 for what should not be as it is, 0 for what is well; absent when it cannot be judged.",
    "pg_stat_ssl, pg_stat_activity, pg_settings");

constexpr const FamilyDescription* kFindingFamilies[] = {
    &kValue, &kCommit, &kWalLevel, &kDiffering, &kChanges, &kPending, &kFinding};

}  // namespace

std::span<const FamilyDescription* const> FindingsFamilies() {
  return kFindingFamilies;
}

void AddSettings(std::string_view node, const SettingsReading& settings,
                 const SettingsReading* reference, uint64_t changes, double created_seconds,
                 FamilyBuilder& families) {
  for (const std::string_view name : kNumbers) {
    if (const auto value = settings.Number(name)) families.Add(kValue, {node, name}, *value);
  }
  if (const auto names = settings.Find("synchronous_standby_names")) {
    families.Add(kValue, {node, "synchronous_standby_names"}, names->empty() ? 0 : 1);
  }
  if (const auto commit = settings.Find("synchronous_commit")) {
    families.AddState(kCommit, {node}, *commit);
  }
  if (const auto level = settings.Find("wal_level")) families.AddState(kWalLevel, {node}, *level);
  if (reference != nullptr) {
    families.Add(kDiffering, {node}, static_cast<double>(CountDifferences(settings, *reference)));
  }
  families.Add(kChanges, {node}, static_cast<double>(changes), created_seconds);
  families.Add(kPending, {node}, static_cast<double>(settings.pending_restart));
}

void AddFindings(std::string_view node, const SessionsReading* sessions,
                 const SettingsReading* settings, const StatisticsScope& scope,
                 FamilyBuilder& families) {
  const auto add = [&](std::string_view finding, bool found) {
    families.Add(kFinding, {node, finding}, found ? 1 : 0);
  };
  if (sessions != nullptr && !scope.roles.empty()) {
    const SessionSummary summary = Summarize(*sessions, scope);
    if (summary.plaintext > 0 || summary.spires_hidden == 0) {
      add("session_unencrypted", summary.plaintext > 0);
    }
    add("session_superuser", summary.superuser > 0);
  }
  if (settings == nullptr) return;
  const auto off = [&](std::string_view finding, std::string_view name) {
    if (const auto value = settings->Find(name)) add(finding, *value == "off");
  };
  off("fsync_off", "fsync");
  off("full_page_writes_off", "full_page_writes");
  off("autovacuum_off", "autovacuum");
  off("synchronous_commit_off", "synchronous_commit");
}

}  // namespace spire_exporter::postgres
