#include <string>
#include <string_view>

#include "collectors/postgres/replication_reading.h"

namespace spire_exporter::postgres {
namespace {

// What servers before a version do not have, PostgreSQL 12 to 18: release notes of each, "System
// Views". `mark` stands for the expression in the statement.
struct Gate {
  std::string_view mark;
  int from;
  std::string_view expression;
  std::string_view before;
};
constexpr Gate kGates[] = {
    {"{wal_status}", 13, "wal_status", "NULL::text"},
    {"{safe_wal_size}", 13, "safe_wal_size", "NULL::int8"},
    {"{conflicting}", 16, "conflicting", "NULL::bool"},
    {"{confl_logical_slot}", 16, "confl_active_logicalslot", "NULL::int8"},
    {"{inactive_since}", 17, "extract(epoch FROM inactive_since)::float8", "NULL::float8"},
    {"{invalidation_reason}", 17, "invalidation_reason", "NULL::text"},
};

std::string ForVersion(std::string statement, int version) {
  for (const Gate& gate : kGates) {
    const size_t at = statement.find(gate.mark);
    if (at == std::string::npos) continue;
    statement.replace(at, gate.mark.size(),
                      version >= gate.from * 10'000 ? gate.expression : gate.before);
  }
  return statement;
}

}  // namespace

// pg_walfile_name() begins with the timeline, and is every role's.
std::string PositionStatement() {
  return "SELECT r.recovery,"
         " (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::int8,"
         " CASE WHEN NOT r.recovery THEN pg_current_wal_flush_lsn() END,"
         " CASE WHEN NOT r.recovery THEN substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8)"
         " END,"
         " pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(),"
         " CASE WHEN r.recovery THEN pg_is_wal_replay_paused() END,"
         " extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8,"
         " w.pid IS NOT NULL, w.status, w.received_tli, w.latest_end_lsn,"
         " extract(epoch FROM clock_timestamp() - w.last_msg_receipt_time)::float8"
         " FROM (SELECT pg_is_in_recovery() AS recovery OFFSET 0) r"
         " LEFT JOIN pg_stat_get_wal_receiver() w ON w.pid IS NOT NULL";
}

std::string IdentityStatement() {
  return "SELECT s.system_identifier, c.timeline_id, r.min_recovery_end_timeline"
         " FROM pg_control_system() s, pg_control_checkpoint() c, pg_control_recovery() r";
}

// The functions under the views, because the views join what is not needed.
std::string SurroundingsStatement(int version) {
  return ForVersion(
      "SELECT s.*, c.*, n.total, k.* FROM"
      " (SELECT count(*) AS senders, count(state),"
      " count(*) FILTER (WHERE state = 'startup'), count(*) FILTER (WHERE state = 'catchup'),"
      " count(*) FILTER (WHERE state = 'streaming'), count(*) FILTER (WHERE state = 'backup'),"
      " count(*) FILTER (WHERE state = 'stopping'),"
      " count(*) FILTER (WHERE state = 'streaming' AND sync_state = 'async'),"
      " count(*) FILTER (WHERE state = 'streaming' AND sync_state = 'potential'),"
      " count(*) FILTER (WHERE state = 'streaming' AND sync_state = 'sync'),"
      " count(*) FILTER (WHERE state = 'streaming' AND sync_state = 'quorum'),"
      " extract(epoch FROM clock_timestamp() - min(reply_time) FILTER (WHERE state = 'streaming'))"
      "::float8 FROM pg_stat_get_wal_senders()) s"
      " LEFT JOIN (SELECT confl_tablespace, confl_lock, confl_snapshot, confl_bufferpin,"
      " confl_deadlock, {confl_logical_slot} FROM pg_stat_database_conflicts"
      " WHERE datname = current_database()) c ON true"
      " CROSS JOIN (SELECT count(*) AS total FROM pg_get_replication_slots() WHERE NOT temporary) n"
      " LEFT JOIN (SELECT slot_name, slot_type = 'logical', active, restart_lsn, {wal_status},"
      " {safe_wal_size}, {conflicting}, {inactive_since}, {invalidation_reason}"
      " FROM pg_get_replication_slots() WHERE NOT temporary ORDER BY slot_name LIMIT 32) k ON true",
      version);
}

// Our session is read-only by its own setting, so that the value asked for is the one a reset would
// bring; a setting of our role alone says nothing about SPIRE's.
std::string SettingsStatement() {
  return "SELECT extract(epoch FROM current_setting('wal_receiver_timeout')::interval)::float8,"
         " extract(epoch FROM current_setting('wal_sender_timeout')::interval)::float8,"
         " current_setting('synchronous_standby_names') <> '',"
         " CASE WHEN NOT EXISTS (SELECT 1 FROM pg_db_role_setting d, unnest(d.setconfig) AS one"
         " WHERE d.setrole = (SELECT oid FROM pg_roles WHERE rolname = session_user)"
         " AND one LIKE 'default_transaction_read_only=%') THEN"
         " (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only')"
         " END,"
         " pg_has_role('pg_read_all_stats', 'USAGE')";
}

}  // namespace spire_exporter::postgres
