// The part of TlsServer that is made of OpenSSL: contexts and sessions. Included by this folder
// alone.
#ifndef EXPORTER_TLS_TLS_CONTEXT_H_
#define EXPORTER_TLS_TLS_CONTEXT_H_

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "exporter/base/result.h"
#include "exporter/tls/certificate_source.h"
#include "exporter/tls/tls_server.h"

namespace spire_exporter {

struct OpenSslDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
template <typename T>
using OpenSslPtr = std::unique_ptr<T, OpenSslDeleter>;

struct ValidityTime {
  double not_before_seconds = 0;
  double not_after_seconds = 0;
};

// A context as the settings want it. The error names the file or key that is at fault.
Result<OpenSslPtr<SSL_CTX>> MakeServerContext(const TlsSettings& settings,
                                              const TlsMaterial& material);
ValidityTime ValidityOf(SSL_CTX* context);

// A session on the context, which it keeps alive.
std::unique_ptr<TlsSession> MakeServerSession(SSL_CTX* context, int fd);

// The first error in OpenSSL's queue as text, and an empty queue.
std::string OpenSslErrorText();

}  // namespace spire_exporter

#endif  // EXPORTER_TLS_TLS_CONTEXT_H_
