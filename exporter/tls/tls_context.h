// The part of TlsServer that is made of OpenSSL: contexts and sessions. Included by this folder
// alone.
#ifndef EXPORTER_TLS_TLS_CONTEXT_H_
#define EXPORTER_TLS_TLS_CONTEXT_H_

#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporter/base/result.h"
#include "exporter/tls/certificate_source.h"
#include "exporter/tls/peer_certificate.h"
#include "exporter/tls/spiffe_roots.h"
#include "exporter/tls/tls_server.h"

namespace spire_exporter {

struct OpenSslDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(X509_STORE_CTX* verification) const { X509_STORE_CTX_free(verification); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
template <typename T>
using OpenSslPtr = std::unique_ptr<T, OpenSslDeleter>;

// Unix time; 0 where it is none.
double UnixSecondsOf(const ASN1_TIME* time);

struct ValidityTime {
  double not_before_seconds = 0;
  double not_after_seconds = 0;
};

// Whom a listener trusts, as it was asked for: by this alone two contexts may differ in it.
struct ClientTrust {
  ClientAuth auth = ClientAuth::kNoClientCert;
  std::vector<std::string> foreign_trust_domains;
  std::string client_ca;
  std::string trust_domain;
  std::map<std::string, std::string> spiffe_roots;
  friend bool operator==(const ClientTrust&, const ClientTrust&) = default;
};

// Immutable once made. Kept alive by every session that began with it.
struct ServerContext {
  ClientTrust trust;
  // Null where OpenSSL verifies clients by its own store.
  std::shared_ptr<const SpiffeRoots> spiffe_roots;
  // Beside spiffe_roots, for clients whose names claim nothing of a trust domain there; may be
  // null.
  OpenSslPtr<X509_STORE> more_roots;
  OpenSslPtr<SSL_CTX> ssl;  // refers to the others
};

// A context as the settings want it. The error names the file or key that is at fault.
Result<std::shared_ptr<const ServerContext>> MakeServerContext(const TlsSettings& settings,
                                                               const TlsMaterial& material);
ValidityTime ValidityOf(SSL_CTX* context);
// Of the first certificate in a text; nothing when there is none.
std::optional<ValidityTime> ValidityOfPem(const std::string& pem);

// Adds every certificate of a text to a store, and its names to what `client_cas` tells clients,
// unless that is null. One that is trusted by itself is enough, as with Go's pools. `name` is for
// messages.
Status AddRoots(X509_STORE* store, const std::string& pem, const std::string& name,
                SSL_CTX* client_cas);
// X509_V_OK, or OpenSSL's number of what is wrong with the way from `leaf` to a root.
long VerifyChain(X509_STORE* roots, X509* leaf, STACK_OF(X509) * chain, bool of_client);

// The same for a client by what the context trusts.
long VerifyClient(const ServerContext& context, X509* leaf, STACK_OF(X509) * chain);

// The subject alternative names and the end of a certificate that has not been verified.
PeerCertificate NamesOf(const X509* certificate);

// A session on the context, which it keeps alive.
std::unique_ptr<TlsSession> MakeServerSession(std::shared_ptr<const ServerContext> context, int fd);

// The first error in OpenSSL's queue as text, and an empty queue.
std::string OpenSslErrorText();

}  // namespace spire_exporter

#endif  // EXPORTER_TLS_TLS_CONTEXT_H_
