// Versions of SPIRE and how far apart they may be, by SPIRE's own rules.
#ifndef COLLECTORS_SKEW_VERSIONS_H_
#define COLLECTORS_SKEW_VERSIONS_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spire_exporter::skew {

// Value type, in the order of releases.
struct Version {
  int64_t major = 0, minor = 0, patch = 0;

  auto operator<=>(const Version&) const = default;
  std::string ToString() const;  // `1.15.3`
};

// `1.15.3`, `1.16.0-dev-abc`: what follows the three numbers, behind a dash or a plus, is left out.
// Nothing for another text, and for numbers of more than four digits.
std::optional<Version> ParseVersion(std::string_view text);

// By how many minor versions `newer` is newer; negative when it is older. 0.12 counts as the minor
// version before 1.0 (doc/upgrading.md). Nothing across other major versions.
std::optional<int64_t> MinorsApart(const Version& newer, const Version& older);

// Servers of one cluster: the newest and the oldest within one minor version of each other.
bool ServersFit(const Version& one, const Version& other);

// An agent beside its server: not newer, patch versions included, and at most one minor version
// older.
enum class AgentFit { kFits, kNewer, kTooOld };
AgentFit HowAgentFits(const Version& agent, const Version& server);

// The newest schema of the database that a version of the server knows, where that is known for
// certain: 1.2 to 1.15, from the table in pkg/server/datastore/sqlstore/migration.go.
std::optional<int64_t> SchemaOf(const Version& server);

}  // namespace spire_exporter::skew

#endif  // COLLECTORS_SKEW_VERSIONS_H_
