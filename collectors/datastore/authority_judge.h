// What the authorities of all servers come to, held against the bundle. Pure, without a database.
#ifndef COLLECTORS_DATASTORE_AUTHORITY_JUDGE_H_
#define COLLECTORS_DATASTORE_AUTHORITY_JUDGE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/spire/authority_set.h"
#include "exporter/base/clock.h"

namespace spire_exporter::datastore {

// When SPIRE prepares the next authority and when it activates it: min(L/2, 30 days) and
// min(L/6, 7 days) before the end, with L the lifetime that the journal says (SPIRE's CA manager).
spire::UnixTime PrepareAt(const spire::JournalAuthority& authority);
spire::UnixTime ActivateAt(const spire::JournalAuthority& authority);
// How long after that it is overdue: SPIRE looks every ten seconds, and a try may fail. A
// twenty-fourth of L, 30 s at least and 5 min at most.
std::chrono::seconds OverdueAfter(const spire::JournalAuthority& authority);

// Which bundle is our own trust domain's: the one of that name; without a name, the one whose
// authorities the journals own, or the only one. Nothing when that tells none or several.
std::optional<size_t> OwnBundle(const std::vector<spire::BundleRow>& bundles,
                                const std::vector<spire::JournalRow>& journals,
                                std::string_view trust_domain);

// An authority of a server that counts: prepared, active, or old and still to end. What ended an
// hour ago is left out, as nothing that it signed is of use.
struct AuthorityVerdict {
  int64_t row = 0;
  spire::JournalAuthority authority;
  spire::Trust trust = spire::Trust::kUnknown;
  // The first end above it, of a chain or of the root in the bundle; of one that has an upstream.
  std::optional<spire::UnixTime> upstream_not_after;
};

// One server's authorities of one type, by its active one. Absent for a type that it has none of.
struct ServerVerdict {
  int64_t row = 0;
  spire::AuthorityType type = spire::AuthorityType::kX509;
  bool prepared = false;  // the next one is there
  spire::UnixTime prepare_at;
  spire::UnixTime activate_at;
};

// Over all servers, of one type. Only authorities that have not ended count.
struct TypeTally {
  size_t prepare_overdue = 0;   // servers
  size_t activate_overdue = 0;  // servers
  size_t active_tainted = 0;    // servers that sign with one that is tainted itself
  size_t active_upstream_tainted = 0;
  size_t active_missing = 0;  // servers, seen twice in a row: nobody can verify what they sign
  size_t revoked = 0;         // old ones that are in the bundle no more
  std::array<size_t, 3> unowned{};  // by Origin, seen twice in a row
  // Authorities of our own bundle.
  size_t valid = 0;
  size_t tainted = 0;  // and not ended
  size_t expired = 0;
};

struct FederatedVerdict {
  std::string trust_domain;
  std::optional<double> updated_seconds;
  std::optional<spire::UnixTime> first_expiry;  // of X.509 authorities that have not ended
  std::optional<spire::UnixTime> last_expiry;   // of all X.509 authorities
  std::array<size_t, 3> authorities{};          // by type
};

struct Judgement {
  // Servers by the state of their X.509 authority.
  size_t servers_live = 0;
  size_t servers_expired = 0;
  size_t servers_unreadable = 0;
  std::vector<AuthorityVerdict> authorities;  // active ones first, then by row
  std::vector<ServerVerdict> servers;
  std::array<TypeTally, 3> types;  // by type
  bool journals_known = false;     // at least one row
  bool bundle_known = false;       // which one is ours, and it can be read
  bool unowned_known = false;
  size_t same_subject = 0;  // most X.509 authorities of our bundle that have one subject
  std::vector<FederatedVerdict> federated;  // by trust domain; those that can be read
};

// Counts what is there in two readings in a row.
class SeenTwice {
 public:
  void Next(std::set<std::string> seen);
  bool Has(const std::string& key) const { return twice_.contains(key); }

 private:
  std::set<std::string> last_;
  std::set<std::string> twice_;
};

// Judges reading after reading of one database. Not safe from several threads.
class AuthorityJudge {
 public:
  // `anew`: a reading that was not judged before, for what must be seen twice; else only the time
  // has gone on. Fills set->unowned.
  Judgement Judge(spire::AuthoritySet* set, SystemTime now, bool anew);

 private:
  void JudgeMissing(spire::UnixTime now, bool anew, Judgement* judgement);
  void JudgeUnowned(spire::UnixTime now, bool anew, spire::AuthoritySet* set, Judgement* judgement);

  SeenTwice unowned_;
  SeenTwice missing_;
};

// Changes of our own bundle that SPIRE did not make: it gives each change a number.
class BundleWatch {
 public:
  void Observe(const spire::BundleRow& row);

  bool watching() const { return watching_; }  // a numbered bundle was seen
  uint64_t unsequenced() const { return unsequenced_; }
  uint64_t rewinds() const { return rewinds_; }  // the number fell: an older database came back

 private:
  bool watching_ = false;
  std::string trust_domain_;
  std::string digest_;
  uint64_t sequence_number_ = 0;
  uint64_t unsequenced_ = 0;
  uint64_t rewinds_ = 0;
};

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_AUTHORITY_JUDGE_H_
