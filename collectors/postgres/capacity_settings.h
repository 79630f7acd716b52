// The settings that matter to SPIRE, as they hold for SPIRE's sessions.
#ifndef COLLECTORS_POSTGRES_CAPACITY_SETTINGS_H_
#define COLLECTORS_POSTGRES_CAPACITY_SETTINGS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/postgres/connection.h"
#include "collectors/postgres/statistics_scope.h"
#include "exporter/base/result.h"

namespace spire_exporter::postgres {

// Sorted.
inline constexpr std::string_view kWatchedSettings[] = {
    "autovacuum",
    "fsync",
    "full_page_writes",
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "max_connections",
    "max_slot_wal_keep_size",
    "statement_timeout",
    "superuser_reserved_connections",
    "synchronous_commit",
    "synchronous_standby_names",
    "wal_level",
};

// As the server's views tell it.
struct RawSetting {
  std::string name;
  std::string reset_value;  // what our session would have had, had it set nothing itself
  std::string unit;         // of bare numbers: `ms`, `8kB`, empty
  std::string type;         // vartype: `bool`, `enum`, `integer`, ...
};
// A row of pg_db_role_setting: what ALTER ROLE and ALTER DATABASE say.
struct SettingOverride {
  int64_t database = 0;    // 0 for all
  int64_t role = 0;        // 0 for all
  std::string assignment;  // `statement_timeout=5s`
};
struct RawSettings {
  std::vector<RawSetting> settings;
  std::vector<SettingOverride> overrides;  // of our database, for SPIRE's roles and ours
  int64_t our_role = 0;
  int64_t pending_restart = 0;
};

struct SettingsReading {
  // Those that are known, as text: a plain number in seconds, bytes or without a unit; `on`, `off`;
  // a word. Settings that this version does not have are missing.
  std::map<std::string, std::string, std::less<>> values;
  int64_t pending_restart = 0;  // of all settings, those that wait for a restart

  std::optional<std::string_view> Find(std::string_view name) const;
  std::optional<double> Number(std::string_view name) const;
};

// Pure. PostgreSQL's order (ALTER ROLE in "Notes"): role in database, role, database, everybody,
// then the file. What our own role has of its own says nothing about SPIRE's, and hides what the
// file says: such a value is unknown, unless SPIRE's role has one too. What a session sets for
// itself is not seen.
SettingsReading EffectiveSettings(const RawSettings& raw, const StatisticsScope& scope);

// `5min` in the base unit (seconds, bytes), by the unit of bare numbers; nothing for nonsense. -1
// stays what it is: no limit.
std::optional<double> ParseSetting(std::string_view text, std::string_view unit);

// How many settings two servers both tell and tell differently.
int64_t CountDifferences(const SettingsReading& a, const SettingsReading& b);

Result<SettingsReading> ReadSettings(pg::Connection& connection, const StatisticsScope& scope);

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_CAPACITY_SETTINGS_H_
