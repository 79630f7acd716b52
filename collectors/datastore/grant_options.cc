#include <array>
#include <charconv>
#include <utility>

#include "collectors/datastore/grants.h"
#include "collectors/datastore/schema.h"

namespace spire_exporter::datastore {
namespace {

constexpr std::array kFlags = {
    GrantFlag{"level", "N", "1",
              "1: the columns that are read, no secrets; 2: functions that give numbers, no rows"},
    GrantFlag{"role", "NAME", kDefaultRole, "The role that the exporter connects as"},
    GrantFlag{"owner", "NAME", "",
              "Level 2: whose rights the functions have (default: the owner of SPIRE's tables)"},
    GrantFlag{"schema", "NAME", "public", "The schema of SPIRE's tables"},
    GrantFlag{"postgres-version", "N", "15", "The server's major version: 12 to 18"},
    GrantFlag{"connection-limit", "N", "8",
              "Connections that the role may have: SPIRE's servers and two"},
    GrantFlag{"remove", "", "", "Print what takes everything away again"},
};

Error Wrong(std::string_view flag, std::string_view value, std::string_view expected) {
  return {Code::kInvalidArgument,
          "--" + std::string(flag) + "=" + std::string(value) + ": " + std::string(expected), "",
          false};
}

// Quotes are doubled where a name is used; what would end a dollar-quoted body, a comment or a line
// is not in a name. Bytes above 127 are: PostgreSQL takes them.
bool IsName(std::string_view name) {
  if (name.empty() || name.size() > 63) return false;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '$' || c == '\\') return false;
  }
  return !name.starts_with("pg_");
}

Result<std::string> Name(const GrantChoices& choices, std::string_view flag) {
  const std::string& value = choices.find(flag)->second;
  if (IsName(value)) return value;
  return Wrong(flag, value,
               "a name of up to 63 bytes is expected, without $ and \\, not beginning with pg_");
}

Result<int> Number(const GrantChoices& choices, std::string_view flag, int least, int most) {
  const std::string& value = choices.find(flag)->second;
  int number = 0;
  const char* const end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error == std::errc() && stop == end && number >= least && number <= most) return number;
  return Wrong(
      flag, value,
      "a number from " + std::to_string(least) + " to " + std::to_string(most) + " is expected");
}

}  // namespace

Result<GrantOptions> ReadGrantOptions(const GrantChoices& given) {
  GrantChoices choices = given;
  for (const GrantFlag& flag : kFlags) {
    choices.try_emplace(std::string(flag.name), std::string(flag.otherwise));
  }
  const Result<int> level = Number(choices, "level", 1, 2);
  if (!level.ok()) return level.error();
  const Result<int> version = Number(choices, "postgres-version", 12, 18);
  if (!version.ok()) return version.error();
  const Result<int> limit = Number(choices, "connection-limit", 1, 1000);
  if (!limit.ok()) return limit.error();
  Result<std::string> role = Name(choices, "role");
  if (!role.ok()) return role.error();
  Result<std::string> schema = Name(choices, "schema");
  if (!schema.ok()) return schema.error();
  if (*schema == kFunctionSchema) {
    return Wrong("schema", *schema, "the schema of SPIRE's tables is expected, this one is ours");
  }
  GrantOptions options;
  if (!choices["owner"].empty()) {
    Result<std::string> owner = Name(choices, "owner");
    if (!owner.ok()) return owner.error();
    options.owner = *std::move(owner);
  }
  options.level = *level;
  options.role = *std::move(role);
  options.schema = *std::move(schema);
  options.postgres_version = *version;
  options.connection_limit = *limit;
  options.remove = !choices["remove"].empty();
  return options;
}

std::span<const GrantFlag> GrantFlags() {
  return kFlags;
}

Result<std::string> GrantsText(const GrantChoices& choices) {
  const Result<GrantOptions> options = ReadGrantOptions(choices);
  if (!options.ok()) return options.error();
  return GrantsSql(*options);
}

}  // namespace spire_exporter::datastore
