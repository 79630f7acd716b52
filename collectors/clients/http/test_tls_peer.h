// For tests: a TLS server side over a TestPeer's socket.
#ifndef COLLECTORS_CLIENTS_HTTP_TEST_TLS_PEER_H_
#define COLLECTORS_CLIENTS_HTTP_TEST_TLS_PEER_H_

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>

#include "collectors/clients/http/test_peer.h"
#include "exporter/tls/test_certificates.h"

namespace spire_exporter {

struct TestTlsOptions {
  TestCertificate certificate;
  const TestCertificate* client_ca = nullptr;  // asked of the client when set
  int max_version = 0;
};

// Handshakes, reads a request, answers and closes.
inline std::function<void(int)> AnswersOverTls(TestTlsOptions options, std::string reply) {
  return [options = std::move(options), reply = std::move(reply)](int fd) {
    const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_server_method()),
                                                               SSL_CTX_free);
    SSL_CTX_set_security_level(context.get(), 0);  // for the old versions that are to be refused
    SSL_CTX_use_certificate(context.get(), options.certificate.certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), options.certificate.key.get());
    SSL_CTX_set_max_proto_version(context.get(), options.max_version);
    if (options.client_ca != nullptr) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()),
                          options.client_ca->certificate.get());
      SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context.get()), SSL_free);
    SSL_set_fd(ssl.get(), fd);
    if (SSL_accept(ssl.get()) == 1) {
      std::string request;
      char byte = 0;
      while (!request.ends_with("\r\n\r\n") && SSL_read(ssl.get(), &byte, 1) == 1) request += byte;
      SSL_write(ssl.get(), reply.data(), static_cast<int>(reply.size()));
      SSL_shutdown(ssl.get());
    }
    // So that an alert is not lost in the reset of a close with unread bytes.
    shutdown(fd, SHUT_WR);
    WaitForClose(fd);
  };
}

}  // namespace spire_exporter

#endif  // COLLECTORS_CLIENTS_HTTP_TEST_TLS_PEER_H_
