// What TLS at a listener is asked to be: the part `tls_server_config` of the exporter-toolkit's web
// configuration, read and checked. Plain values, no trace of OpenSSL.
#ifndef EXPORTER_TLS_TLS_SETTINGS_H_
#define EXPORTER_TLS_TLS_SETTINGS_H_

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

struct TlsSettings {
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
