// What one node says of the replication, read by a few cheap statements into plain values.
#ifndef COLLECTORS_POSTGRES_REPLICATION_READING_H_
#define COLLECTORS_POSTGRES_REPLICATION_READING_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/postgres/connection.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::postgres {

// Positions in the log are bytes from its beginning. A value that the server does not have, or does
// not show to this role, is absent.

// The row of pg_stat_wal_receiver; all but its being there needs pg_read_all_stats.
struct ReceiverReading {
  std::optional<std::string> status;
  std::optional<int64_t> timeline;      // received_tli
  std::optional<uint64_t> upstream_at;  // latest_end_lsn: where upstream was when it last spoke
  std::optional<double> message_age;    // seconds since the last message, by the node's own clock
};

// Read every round.
struct PositionReading {
  SteadyTime asked;  // by our clock: the values are of some time between the two
  SteadyTime answered;
  bool in_recovery = false;
  int64_t started_us = 0;  // pg_postmaster_start_time(): tells one life of a server from another
  // Of a primary: what it has flushed (no standby can have more), and its timeline.
  std::optional<uint64_t> flushed;
  std::optional<int64_t> timeline;
  // Of a standby.
  std::optional<uint64_t> received;
  std::optional<uint64_t> replayed;
  std::optional<bool> paused;        // or asked to pause
  std::optional<double> commit_age;  // pg_last_xact_replay_timestamp(); seconds
  std::optional<ReceiverReading> receiver;

  SteadyTime At() const { return asked + (answered - asked) / 2; }
};

// From the control file. Read when a server is met for the first time in its life or role, and now
// and then.
struct IdentityReading {
  std::optional<int64_t> system;  // system_identifier
  // Of a standby: what it replays is of this timeline or a later one.
  std::optional<int64_t> timeline_at_least;
};

struct SlotReading {
  std::string name;
  bool logical = false;
  bool active = false;
  std::optional<uint64_t> restart;        // restart_lsn
  std::optional<std::string> wal_status;  // from PostgreSQL 13 on
  std::optional<int64_t> safe_wal_size;   // from 13 on, where max_slot_wal_keep_size is set
  std::optional<bool> conflicting;        // from 16 on
  std::optional<double> inactive_since;   // from 17 on; Unix time
  std::optional<std::string> invalidation_reason;  // from 17 on
};

inline constexpr std::array<std::string_view, 6> kSenderStates = {
    "startup", "catchup", "streaming", "backup", "stopping", "other"};
inline constexpr std::array<std::string_view, 4> kSyncStates = {"async", "potential", "sync",
                                                                "quorum"};
inline constexpr std::array<std::string_view, 6> kConflictReasons = {
    "tablespace", "lock", "snapshot", "bufferpin", "deadlock", "logical_slot"};

struct SendersReading {
  std::array<int64_t, kSenderStates.size()> by_state = {};
  std::array<int64_t, kSyncStates.size()> by_sync = {};  // of those that stream
  std::optional<double> reply_age_max;                   // seconds; of those that stream
};

// Read every few seconds.
struct SurroundingsReading {
  std::optional<SendersReading> senders;  // absent when the role may not see their states
  // Queries of the database that recovery cancelled, as kConflictReasons; the last from 16 on.
  std::array<std::optional<int64_t>, kConflictReasons.size()> conflicts;
  static constexpr size_t kSlotsMax = 32;
  int64_t slots_total = 0;         // without temporary ones
  std::vector<SlotReading> slots;  // the first by name
};

// Read once a minute.
struct SettingsReading {
  std::optional<double> receiver_timeout;  // seconds; 0 is never
  std::optional<double> sender_timeout;
  bool synchronous = false;  // synchronous_standby_names is set
  // default_transaction_read_only, unless it is this role's own.
  std::optional<bool> read_only;
  bool may_read_stats = false;  // has the privileges of pg_read_all_stats
};

struct ReadPlan {
  bool surroundings = false;
  bool identity = false;
  bool settings = false;
  // The life and role of the server when it was read last: identity and settings are read whatever
  // the plan says when these are others.
  std::optional<int64_t> started_us;
  bool in_recovery = false;
};

struct NodeReading {
  int version = 0;  // server_version_num
  PositionReading position;
  std::optional<IdentityReading> identity;
  std::optional<SurroundingsReading> surroundings;
  std::optional<SettingsReading> settings;
  Status problem;  // what of the plan failed; the position stands
};

// Asks one node. Fails when its position cannot be read.
Result<NodeReading> ReadNode(pg::Connection& connection, const ReadPlan& plan, const Clock& clock);

// The statements as they are sent to a server of that version, for tests and documentation.
std::string PositionStatement();
std::string IdentityStatement();
std::string SurroundingsStatement(int version);
std::string SettingsStatement();

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_REPLICATION_READING_H_
