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
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  Status added = AddRoots(store, material.client_ca, material.client_ca_name, context);
  if (!added.ok()) return added;
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  return {};
}

// In place of OpenSSL's own verification.
int VerifyByTrustDomain(X509_STORE_CTX* verification, void* argument) {
  const long verdict = VerifyClient(*static_cast<const ServerContext*>(argument),
                                    X509_STORE_CTX_get0_cert(verification),
                                    X509_STORE_CTX_get0_untrusted(verification));
  X509_STORE_CTX_set_error(verification, static_cast<int>(verdict));
  return verdict == X509_V_OK ? 1 : 0;
}

// No list of authorities for clients to choose by: theirs may be any that is below a bundle's.
Status UseSpiffeRoots(const TlsSettings& settings, const TlsMaterial& material,
                      ServerContext* context) {
  auto roots = SpiffeRoots::Make(material, settings.spiffe->foreign_trust_domains);
  if (!roots.ok()) return roots.error();
  context->spiffe_roots = *std::move(roots);
  if (!material.client_ca.empty()) {
    context->more_roots.reset(X509_STORE_new());
    Status added =
        AddRoots(context->more_roots.get(), material.client_ca, material.client_ca_name, nullptr);
    if (!added.ok()) return added;
  }
  SSL_CTX_set_cert_verify_callback(context->ssl.get(), VerifyByTrustDomain, context);
  // A ticket would outlive an SVID.
  SSL_CTX_set_options(context->ssl.get(), SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context->ssl.get(), 0);
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

}  // namespace

double UnixSecondsOf(const ASN1_TIME* time) {
  tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return static_cast<double>(timegm(&parts));
}

std::string OpenSslErrorText() {
  const unsigned long first = ERR_get_error();
  ERR_clear_error();
  const char* const reason = ERR_reason_error_string(first);
  return reason == nullptr ? "no reason given" : reason;
}

Status AddRoots(X509_STORE* store, const std::string& pem, const std::string& name,
                SSL_CTX* client_cas) {
  ERR_clear_error();
  const OpenSslPtr<BIO> bio = Memory(pem);
  int roots = 0;
  for (;;) {
    const OpenSslPtr<X509> root(PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
    if (root == nullptr) break;
    if (X509_STORE_add_cert(store, root.get()) != 1) {
      return Invalid(name + ": " + OpenSslErrorText());
    }
    if (client_cas != nullptr) SSL_CTX_add_client_CA(client_cas, root.get());
    ++roots;
  }
  const unsigned long last = ERR_peek_last_error();
  if (roots == 0 || ERR_GET_REASON(last) != PEM_R_NO_START_LINE) {
    return Invalid(name + ": no certificates in PEM, or a torn one (" + OpenSslErrorText() + ")");
  }
  ERR_clear_error();
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  return {};
}

long VerifyChain(X509_STORE* roots, X509* leaf, STACK_OF(X509) * chain, bool of_client) {
  const OpenSslPtr<X509_STORE_CTX> verification(X509_STORE_CTX_new());
  if (verification == nullptr || X509_STORE_CTX_init(verification.get(), roots, leaf, chain) != 1 ||
      X509_STORE_CTX_set_default(verification.get(), of_client ? "ssl_client" : "ssl_server") !=
          1) {
    ERR_clear_error();
    return X509_V_ERR_OUT_OF_MEM;
  }
  const bool good = X509_verify_cert(verification.get()) == 1;
  const long verdict = X509_STORE_CTX_get_error(verification.get());
  ERR_clear_error();
  return good || verdict != X509_V_OK ? verdict : X509_V_ERR_UNSPECIFIED;
}

// By the roots of the trust domain that the client names, then by those that the operator has
// named.
long VerifyClient(const ServerContext& context, X509* leaf, STACK_OF(X509) * chain) {
  if (context.spiffe_roots == nullptr) {
    return VerifyChain(SSL_CTX_get_cert_store(context.ssl.get()), leaf, chain, true);
  }
  std::string id;
  const long verdict = context.spiffe_roots->Verify(leaf, chain, SpiffeRoots::Peer::kClient, &id);
  if (verdict == X509_V_OK || context.more_roots == nullptr) return verdict;
  // What is of a trust domain is its own roots' to vouch for.
  if (context.spiffe_roots->Claims(NamesOf(leaf))) return verdict;
  return VerifyChain(context.more_roots.get(), leaf, chain, true);
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

Result<std::shared_ptr<const ServerContext>> MakeServerContext(const TlsSettings& settings,
                                                               const TlsMaterial& material) {
  ERR_clear_error();
  auto made_context = std::make_shared<ServerContext>();
  made_context->trust = {.auth = settings.client_auth,
                         .foreign_trust_domains = settings.spiffe
                                                      ? settings.spiffe->foreign_trust_domains
                                                      : std::vector<std::string>(),
                         .client_ca = material.client_ca,
                         .trust_domain = material.trust_domain,
                         .spiffe_roots = material.spiffe_roots};
  OpenSslPtr<SSL_CTX>& context = made_context->ssl;
  context.reset(SSL_CTX_new(TLS_server_method()));
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
  UseClientAuth(context.get(), settings.client_auth);
  if (made.ok() && settings.spiffe && Verifies(settings.client_auth)) {
    made = UseSpiffeRoots(settings, material, made_context.get());
  } else if (made.ok() && !material.client_ca.empty()) {
    made = UseClientRoots(context.get(), material);
  }
  if (made.ok()) made = UseNames(context.get(), settings);
  if (!made.ok()) return made.error();
  return std::shared_ptr<const ServerContext>(std::move(made_context));
}

ValidityTime ValidityOf(SSL_CTX* context) {
  const X509* const leaf = SSL_CTX_get0_certificate(context);
  if (leaf == nullptr) return {};
  return {UnixSecondsOf(X509_get0_notBefore(leaf)), UnixSecondsOf(X509_get0_notAfter(leaf))};
}

std::optional<ValidityTime> ValidityOfPem(const std::string& pem) {
  ERR_clear_error();
  const OpenSslPtr<BIO> bio = Memory(pem);
  const OpenSslPtr<X509> leaf(PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
  ERR_clear_error();
  if (leaf == nullptr) return std::nullopt;
  return ValidityTime{UnixSecondsOf(X509_get0_notBefore(leaf.get())),
                      UnixSecondsOf(X509_get0_notAfter(leaf.get()))};
}

}  // namespace spire_exporter
