#include "collectors/clients/spire/records.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "collectors/clients/spire/bundle.pb.h"
#include "collectors/clients/spire/certificate.h"
#include "collectors/clients/spire/journal.pb.h"
#include "collectors/clients/spire/unix_time.h"
#include "collectors/clients/spire/wire_bounds.h"

namespace spire_exporter::spire {
namespace {

constexpr size_t kIdBytesMax = 256;  // of a key id; SPIRE's have 32
constexpr size_t kTrustDomainMax = 255;
constexpr size_t kChainMax = 16;  // certificates above one authority
// Of a journal's entry: the chain, and what has a length beside it.
constexpr size_t kEntryElementsMax = kChainMax + 8;

Slot SlotOf(int64_t status) {
  switch (status) {
    case 2:
      return Slot::kPrepared;
    case 3:
      return Slot::kActive;
    case 4:
      return Slot::kOld;
    default:
      return Slot::kUnknown;
  }
}

template <typename Record>
Status Parse(std::string_view what, std::string_view record, Record* parsed) {
  // The name of the trust domain is an element too.
  if (Status fits = CheckBounds(what, record, kRecordBytesMax, kAuthoritiesMax + 1); !fits.ok()) {
    return fits;
  }
  if (parsed->ParseFromArray(record.data(), static_cast<int>(record.size()))) return {};
  return Error{Code::kDataLoss, std::string(what) + " that is no record of SPIRE's", "", false};
}

void AddRoot(const wire::RootCertificate& root, Bundle* bundle) {
  std::string_view der = root.der();
  do {
    const auto certificate = TakeCertificate(&der);
    if (!certificate || bundle->authorities.size() >= kAuthoritiesMax) {
      ++bundle->unreadable;
      return;
    }
    bundle->authorities.push_back({AuthorityType::kX509, certificate->subject_key_id,
                                   certificate->not_before, certificate->not_after, root.tainted(),
                                   certificate->subject_hash});
  } while (!der.empty());
}

template <typename Keys>
void AddKeys(AuthorityType type, const Keys& keys, Bundle* bundle) {
  for (const auto& key : keys) {
    if (key.key_id().empty() || key.key_id().size() > kIdBytesMax ||
        bundle->authorities.size() >= kAuthoritiesMax) {
      ++bundle->unreadable;
      continue;
    }
    BundleAuthority authority{type, key.key_id(), std::nullopt, std::nullopt, key.tainted(), 0};
    if (key.not_after() > 0) authority.not_after = ToUnixTime(key.not_after());
    bundle->authorities.push_back(std::move(authority));
  }
}

// False when a certificate of the chain cannot be read, or it is too long.
bool AddChain(const wire::CertificateEntry& entry, JournalAuthority* authority) {
  if (static_cast<size_t>(entry.upstream_chain_size()) > kChainMax) return false;
  for (const std::string& der : entry.upstream_chain()) {
    std::string_view rest = der;
    const auto certificate = TakeCertificate(&rest);
    if (!certificate) return false;
    authority->chain_end = certificate->authority_key_id;
    if (!certificate->authority_key_id.empty()) {
      authority->issuers.push_back(certificate->authority_key_id);
    }
    if (certificate->subject_key_id == authority->id) continue;  // the chain begins with it
    authority->chain_not_after = std::min(
        authority->chain_not_after.value_or(certificate->not_after), certificate->not_after);
  }
  return true;
}

bool AddCertificate(const wire::CertificateEntry& entry, Journal* journal) {
  std::string_view der = entry.certificate();
  const auto certificate = TakeCertificate(&der);
  if (!certificate || entry.authority_id().size() > kIdBytesMax) return false;
  JournalAuthority authority;
  authority.type = AuthorityType::kX509;
  authority.slot = SlotOf(entry.status());
  // The certificate is what is held against the bundle; what is written beside it only helps out.
  authority.id =
      certificate->subject_key_id.empty() ? entry.authority_id() : certificate->subject_key_id;
  authority.issued_at = ToUnixTime(entry.issued_at());
  authority.not_after =
      entry.not_after() > 0 ? ToUnixTime(entry.not_after()) : certificate->not_after;
  authority.self_issued = certificate->self_issued;
  if (authority.id.empty()) return false;
  if (!authority.self_issued) {
    authority.upstream_id = certificate->authority_key_id;
    authority.chain_end = authority.upstream_id;
    if (!authority.upstream_id.empty()) authority.issuers.push_back(authority.upstream_id);
    if (!AddChain(entry, &authority)) return false;
    std::sort(authority.issuers.begin(), authority.issuers.end());
    authority.issuers.erase(std::unique(authority.issuers.begin(), authority.issuers.end()),
                            authority.issuers.end());
  }
  journal->authorities.push_back(std::move(authority));
  return true;
}

bool AddKey(AuthorityType type, const wire::KeyEntry& entry, Journal* journal) {
  JournalAuthority authority;
  authority.type = type;
  authority.slot = SlotOf(entry.status());
  authority.id = entry.key_id().empty() ? entry.authority_id() : entry.key_id();
  authority.issued_at = ToUnixTime(entry.issued_at());
  authority.not_after = ToUnixTime(entry.not_after());
  if (authority.id.empty() || authority.id.size() > kIdBytesMax) return false;
  journal->authorities.push_back(std::move(authority));
  return true;
}

bool IsTrustDomainByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

}  // namespace

std::string_view AuthorityTypeName(AuthorityType type) {
  switch (type) {
    case AuthorityType::kX509:
      return "x509";
    case AuthorityType::kJwt:
      return "jwt";
    case AuthorityType::kWit:
      break;
  }
  return "wit";
}

std::string_view SlotName(Slot slot) {
  switch (slot) {
    case Slot::kPrepared:
      return "prepared";
    case Slot::kActive:
      return "active";
    case Slot::kOld:
      return "old";
    case Slot::kUnknown:
      break;
  }
  return "unknown";
}

std::string_view TrustDomainName(std::string_view id) {
  constexpr std::string_view kScheme = "spiffe://";
  if (id.starts_with(kScheme)) id.remove_prefix(kScheme.size());
  const bool is_one = !id.empty() && id.size() <= kTrustDomainMax &&
                      std::all_of(id.begin(), id.end(), IsTrustDomainByte);
  return is_one ? id : std::string_view();
}

Result<Bundle> ReadBundle(std::string_view record) {
  wire::BundleRecord parsed;
  if (Status status = Parse("a bundle", record, &parsed); !status.ok()) return status.error();
  Bundle bundle;
  bundle.trust_domain = TrustDomainName(parsed.trust_domain_id());
  if (parsed.refresh_hint() > 0 && parsed.refresh_hint() <= std::numeric_limits<int32_t>::max()) {
    bundle.refresh_hint = std::chrono::seconds(parsed.refresh_hint());
  }
  bundle.sequence_number = parsed.sequence_number();
  for (const auto& root : parsed.root_cas()) AddRoot(root, &bundle);
  AddKeys(AuthorityType::kJwt, parsed.jwt_signing_keys(), &bundle);
  AddKeys(AuthorityType::kWit, parsed.wit_signing_keys(), &bundle);
  return bundle;
}

Result<Journal> ReadJournal(std::string_view record) {
  wire::JournalRecord parsed;
  if (record.size() <= kRecordBytesMax) {
    Status fits = CheckNestedBounds("a journal", record, kEntryElementsMax);
    if (!fits.ok()) return fits.error();
  }
  if (Status status = Parse("a journal", record, &parsed); !status.ok()) return status.error();
  Journal journal;
  const auto count = [&](bool read) { journal.unreadable += read ? 0 : 1; };
  for (const auto& entry : parsed.x509_cas()) count(AddCertificate(entry, &journal));
  for (const auto& key : parsed.jwt_keys()) count(AddKey(AuthorityType::kJwt, key, &journal));
  for (const auto& key : parsed.wit_keys()) count(AddKey(AuthorityType::kWit, key, &journal));
  return journal;
}

}  // namespace spire_exporter::spire
