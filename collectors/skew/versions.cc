#include "collectors/skew/versions.h"

#include <cstdlib>

namespace spire_exporter::skew {
namespace {

// A number of up to four digits at the front; it is taken off.
std::optional<int64_t> TakeNumber(std::string_view* text) {
  int64_t number = 0;
  size_t digits = 0;
  while (digits < text->size() && (*text)[digits] >= '0' && (*text)[digits] <= '9') {
    if (digits == 4) return std::nullopt;
    number = number * 10 + ((*text)[digits] - '0');
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  text->remove_prefix(digits);
  return number;
}

bool TakeDot(std::string_view* text) {
  if (!text->starts_with('.')) return false;
  text->remove_prefix(1);
  return true;
}

}  // namespace

std::string Version::ToString() const {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

std::optional<Version> ParseVersion(std::string_view text) {
  const auto major = TakeNumber(&text);
  if (!major || !TakeDot(&text)) return std::nullopt;
  const auto minor = TakeNumber(&text);
  if (!minor || !TakeDot(&text)) return std::nullopt;
  const auto patch = TakeNumber(&text);
  if (!patch || !(text.empty() || text.front() == '-' || text.front() == '+')) return std::nullopt;
  return Version{*major, *minor, *patch};
}

std::optional<int64_t> MinorsApart(const Version& newer, const Version& older) {
  if (newer.major == older.major) return newer.minor - older.minor;
  const auto last_before_one = [](const Version& version) {
    return version.major == 0 && version.minor == 12;
  };
  if (newer.major == 1 && last_before_one(older)) return newer.minor + 1;
  if (older.major == 1 && last_before_one(newer)) return -(older.minor + 1);
  return std::nullopt;
}

bool ServersFit(const Version& one, const Version& other) {
  const auto apart = MinorsApart(one, other);
  return apart && std::abs(*apart) <= 1;
}

AgentFit HowAgentFits(const Version& agent, const Version& server) {
  if (agent > server) return AgentFit::kNewer;
  const auto apart = MinorsApart(server, agent);
  return apart && *apart <= 1 ? AgentFit::kFits : AgentFit::kTooOld;
}

std::optional<int64_t> SchemaOf(const Version& server) {
  if (server.major != 1) return std::nullopt;
  switch (server.minor) {
    case 2:
      return 18;
    case 3:
      return server.patch >= 2 ? 19 : 18;
    case 4:
    case 5:
      return 19;
    case 6:
      return 21;
    case 7:
      return server.patch >= 2 ? 22 : 21;
    case 14:
      return server.patch >= 3 ? 24 : 23;
    case 15:
      return 25;
    default:
      if (server.minor >= 8 && server.minor <= 13) return 23;
      return std::nullopt;
  }
}

}  // namespace spire_exporter::skew
