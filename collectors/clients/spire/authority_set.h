// The authorities of all servers and what is trusted, as the database had them at one moment:
// published for other collectors.
#ifndef COLLECTORS_CLIENTS_SPIRE_AUTHORITY_SET_H_
#define COLLECTORS_CLIENTS_SPIRE_AUTHORITY_SET_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/spire/authority.h"

namespace spire_exporter::spire {

// A row of ca_journals: one server, perhaps a dead one. Value type, sharing what was read.
struct JournalRow {
  int64_t id = 0;  // of the row; a server keeps it for as long as it keeps its keys
  std::optional<double> created_seconds;  // Unix time
  std::optional<double> updated_seconds;
  std::string digest;                      // of the record; empty when it was not read
  std::shared_ptr<const Journal> journal;  // null when it cannot be read
};

// A row of bundles.
struct BundleRow {
  int64_t id = 0;
  std::string trust_domain;  // `example.org`; empty when it is not the name of one
  std::optional<double> updated_seconds;
  std::string digest;
  std::shared_ptr<const Bundle> bundle;  // null when it cannot be read
};

// Whether what an authority signs is trusted, by the bundle.
enum class Trust {
  kTrusted,
  kTainted,          // itself: everything it signed is to be replaced
  kUpstreamTainted,  // what it chains to
  kAbsent,           // revoked; of an active one: nobody can verify what it signs
  kUnknown,          // without a bundle, or where the chain does not tell its root
};
Trust TrustOf(const JournalAuthority& authority, const Bundle& bundle);

// Who may have put an authority that no journal has into the bundle.
enum class Origin {
  // Nobody that is known. Somebody may have written it there.
  kUnknown,
  // It ends before whatever the journals still name: of a server older than 1.9, which had no row,
  // or of more rotations than a journal keeps.
  kLeftover,
  // The servers chain to an upstream authority, whose other roots and keys are in the bundle too.
  kUpstream,
};

struct UnownedAuthority {
  BundleAuthority authority;
  Origin origin = Origin::kUnknown;
};

// The fact's subject.
inline constexpr std::string_view kAuthoritySetSubject = "database";

struct AuthoritySet {
  std::vector<JournalRow> journals;  // by id
  // All rows are here and could be read, and there is one at least: what is in no journal is
  // nobody's. A server older than 1.9 has no row, so that none at all means unknown.
  bool journals_whole = false;
  std::optional<BundleRow> bundle;  // of our own trust domain, when it is known which one it is
  std::vector<BundleRow> federated;
  // Seen twice in a row, because a server writes its bundle before its journal.
  std::vector<UnownedAuthority> unowned;
};

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_AUTHORITY_SET_H_
