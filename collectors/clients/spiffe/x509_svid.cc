#include "collectors/clients/spiffe/x509_svid.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <optional>

#include "collectors/clients/spiffe/free.h"
#include "collectors/clients/spiffe/spiffe_id.h"

namespace spire_exporter::spiffe {
namespace {

constexpr size_t kCertificatesMax = 100;
constexpr size_t kCertificateBytesMax = size_t{64} << 10;
constexpr size_t kChainMax = 16;
constexpr size_t kRootsMax = 1000;
// Each is tried by itself where one was chosen by its name and had another's key.
constexpr size_t kRootsTriedMax = 100;
constexpr int kKeyIdBytesMax = 64;

using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Store = std::unique_ptr<X509_STORE, Free<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Free<X509_STORE_CTX_free>>;

// The thread's queue of reasons is nobody's to read.
struct QuietErrors {
  ~QuietErrors() { ERR_clear_error(); }
};

struct Stack {
  Stack() : certificates(sk_X509_new_null()) {}
  ~Stack() { sk_X509_free(certificates); }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  STACK_OF(X509) * certificates;  // borrowed
};

Error NoCertificate() {
  return {Code::kDataLoss, "bytes that are no certificate", "", false};
}

// The first certificate of `der`, which loses it.
Certificate Take(std::string_view* der) {
  const auto* const begin = reinterpret_cast<const unsigned char*>(der->data());
  const auto* at = begin;
  const size_t size = std::min(der->size(), kCertificateBytesMax);
  Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(size)));
  if (certificate) der->remove_prefix(static_cast<size_t>(at - begin));
  return certificate;
}

// `der` as a whole.
Certificate ParseCertificate(std::string_view der) {
  Certificate certificate = Take(&der);
  if (!der.empty()) certificate.reset();
  return certificate;
}

std::string Hex(const unsigned char* bytes, size_t size) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * size);
  for (size_t i = 0; i < size; ++i) {
    out += kDigits[bytes[i] >> 4];
    out += kDigits[bytes[i] & 0xf];
  }
  return out;
}

std::optional<std::chrono::sys_seconds> Time(const ASN1_TIME* time) {
  std::tm parts = {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return std::chrono::sys_seconds(std::chrono::seconds(std::max<time_t>(0, timegm(&parts))));
}

// The only URI name, if that is a SPIFFE ID.
std::string SpiffeId(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string id;
  size_t uris = 0;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
    if (type != GEN_URI) continue;
    const auto* text = static_cast<const ASN1_STRING*>(value);
    id.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
              static_cast<size_t>(std::max(0, ASN1_STRING_length(text))));
    ++uris;
  }
  return uris == 1 && IsSpiffeId(id) ? id : std::string();
}

bool IsAuthority(X509* certificate) {
  return (X509_get_extension_flags(certificate) & EXFLAG_CA) != 0;
}

// X509-SVID.md, sections 2 to 4: what a leaf has to look like.
bool IsWorkloadLeaf(X509* leaf) {
  const uint32_t flags = X509_get_extension_flags(leaf);
  if ((flags & (EXFLAG_CA | EXFLAG_INVALID)) != 0 || (flags & EXFLAG_KUSAGE) == 0) return false;
  const uint32_t usage = X509_get_key_usage(leaf);
  return (usage & KU_DIGITAL_SIGNATURE) != 0 && (usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) == 0 &&
         IsWorkloadId(SpiffeId(leaf));
}

Verdict VerdictOf(int problem) {
  switch (problem) {
    case X509_V_OK:
      return Verdict::kGood;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Verdict::kExpired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Verdict::kNotYetValid;
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
      return Verdict::kMalformed;
    default:
      return Verdict::kUntrusted;
  }
}

// X509_V_* of `leaf` against `roots`, which need not be self-signed.
int Verify(X509* leaf, STACK_OF(X509) * above, std::span<const Certificate> roots, SystemTime now) {
  const Store store(X509_STORE_new());  // empty: the system's authorities are not asked
  const StoreContext context(X509_STORE_CTX_new());
  if (!store || !context) return X509_V_ERR_OUT_OF_MEM;
  for (const Certificate& root : roots) X509_STORE_add_cert(store.get(), root.get());
  if (X509_STORE_CTX_init(context.get(), store.get(), leaf, above) != 1) {
    return X509_V_ERR_OUT_OF_MEM;
  }
  X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(rules, std::chrono::system_clock::to_time_t(now));
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_depth(rules, static_cast<int>(kChainMax));
  if (X509_verify_cert(context.get()) == 1) return X509_V_OK;
  const int problem = X509_STORE_CTX_get_error(context.get());
  return problem != X509_V_OK ? problem : X509_V_ERR_UNSPECIFIED;
}

}  // namespace

