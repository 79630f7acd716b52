// What signs identities and what is trusted to, as SPIRE's database has it. Value types.
#ifndef COLLECTORS_CLIENTS_SPIRE_AUTHORITY_H_
#define COLLECTORS_CLIENTS_SPIRE_AUTHORITY_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spire_exporter::spire {

enum class AuthorityType { kX509, kJwt, kWit };
inline constexpr std::array kAuthorityTypes = {AuthorityType::kX509, AuthorityType::kJwt,
                                               AuthorityType::kWit};
// `x509`, `jwt`, `wit`: the label `type`.
std::string_view AuthorityTypeName(AuthorityType type);

// Where a server keeps an authority: to be used next, signing now, or not any more.
enum class Slot { kUnknown, kPrepared, kActive, kOld };
// `prepared`, `active`, `old`, `unknown`: the label `slot`.
std::string_view SlotName(Slot slot);

// Between 1970 and 9999, whatever a record says.
using UnixTime = std::chrono::sys_seconds;

// An authority as the journal of its server has it. The journal knows nothing of taint or
// revocation: the bundle says it.
struct JournalAuthority {
  AuthorityType type = AuthorityType::kX509;
  Slot slot = Slot::kUnknown;
  // The subject key id of the certificate in lower-case hex, or the key id of a token's key.
  std::string id;
  UnixTime issued_at;
  UnixTime not_after;  // L, the lifetime that SPIRE's rules go by, is not_after - issued_at

  // X.509 alone, of the certificate and its chain.
  bool self_issued = false;  // its own root, so that it is in the bundle itself
  // The authority key id of the certificate, in hex; empty when it has none.
  std::string upstream_id;
  // The authority key id of the last certificate of the chain: the root that must be in the bundle.
  std::string chain_end;
  // The authority key ids of all of the chain, `upstream_id` and `chain_end` among them.
  std::vector<std::string> issuers;
  // The first of the certificates between this one and the root to end.
  std::optional<UnixTime> chain_not_after;

  bool operator==(const JournalAuthority&) const = default;
};

// One row of ca_journals: the authorities of one server.
struct Journal {
  static constexpr size_t kKeptPerType = 10;  // SPIRE forgets what is beyond, the oldest first
  std::vector<JournalAuthority> authorities;  // by type, in the order of the journal
  size_t unreadable = 0;                      // entries that cannot be read

  bool operator==(const Journal&) const = default;
};

// An authority that a trust domain trusts.
struct BundleAuthority {
  AuthorityType type = AuthorityType::kX509;
  // As in JournalAuthority; empty for a certificate without a subject key id.
  std::string id;
  std::optional<UnixTime> not_before;  // X.509 alone
  std::optional<UnixTime> not_after;   // absent when it never ends, or is not told
  bool tainted = false;
  uint64_t subject_hash = 0;  // X.509: equal for equal subjects

  bool operator==(const BundleAuthority&) const = default;
};

// One row of bundles.
struct Bundle {
  std::string trust_domain;  // `example.org`; empty when it is not the name of one
  std::vector<BundleAuthority> authorities;
  std::optional<std::chrono::seconds> refresh_hint;
  uint64_t sequence_number = 0;  // 0: the bundle is not numbered, as those of other domains
  size_t unreadable = 0;         // certificates and keys that cannot be read

  bool operator==(const Bundle&) const = default;
};

// The eight hex digits that may name a public authority in a label: the first of an id in hex, else
// of the SHA-256 of the id. Empty for an empty id.
std::string ShortId(std::string_view id);

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_AUTHORITY_H_
