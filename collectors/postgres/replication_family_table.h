// The descriptions of the replication's families. For replication_families.cc alone.
#ifndef COLLECTORS_POSTGRES_REPLICATION_FAMILY_TABLE_H_
#define COLLECTORS_POSTGRES_REPLICATION_FAMILY_TABLE_H_

#include <iterator>
#include <string_view>

#include "collectors/postgres/replication_judge.h"
#include "collectors/postgres/replication_reading.h"
#include "exporter/metrics/description.h"

namespace spire_exporter::postgres::family {

// 8 groups of 8 nodes, and 8 groups without a node; 64 slots in all.
inline constexpr uint32_t kNodes = 72;
inline constexpr uint32_t kSlots = 64;

inline constexpr std::string_view kSlotStates[] = {"active", "inactive", "unused", "lost",
                                                   "invalidated"};
inline constexpr std::string_view kInvalidations[] = {"wal_removed", "rows_removed",
                                                      "wal_level_insufficient", "idle_timeout"};
inline constexpr std::string_view kRights[] = {"pg_read_all_stats"};

inline constexpr LabelDescription kNode = {
    "node", "group of the configuration and number of the address behind it, `ro/0`"};
inline constexpr LabelDescription kSlot = {"slot",
                                           "replication slot, the first 32 of a node by name"};
inline constexpr LabelDescription kNodeOnly[] = {kNode};
inline constexpr LabelDescription kInfoLabels[] = {kNode, {"version", "of the server, `15.18`"}};
inline constexpr LabelDescription kNodeStateLabels[] = {
    kNode, {"state", "how the node stands as a server", kNodeStates}};
inline constexpr LabelDescription kReplicationStateLabels[] = {
    kNode, {"state", "the first of these that holds", kReplicationStates}};
inline constexpr LabelDescription kLagStateLabels[] = {
    kNode, {"state", "whether the lag is known, or why not", kLagStates}};
inline constexpr LabelDescription kClusterLabels[] = {
    {"state", "the first of these that holds", kClusterStates}};
inline constexpr LabelDescription kConflictLabels[] = {
    kNode, {"reason", "what recovery wanted that the query held", kConflictReasons}};
inline constexpr LabelDescription kSenderLabels[] = {
    kNode, {"state", "of the sender, as PostgreSQL names it", kSenderStates}};
inline constexpr LabelDescription kSyncLabels[] = {
    kNode, {"sync_state", "of the standby, as PostgreSQL names it", kSyncStates}};
inline constexpr LabelDescription kSlotLabels[] = {kNode, kSlot};
inline constexpr LabelDescription kSlotStateLabels[] = {
    kNode, kSlot, {"state", "what the slot is", kSlotStates}};
inline constexpr LabelDescription kInvalidationLabels[] = {
    kNode, kSlot, {"reason", "as PostgreSQL names it", kInvalidations}};
inline constexpr LabelDescription kRightLabels[] = {kNode,
                                                    {"right", "the predefined role", kRights}};

inline constexpr std::string_view kWal = "pg_current_wal_flush_lsn(), pg_last_wal_replay_lsn()";
inline constexpr std::string_view kSlotSource = "pg_get_replication_slots()";
inline constexpr std::string_view kSenderSource = "pg_stat_get_wal_senders()";

// A gauge by node.
constexpr FamilyDescription OfNode(std::string_view name, std::string_view unit,
                                   std::string_view help, std::string_view source) {
  return {name, MetricType::kGauge, unit, kNodeOnly, help, source, kNodes};
}
constexpr FamilyDescription OfSlot(std::string_view name, std::string_view unit,
                                   std::string_view help) {
  return {name, MetricType::kGauge, unit, kSlotLabels, help, kSlotSource, kSlots};
}
constexpr FamilyDescription OfAll(std::string_view name, std::string_view help,
                                  std::string_view source) {
  return {name, MetricType::kGauge, "", {}, help, source};
}

inline constexpr FamilyDescription kUp =
    OfNode("spire_postgres_up", "",
           "Whether the database node answers; 0 with the reason in spire_postgres_node_state.",
           "the connection");
inline constexpr FamilyDescription kNodeState = {
    "spire_postgres_node_state",
    MetricType::kStateSet,
    "",
    kNodeStateLabels,
    "What the database node is, or why it does not answer.",
    "pg_is_in_recovery(), the connection",
    kNodes* std::size(kNodeStates)};
inline constexpr FamilyDescription kRoleMet =
    OfNode("spire_postgres_node_role_met", "",
           "Whether the node is what its name promises: 0 for a writer that is a standby and for a "
           "reader that is a primary; absent where nothing is expected or known.",
           "pg_is_in_recovery(), `expect` of the configuration");
inline constexpr FamilyDescription kInfo = {"spire_postgres_info",
                                            MetricType::kInfo,
                                            "",
                                            kInfoLabels,
                                            "Version of the database server.",
                                            "server_version_num",
                                            kNodes};
inline constexpr FamilyDescription kRight = {
    "spire_postgres_right",
    MetricType::kGauge,
    "",
    kRightLabels,
    "Whether the exporter's role has the right; without it the receiver's ages and the senders' "
    "states are absent.",
    "pg_has_role()",
    kNodes};
inline constexpr FamilyDescription kTimeline =
    OfNode("spire_postgres_timeline", "",
           "Timeline that the node writes or receives; of a standby without a receiver the latest "
           "that is known.",
           "pg_walfile_name(), pg_stat_wal_receiver, pg_control_checkpoint()");
inline constexpr FamilyDescription kWalPosition = OfNode(
    "spire_postgres_wal_position_bytes", "bytes",
    "Position in the log, from its beginning: what a primary has flushed, what a standby has "
    "replayed.",
    kWal);
inline constexpr FamilyDescription kClusterState = {
    "spire_postgres_cluster_state",
    MetricType::kStateSet,
    "",
    kClusterLabels,
    "What the nodes are together; a database without a standby is no_standby, which is no fault.",
    "all nodes",
    std::size(kClusterStates)};
inline constexpr FamilyDescription kWritable =
    OfAll("spire_postgres_writable_servers",
          "Servers that take writes, each counted once whatever names it has; more than 1 is a "
          "split brain.",
          "pg_is_in_recovery()");
inline constexpr FamilyDescription kStandbys =
    OfAll("spire_postgres_standby_servers",
          "Standbys that answer, each counted once whatever names it has.", "pg_is_in_recovery()");
inline constexpr FamilyDescription kSystems =
    OfAll("spire_postgres_systems",
          "Different system identifiers among the nodes that answer; more than 1 means that names "
          "lead to databases that have nothing to do with each other.",
          "pg_control_system()");
inline constexpr FamilyDescription kLag =
    OfNode("spire_postgres_replication_lag_seconds", "seconds",
           "Age of what the standby shows: time since the primary was where the standby's replay "
           "is. 0 means that it has all; absent when unknown, see "
           "spire_postgres_replication_lag_state.",
           kWal);
inline constexpr FamilyDescription kLagAtLeast = OfNode(
    "spire_postgres_replication_lag_at_least_seconds", "seconds",
    "Lower bound of the lag, while it goes back to before this process watched the primary.", kWal);
inline constexpr FamilyDescription kLagBytes = OfNode(
    "spire_postgres_replication_lag_bytes", "bytes",
    "Log that the primary has flushed and the standby has not replayed, each asked directly.",
    kWal);
inline constexpr FamilyDescription kReplicationState = {"spire_postgres_replication_state",
                                                        MetricType::kStateSet,
                                                        "",
                                                        kReplicationStateLabels,
                                                        "What the replication to the node does.",
                                                        "all nodes",
                                                        kNodes* std::size(kReplicationStates)};
inline constexpr FamilyDescription kLagState = {
    "spire_postgres_replication_lag_state",
    MetricType::kStateSet,
    "",
    kLagStateLabels,
    "Whether the lag in seconds is known, or why it is absent.",
    "all nodes",
    kNodes* std::size(kLagStates)};
inline constexpr FamilyDescription kReceiverRunning =
    OfNode("spire_postgres_receiver_running", "",
           "Whether the standby has a WAL receiver. One that hangs runs too: see the age of its "
           "last message.",
           "pg_stat_get_wal_receiver()");
inline constexpr FamilyDescription kMessageAge =
    OfNode("spire_postgres_receiver_message_age_seconds", "seconds",
           "Time since the standby's receiver heard from its upstream; up to half of "
           "wal_receiver_timeout (30 s) is healthy on an idle database.",
           "pg_stat_get_wal_receiver().last_msg_receipt_time");
inline constexpr FamilyDescription kPaused =
    OfNode("spire_postgres_replay_paused", "",
           "Whether replay is paused on the standby, or asked to be.", "pg_is_wal_replay_paused()");
inline constexpr FamilyDescription kUnreplayed =
    OfNode("spire_postgres_unreplayed_bytes", "bytes",
           "Log that the standby has received and not replayed. 0 says nothing about its lag: one "
           "that is cut off has 0 too.",
           "pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()");
inline constexpr FamilyDescription kConflicts = {
    "spire_postgres_recovery_conflicts_total",
    MetricType::kCounter,
    "",
    kConflictLabels,
    "Queries of SPIRE's database that recovery cancelled on the standby.",
    "pg_stat_database_conflicts",
    kNodes* std::size(kConflictReasons)};
inline constexpr FamilyDescription kSenders = {
    "spire_postgres_senders",
    MetricType::kGauge,
    "",
    kSenderLabels,
    "WAL senders of the node by state; a standby that is cut off has none.",
    kSenderSource,
    kNodes* std::size(kSenderStates)};
inline constexpr FamilyDescription kStreaming = {
    "spire_postgres_streaming_standbys",
    MetricType::kGauge,
    "",
    kSyncLabels,
    "Standbys that stream from the node, by how commits wait for them.",
    kSenderSource,
    kNodes* std::size(kSyncStates)};
inline constexpr FamilyDescription kReplyAge =
    OfNode("spire_postgres_sender_reply_age_seconds", "seconds",
           "Longest time since a streaming standby of the node replied, by both servers' clocks; "
           "more than 20 s means that its receiver hangs.",
           "pg_stat_get_wal_senders().reply_time");
inline constexpr FamilyDescription kSynchronous =
    OfNode("spire_postgres_synchronous_required", "",
           "Whether synchronous_standby_names is set: commits then wait for a standby, and for "
           "ever when none is sync or quorum.",
           "synchronous_standby_names");
inline constexpr FamilyDescription kSlotCount =
    OfNode("spire_postgres_slots", "", "Replication slots of the node, without temporary ones.",
           kSlotSource);
inline constexpr FamilyDescription kSlotState = {
    "spire_postgres_slot_state",
    MetricType::kStateSet,
    "",
    kSlotStateLabels,
    "What the slot is: lost means that log which its standby needs is gone, and that the standby "
    "must be rebuilt.",
    kSlotSource,
    kSlots* std::size(kSlotStates)};
inline constexpr FamilyDescription kInactiveSince =
    OfSlot("spire_postgres_slot_inactive_since_timestamp_seconds", "seconds",
           "Since when nobody uses the slot, as Unix time: from PostgreSQL 17 on by its own word, "
           "before since this process first saw it so.");
inline constexpr FamilyDescription kRetained =
    OfSlot("spire_postgres_slot_retained_bytes", "bytes",
           "Log that the slot keeps; absent for a slot that keeps none, as an unused or lost one.");
inline constexpr FamilyDescription kSafe =
    OfSlot("spire_postgres_slot_safe_bytes", "bytes",
           "Log that may still be written before the slot is lost, negative when it is about to "
           "be; absent without max_slot_wal_keep_size and before PostgreSQL 13.");
inline constexpr FamilyDescription kInvalidation = {
    "spire_postgres_slot_invalidation",
    MetricType::kStateSet,
    "",
    kInvalidationLabels,
    "Why the slot is invalid, all 0 when it is not; from PostgreSQL 17 on.",
    kSlotSource,
    kSlots* std::size(kInvalidations)};

}  // namespace spire_exporter::postgres::family

#endif  // COLLECTORS_POSTGRES_REPLICATION_FAMILY_TABLE_H_
