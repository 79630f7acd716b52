#include "exporter/tls/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <ctime>
#include <string_view>
#include <utility>

#include "exporter/base/text.h"

namespace spire_exporter {
namespace {

// Go's names, which the web configuration uses, and OpenSSL's.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kCurves = {{
    {"CurveP256", "P-256"},
    {"CurveP384", "P-384"},
    {"CurveP521", "P-521"},
    {"X25519", "X25519"},
}};

// How long a client may come back without showing its certificate again.
constexpr long kTicketSeconds = 300;

Error Invalid(std::string what) {
  return Error{Code::kInvalidArgument, std::move(what), "", false};
}

OpenSslPtr<BIO> Memory(const std::string& text) {
  return OpenSslPtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// A file with a passphrase is an error and no prompt on the terminal.
int NoPassphrase(char*, int, int, void*) {
  return 0;
}

int AcceptAnyCertificate(int, X509_STORE_CTX*) {
  return 1;
}

Status UseCertificates(SSL_CTX* context, const TlsMaterial& material) {
  const OpenSslPtr<BIO> bio = Memory(material.certificate);
  const OpenSslPtr<X509> leaf(PEM_read_bio_X509_AUX(bio.get(), nullptr, NoPassphrase, nullptr));
  if (leaf == nullptr) {
    return Invalid(material.certificate_name + ": no certificate in PEM (" + OpenSslErrorText() +
                   ")");
  }
  if (SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    return Invalid(material.certificate_name + ": " + OpenSslErrorText());
  }
  for (;;) {
    OpenSslPtr<X509> more(PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
    if (more == nullptr) break;
    if (SSL_CTX_add0_chain_cert(context, more.get()) == 1) (void)more.release();
  }
  // The end of the text is the one error that is none; a torn certificate is another.
  const unsigned long last = ERR_peek_last_error();
  if (ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE) {
    return Invalid(material.certificate_name + ": the chain is torn (" + OpenSslErrorText() + ")");
  }
  ERR_clear_error();
  return {};
}

Status UseKey(SSL_CTX* context, const TlsMaterial& material) {
  const OpenSslPtr<BIO> bio = Memory(material.key);
  const OpenSslPtr<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) {
    return Invalid(material.key_name + ": no private key in PEM without a passphrase (" +
                   OpenSslErrorText() + ")");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return Invalid(material.key_name + ": not the key of " + material.certificate_name + " (" +
                   OpenSslErrorText() + ")");
  }
  return {};
}

Status UseClientRoots(SSL_CTX* context, const TlsMaterial& material) {
  const OpenSslPtr<BIO> bio = Memory(material.client_ca);
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  int roots = 0;
  for (;;) {
    const OpenSslPtr<X509> root(PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
    if (root == nullptr) break;
    if (X509_STORE_add_cert(store, root.get()) != 1) {
      return Invalid(material.client_ca_name + ": " + OpenSslErrorText());
    }
    SSL_CTX_add_client_CA(context, root.get());
    ++roots;
  }
  const unsigned long last = ERR_peek_last_error();
  if (roots == 0 || ERR_GET_REASON(last) != PEM_R_NO_START_LINE) {
    return Invalid(material.client_ca_name + ": no certificates in PEM, or a torn one (" +
                   OpenSslErrorText() + ")");
  }
  ERR_clear_error();
  // An intermediate authority that is trusted by itself is enough, as with Go's pools.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  return {};
}

void UseClientAuth(SSL_CTX* context, ClientAuth auth) {
  constexpr int kRequired = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  switch (auth) {
    case ClientAuth::kNoClientCert:
      SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
      return;
    case ClientAuth::kRequestClientCert:
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, AcceptAnyCertificate);
      return;
    case ClientAuth::kRequireAnyClientCert:
      SSL_CTX_set_verify(context, kRequired, AcceptAnyCertificate);
      return;
    case ClientAuth::kVerifyClientCertIfGiven:
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
      return;
    case ClientAuth::kRequireAndVerifyClientCert:
      SSL_CTX_set_verify(context, kRequired, nullptr);
      return;
  }
}

// HTTP/1.1 where the client asks; a client that only speaks something else finds out by itself.
int ChooseProtocol(SSL*, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* offered, unsigned int offered_size, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof(kHttp11) - 1, offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

int VersionNumber(TlsVersion version) {
  return version == TlsVersion::kTls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

Status UseNames(SSL_CTX* context, const TlsSettings& settings) {
  std::string ciphers;
  for (const std::string& name : settings.cipher_suites) {
    // Those of TLS 1.3 cannot be chosen, as in Go: all of them are good.
    if (name.rfind("TLS_AES_", 0) == 0 || name == "TLS_CHACHA20_POLY1305_SHA256") continue;
    if (!ciphers.empty()) ciphers += ':';
    ciphers += OPENSSL_cipher_name(name.c_str());
  }
  if (!ciphers.empty() && SSL_CTX_set_cipher_list(context, ciphers.c_str()) != 1) {
    return Invalid("tls_server_config.cipher_suites: " + OpenSslErrorText());
  }
  std::string curves;
  for (const std::string& name : settings.curves) {
    for (const auto& [ours, theirs] : kCurves) {
      if (name != ours) continue;
      if (!curves.empty()) curves += ':';
      curves += theirs;
    }
  }
  if (!curves.empty() && SSL_CTX_set1_groups_list(context, curves.c_str()) != 1) {
    return Invalid("tls_server_config.curve_preferences: " + OpenSslErrorText());
  }
  return {};
}

double UnixSecondsOf(const ASN1_TIME* time) {
  tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return static_cast<double>(timegm(&parts));
}

}  // namespace

std::string OpenSslErrorText() {
  const unsigned long first = ERR_get_error();
  ERR_clear_error();
  const char* const reason = ERR_reason_error_string(first);
  return reason == nullptr ? "no reason given" : reason;
}

Status CheckTlsSettings(const TlsSettings& settings) {
  if (settings.max_version < settings.min_version) {
    return Invalid("tls_server_config.max_version: expected no less than min_version");
  }
  for (const std::string& name : settings.cipher_suites) {
    // `(NONE)` is OpenSSL's word for a name it does not know.
    if (std::string_view(OPENSSL_cipher_name(name.c_str())) != "(NONE)") continue;
    return Invalid("tls_server_config.cipher_suites: " + Quoted(name) +
                   " is no cipher suite: expected an IANA name such as "
                   "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  }
  for (const std::string& name : settings.curves) {
    bool known = false;
    std::string all;
    for (const auto& curve : kCurves) {
      known = known || name == curve.first;
      all += (all.empty() ? "" : ", ") + std::string(curve.first);
    }
    if (!known) {
      return Invalid("tls_server_config.curve_preferences: " + Quoted(name) +
                     " is no curve: expected one of " + all);
    }
  }
  return {};
}

Result<OpenSslPtr<SSL_CTX>> MakeServerContext(const TlsSettings& settings,
                                              const TlsMaterial& material) {
  ERR_clear_error();
  OpenSslPtr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) {
    return Error{Code::kResourceExhausted, "OpenSSL: " + OpenSslErrorText(), "", true};
  }
  SSL_CTX_set_min_proto_version(context.get(), VersionNumber(settings.min_version));
  SSL_CTX_set_max_proto_version(context.get(), VersionNumber(settings.max_version));
  SSL_CTX_set_options(
      context.get(),
      SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
          (settings.prefer_server_cipher_suites ? SSL_OP_CIPHER_SERVER_PREFERENCE : 0UL));
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(context.get(), NoPassphrase);
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseProtocol, nullptr);
  // Tickets alone, one for each connection: nothing is kept here for clients that may never return.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 1);
  SSL_CTX_set_timeout(context.get(), kTicketSeconds);
  static constexpr unsigned char kSessionContext[] = "spire-exporter";
  SSL_CTX_set_session_id_context(context.get(), kSessionContext, sizeof(kSessionContext) - 1);

  Status made = UseCertificates(context.get(), material);
  if (made.ok()) made = UseKey(context.get(), material);
  if (made.ok() && !material.client_ca.empty()) made = UseClientRoots(context.get(), material);
  if (made.ok()) made = UseNames(context.get(), settings);
  if (!made.ok()) return made.error();
  UseClientAuth(context.get(), settings.client_auth);
  return context;
}

ValidityTime ValidityOf(SSL_CTX* context) {
  const X509* const leaf = SSL_CTX_get0_certificate(context);
  if (leaf == nullptr) return {};
  return {UnixSecondsOf(X509_get0_notBefore(leaf)), UnixSecondsOf(X509_get0_notAfter(leaf))};
}

}  // namespace spire_exporter
