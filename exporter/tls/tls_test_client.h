// For tests: an HTTPS client that does what it is told, with every wait bounded.
#ifndef EXPORTER_TLS_TLS_TEST_CLIENT_H_
#define EXPORTER_TLS_TLS_TEST_CLIENT_H_

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "exporter/base/unique_fd.h"
#include "exporter/tls/test_certificates.h"

namespace spire_exporter {

struct TlsClientOptions {
  const TestCertificate* root = nullptr;         // that the server must be of; null takes any
  const TestCertificate* certificate = nullptr;  // that the client shows
  int max_version = 0;                           // TLS1_2_VERSION, ...
  std::string ciphers{};                         // OpenSSL's names, for TLS 1.2
  std::string groups{};
  SSL_SESSION* resume = nullptr;
};

class TlsTestClient {
 public:
  // `address` is `127.0.0.1:PORT`.
  TlsTestClient(const std::string& address, const TlsClientOptions& options);
  ~TlsTestClient();

  // The handshake is over as far as the client can tell; with TLS 1.3 a server may still say no.
  bool connected() const { return connected_; }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  // For another client; null before the server has sent a ticket, which comes with its first
  // answer.
  SSL_SESSION* TakeSession() { return SSL_get1_session(ssl_.get()); }
  // GET path; the status of the answer, 0 when none came. `body` may be null.
  int Get(const std::string& path, std::string* body = nullptr, const std::string& fields = "");
  SSL* ssl() const { return ssl_.get(); }

 private:
  UniqueFd fd_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  bool connected_ = false;
};

}  // namespace spire_exporter

#endif  // EXPORTER_TLS_TLS_TEST_CLIENT_H_
