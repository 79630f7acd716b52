#include "collectors/postgres/capacity_settings.h"

#include <array>
#include <charconv>
#include <cmath>

#include "exporter/base/text.h"

namespace spire_exporter::postgres {
namespace {

struct Unit {
  std::string_view name;
  double factor;  // to seconds or bytes
};
// PostgreSQL's units of parameters (documentation, 20.1.1), and those of pg_settings.unit.
constexpr Unit kUnits[] = {
    {"us", 1e-6},    {"ms", 1e-3},   {"s", 1},           {"min", 60},   {"h", 3600},
    {"d", 86400},    {"B", 1},       {"kB", 1024},       {"8kB", 8192}, {"MB", 1048576},
    {"GB", 1 << 30}, {"TB", 0x1p40}, {"16MB", 16 << 20}, {"", 1},
};

std::optional<double> Factor(std::string_view unit) {
  for (const Unit& each : kUnits) {
    if (each.name == unit) return each.factor;
  }
  return std::nullopt;
}

// The shortest text that reads as the number again.
std::string Shortest(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::optional<std::string_view> Assigned(const RawSettings& raw, std::string_view name,
                                         int64_t database, int64_t role) {
  for (const SettingOverride& each : raw.overrides) {
    const std::string_view assignment = each.assignment;
    const size_t equals = assignment.find('=');
    if (each.database == database && each.role == role && equals != std::string_view::npos &&
        assignment.substr(0, equals) == name) {
      return assignment.substr(equals + 1);
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> Effective(const RawSettings& raw, const StatisticsScope& scope,
                                          const RawSetting& setting) {
  const auto own = [&](int64_t role) {
    auto value = Assigned(raw, setting.name, scope.database, role);
    if (!value) value = Assigned(raw, setting.name, 0, role);
    return value;
  };
  if (!scope.roles.empty()) {
    if (const auto value = own(scope.roles.front().oid)) return value;
  }
  if (!own(raw.our_role)) return setting.reset_value;
  return own(0);
}

// PostgreSQL takes several words for a truth, also for synchronous_commit.
std::string Word(std::string_view value) {
  for (const std::string_view yes : {"true", "yes", "1"}) {
    if (value == yes) return "on";
  }
  for (const std::string_view no : {"false", "no", "0"}) {
    if (value == no) return "off";
  }
  return std::string(value);
}

std::string Normal(std::string_view value, const RawSetting& setting) {
  if (setting.type == "bool" || setting.type == "enum") return Word(value);
  if (setting.type == "string") return std::string(value);
  const auto number = ParseSetting(value, setting.unit);
  return number ? Shortest(*number) : std::string(value);
}

}  // namespace

std::optional<double> ParseSetting(std::string_view text, std::string_view unit) {
  text = Trim(text);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
  const std::string_view suffix = Trim(text.substr(static_cast<size_t>(end - text.data())));
  if (suffix.empty() && number == -1) return number;
  const auto factor = Factor(suffix.empty() ? unit : suffix);
  if (!factor) return std::nullopt;
  return number * *factor;
}

SettingsReading EffectiveSettings(const RawSettings& raw, const StatisticsScope& scope) {
  SettingsReading reading;
  reading.pending_restart = raw.pending_restart;
  for (const RawSetting& setting : raw.settings) {
    if (const auto value = Effective(raw, scope, setting)) {
      reading.values[setting.name] = Normal(*value, setting);
    }
  }
  return reading;
}

std::optional<std::string_view> SettingsReading::Find(std::string_view name) const {
  const auto at = values.find(name);
  if (at == values.end()) return std::nullopt;
  return at->second;
}

std::optional<double> SettingsReading::Number(std::string_view name) const {
  const auto text = Find(name);
  return text ? ParseSetting(*text, "") : std::nullopt;
}

int64_t CountDifferences(const SettingsReading& a, const SettingsReading& b) {
  int64_t count = 0;
  for (const auto& [name, value] : a.values) {
    const auto other = b.Find(name);
    if (other && *other != value) ++count;
  }
  return count;
}

Result<SettingsReading> ReadSettings(pg::Connection& connection, const StatisticsScope& scope) {
  std::string names;
  for (const std::string_view name : kWatchedSettings) {
    names += (names.empty() ? "" : ", ") + pg::Quoted(name);
  }
  const auto rows = connection.Query(
      "settings", "SELECT name, reset_val, unit, vartype, pending_restart, name IN (" + names +
                      "), (SELECT oid FROM pg_roles WHERE rolname = session_user) FROM pg_settings "
                      "WHERE pending_restart OR name IN (" +
                      names + ")");
  if (!rows.ok()) return rows.error();
  const auto overrides = connection.Query(
      "settings of roles and databases",
      "SELECT setdatabase, setrole, unnest(setconfig) FROM pg_db_role_setting "
      "WHERE setdatabase IN (0, " +
          std::to_string(scope.database) + ") AND (setrole IN (0, " + RoleList(scope) +
          ") OR setrole = (SELECT oid FROM pg_roles WHERE rolname = session_user))");
  if (!overrides.ok()) return overrides.error();
  RawSettings raw;
  rows->ForEach([&](const pg::Row& row) {
    if (row.Bool(4).value_or(false)) ++raw.pending_restart;
    raw.our_role = row.Int(6).value_or(0);
    if (row.Bool(5).value_or(false)) {
      raw.settings.push_back(
          {row.TextOr(0, ""), row.TextOr(1, ""), row.TextOr(2, ""), row.TextOr(3, "")});
    }
  });
  overrides->ForEach([&](const pg::Row& row) {
    raw.overrides.push_back({row.Int(0).value_or(0), row.Int(1).value_or(0), row.TextOr(2, "")});
  });
  return EffectiveSettings(raw, scope);
}

}  // namespace spire_exporter::postgres
