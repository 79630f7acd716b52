// Who is connected, for how long its transactions are open, and what keeps old rows alive.
#ifndef COLLECTORS_POSTGRES_CAPACITY_SESSIONS_H_
#define COLLECTORS_POSTGRES_CAPACITY_SESSIONS_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/postgres/connection.h"
#include "collectors/postgres/statistics_scope.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::postgres {

enum class SessionState {
  kActive,
  kIdle,
  kIdleInTransaction,  // aborted or not
  kOther,              // a fastpath call, or track_activities is off
  kHidden,             // the right to see it is missing
};
inline constexpr size_t kSessionStateCount = 5;
inline constexpr std::string_view kSessionStates[kSessionStateCount] = {
    "active", "idle", "idle_in_transaction", "other", "hidden"};

// Sessions that do not differ in what is of interest.
struct SessionGroup {
  // backend_type: `client backend`, `walsender`, `autovacuum worker`; `other`; `hidden` for what
  // is most likely a client, `hidden_other` for the rest.
  std::string kind;
  std::optional<std::string> state;   // as PostgreSQL spells it
  bool in_database = false;           // in ours
  std::optional<int64_t> spire_role;  // of SPIRE's sessions
  bool plaintext = false;             // of SPIRE's: over the network and not encrypted
  std::string address;                // of SPIRE's; empty for a unix socket
  int64_t count = 0;
  // Of those that are not ours; nothing when there is none.
  int64_t long_transactions = 0;
  std::optional<double> transaction_seconds;  // the oldest transaction
  std::optional<double> idle_seconds;         // the longest idle in a transaction
  std::optional<int64_t> xmin_age;            // the oldest snapshot, in transactions
};

struct SessionsReading {
  std::vector<SessionGroup> groups;
  int64_t connections_limit = 0;  // max_connections
  // For superusers and, from PostgreSQL 16, for pg_use_reserved_connections.
  int64_t reserved = 0;
};

// One pass over the server's table of sessions.
Result<SessionsReading> ReadSessions(pg::Connection& connection, const StatisticsScope& scope,
                                     Duration long_transaction);

// What holds back the removal of dead rows.
enum class XminHolder { kBackend, kPrepared, kSlot, kStandbyFeedback };
inline constexpr size_t kXminHolderCount = 4;
inline constexpr std::string_view kXminHolders[kXminHolderCount] = {"backend", "prepared", "slot",
                                                                    "standby_feedback"};

struct TransactionsReading {
  int64_t prepared = 0;
  std::optional<double> prepared_seconds;    // the oldest; nothing when there is none
  std::optional<int64_t> prepared_xmin_age;  // in transactions
  std::optional<int64_t> slot_xmin_age;
};

// Prepared transactions and slots.
Result<TransactionsReading> ReadTransactions(pg::Connection& connection);

// What the groups come to. Pure.
struct SessionSummary {
  std::array<int64_t, kSessionStateCount> connections{};
  std::array<int64_t, kSessionStateCount> spires{};
  int64_t hidden = 0;  // whatever it is
  int64_t spires_hidden = 0;
  // For SPIRE, in what is left by PostgreSQL, the database and SPIRE's roles, whatever is least.
  int64_t available = 0;
  std::set<std::string> clients;  // addresses that SPIRE's sessions come from
  int64_t plaintext = 0;          // SPIRE's sessions
  int64_t superuser = 0;
  int64_t long_transactions = 0;
  double transaction_seconds = 0;
  double idle_seconds = 0;
  // Backends and standbys without a slot; 0 when none holds anything.
  int64_t backend_xmin_age = 0;
  int64_t feedback_xmin_age = 0;
};
SessionSummary Summarize(const SessionsReading& reading, const StatisticsScope& scope);

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_CAPACITY_SESSIONS_H_
