// What TLS at a listener is asked to be: the part `tls_server_config` of the exporter-toolkit's web
// configuration, read and checked. Plain values, no trace of OpenSSL.
#ifndef EXPORTER_TLS_TLS_SETTINGS_H_
#define EXPORTER_TLS_TLS_SETTINGS_H_

#include <optional>
#include <string>
#include <vector>

namespace spire_exporter {

enum class TlsVersion { kTls12, kTls13 };

// As Go's crypto/tls names them; the toolkit's file uses these names.
enum class ClientAuth {
  kNoClientCert,
  kRequestClientCert,           // asks, takes whatever comes, verifies nothing
  kRequireAnyClientCert,        // one must come, nothing is verified
  kVerifyClientCertIfGiven,     // none may come; one that comes must verify
  kRequireAndVerifyClientCert,  // one must come and verify
};

// PEM text from a file that is read again when it changes, or inline. At most one of both is set.
struct PemSource {
  std::string file;
  std::string inline_text;
  bool empty() const { return file.empty() && inline_text.empty(); }
  friend bool operator==(const PemSource&, const PemSource&) = default;
};

inline bool Verifies(ClientAuth auth) {
  return auth == ClientAuth::kVerifyClientCertIfGiven ||
         auth == ClientAuth::kRequireAndVerifyClientCert;
}

// To serve with the SVID of a Workload API. Clients are verified by the bundle of the trust domain
// that their SPIFFE ID is of: the SVID's own, or a federated one that is named here.
struct SpiffeSettings {
  std::string socket;  // of the Workload API
  std::vector<std::string> foreign_trust_domains;
  // While no SVID has come, or the last has ended; empty where there is none.
  PemSource fallback_certificate;
  PemSource fallback_key;
  PemSource fallback_client_ca;  // beside the bundles
  friend bool operator==(const SpiffeSettings&, const SpiffeSettings&) = default;
};

struct TlsSettings {
  // In place of certificate, key and client_ca.
  std::optional<SpiffeSettings> spiffe;
  PemSource certificate;  // leaf first, then what leads to the root
  PemSource key;
  PemSource client_ca;  // roots for client certificates
  ClientAuth client_auth = ClientAuth::kNoClientCert;
  TlsVersion min_version = TlsVersion::kTls12;
  TlsVersion max_version = TlsVersion::kTls13;
  std::vector<std::string> cipher_suites;  // IANA names, for TLS 1.2; empty is the default
  bool prefer_server_cipher_suites = true;
  std::vector<std::string> curves;  // Go's names: CurveP256, X25519, ...; empty is the default
  friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

}  // namespace spire_exporter

#endif  // EXPORTER_TLS_TLS_SETTINGS_H_