Result<std::vector<std::string>> SplitCertificates(std::string_view der) {
  const QuietErrors quiet;
  std::vector<std::string> certificates;
  while (!der.empty()) {
    if (certificates.size() == kCertificatesMax) {
      return Error{Code::kResourceExhausted, "more than 100 certificates", "", false};
    }
    std::string_view rest = der;
    if (!Take(&rest)) {
      const long length = [&] {  // that its head announces
        const auto* at = reinterpret_cast<const unsigned char*>(der.data());
        long size = 0;
        int tag = 0, kind = 0;
        const int form = ASN1_get_object(&at, &size, &tag, &kind, static_cast<long>(der.size()));
        return (form & 0x80) != 0 ? 0L : size;
      }();
      if (length > static_cast<long>(kCertificateBytesMax)) {
        return Error{Code::kResourceExhausted, "a certificate of more than 64 KiB", "", false};
      }
      return NoCertificate();
    }
    certificates.emplace_back(der.substr(0, der.size() - rest.size()));
    der = rest;
  }
  return certificates;
}

Result<LeafFacts> ReadLeaf(std::string_view der) {
  const QuietErrors quiet;
  const Certificate leaf = Take(&der);
  if (!leaf) return NoCertificate();
  const auto not_before = Time(X509_get0_notBefore(leaf.get()));
  const auto not_after = Time(X509_get0_notAfter(leaf.get()));
  if (!not_before || !not_after) return NoCertificate();
  LeafFacts facts;
  facts.spiffe_id = SpiffeId(leaf.get());
  facts.not_before = *not_before;
  facts.not_after = *not_after;
  const ASN1_OCTET_STRING* const id = X509_get0_authority_key_id(leaf.get());
  if (id != nullptr) {
    const int size = ASN1_STRING_length(id);
    if (size > 0 && size <= kKeyIdBytesMax) {
      facts.authority_key_id = Hex(ASN1_STRING_get0_data(id), static_cast<size_t>(size));
    }
  }
  facts.ca = IsAuthority(leaf.get());
  return facts;
}

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood:
      return "good";
    case Verdict::kExpired:
      return "expired";
    case Verdict::kNotYetValid:
      return "not_yet_valid";
    case Verdict::kUntrusted:
      return "untrusted";
    case Verdict::kMalformed:
      break;
  }
  return "malformed";
}

Verdict VerifyX509Svid(std::span<const std::string> chain, std::span<const std::string> roots,
                       SystemTime now) {
  const QuietErrors quiet;
  if (chain.empty() || chain.size() > kChainMax) return Verdict::kMalformed;
  std::vector<Certificate> given;
  const Stack above;
  for (const std::string& der : chain) {
    given.push_back(ParseCertificate(der));
    if (!given.back()) return Verdict::kMalformed;
    if (given.size() > 1) sk_X509_push(above.certificates, given.back().get());
  }
  X509* const leaf = given.front().get();
  if (!IsWorkloadLeaf(leaf)) return Verdict::kMalformed;

  std::vector<Certificate> trusted;
  for (const std::string& der : roots.first(std::min(roots.size(), kRootsMax))) {
    // One that cannot be read costs itself alone.
    if (Certificate root = ParseCertificate(der)) trusted.push_back(std::move(root));
  }
  const int problem = Verify(leaf, above.certificates, trusted, now);
  // OpenSSL chooses an issuer by its name and key id, and looks at no second one when that did not
  // sign: roots without key ids may share a name.
  if (problem != X509_V_ERR_CERT_SIGNATURE_FAILURE) return VerdictOf(problem);
  Verdict best = Verdict::kUntrusted;
  const size_t tries = std::min(trusted.size(), kRootsTriedMax);
  for (size_t i = 0; i < tries && best != Verdict::kGood; ++i) {
    const Verdict verdict = VerdictOf(
        Verify(leaf, above.certificates, std::span<const Certificate>(trusted).subspan(i, 1), now));
    if (verdict != Verdict::kUntrusted) best = verdict;
  }
  return best;
}

std::string TrustFingerprint(std::span<const std::string> authorities) {
  using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;
  constexpr size_t kFingerprintBytes = 6;
  std::vector<Digest> digests(authorities.size());
  for (size_t i = 0; i < authorities.size(); ++i) {
    SHA256(reinterpret_cast<const unsigned char*>(authorities[i].data()), authorities[i].size(),
           digests[i].data());
  }
  std::sort(digests.begin(), digests.end());
  digests.erase(std::unique(digests.begin(), digests.end()), digests.end());
  Digest whole;
  SHA256(reinterpret_cast<const unsigned char*>(digests.data()), digests.size() * sizeof(Digest),
         whole.data());
  return Hex(whole.data(), kFingerprintBytes);
}

}  // namespace spire_exporter::spiffe
