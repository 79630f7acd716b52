#include "collectors/clients/spire/certificate.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <memory>

namespace spire_exporter::spire {
namespace {

constexpr size_t kKeyIdBytesMax = 64;  // SHA-512 would be that long; SPIRE's are SHA-1

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

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

std::string KeyId(const ASN1_OCTET_STRING* id) {
  if (id == nullptr) return {};
  const int size = ASN1_STRING_length(id);
  if (size <= 0 || static_cast<size_t>(size) > kKeyIdBytesMax) return {};
  return Hex(ASN1_STRING_get0_data(id), static_cast<size_t>(size));
}

std::optional<UnixTime> Time(const ASN1_TIME* time) {
  std::tm parts = {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return UnixTime(std::chrono::seconds(std::max<time_t>(0, timegm(&parts))));
}

uint64_t HashOf(const X509_NAME* name) {
  const unsigned char* der = nullptr;
  size_t size = 0;
  if (X509_NAME_get0_der(name, &der, &size) != 1) return 0;
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(der, size, digest);
  uint64_t hash = 0;
  std::memcpy(&hash, digest, sizeof(hash));
  return hash;
}

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

}  // namespace

std::optional<Certificate> TakeCertificate(std::string_view* der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der->data());
  const auto* const begin = at;
  const std::unique_ptr<X509, FreeCertificate> parsed(
      d2i_X509(nullptr, &at, static_cast<long>(der->size())));
  if (!parsed) {
    ERR_clear_error();  // the thread's queue is nobody's to read
    return std::nullopt;
  }
  der->remove_prefix(static_cast<size_t>(at - begin));
  Certificate certificate;
  // Null too when the extensions are broken; then it has no ids, and the queue has the reason.
  certificate.subject_key_id = KeyId(X509_get0_subject_key_id(parsed.get()));
  certificate.authority_key_id = KeyId(X509_get0_authority_key_id(parsed.get()));
  const X509_NAME* const subject = X509_get_subject_name(parsed.get());
  certificate.self_issued = X509_NAME_cmp(subject, X509_get_issuer_name(parsed.get())) == 0;
  certificate.subject_hash = HashOf(subject);
  const auto not_before = Time(X509_get0_notBefore(parsed.get()));
  const auto not_after = Time(X509_get0_notAfter(parsed.get()));
  ERR_clear_error();
  if (!not_before || !not_after) return std::nullopt;
  certificate.not_before = *not_before;
  certificate.not_after = *not_after;
  return certificate;
}

std::string ShortId(std::string_view id) {
  constexpr size_t kDigits = 8;
  if (id.empty()) return {};
  std::string digits;
  if (id.size() >= kDigits && IsHex(id)) {
    digits = id.substr(0, kDigits);
    for (char& c : digits) {
      if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    }
    return digits;
  }
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(id.data()), id.size(), digest);
  return Hex(digest, kDigits / 2);
}

}  // namespace spire_exporter::spire
