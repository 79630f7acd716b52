// For tests: a certificate authority that lives for one test, and a TLS server side over a
// TestPeer's socket.
#ifndef COLLECTORS_CLIENTS_HTTP_TEST_TLS_PEER_H_
#define COLLECTORS_CLIENTS_HTTP_TEST_TLS_PEER_H_

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "collectors/clients/http/test_peer.h"

namespace spire_exporter {

struct TestCertificate {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;
};

// Makes a certificate for `names` ("DNS:spire.test,IP:127.0.0.1"), signed by `issuer` or by itself,
// then as an authority.
inline TestCertificate MakeCertificate(const std::string& subject, const std::string& names,
                                       const TestCertificate* issuer, long valid_seconds = 3600) {
  TestCertificate made;
  made.key = {EVP_EC_gen("P-256"), EVP_PKEY_free};
  made.certificate = {X509_new(), X509_free};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
  X509_gmtime_adj(X509_getm_notAfter(certificate), valid_seconds);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
  X509* signer = issuer != nullptr ? issuer->certificate.get() : certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  X509V3_CTX context;
  X509V3_set_ctx(&context, signer, certificate, nullptr, nullptr, 0);
  const auto extend = [&](int id, const std::string& value) {
    const std::unique_ptr<X509_EXTENSION, void (*)(X509_EXTENSION*)> extension(
        X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()), X509_EXTENSION_free);
    if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) {
      throw std::runtime_error("no extension");
    }
  };
  if (issuer == nullptr) extend(NID_basic_constraints, "critical,CA:TRUE");
  if (!names.empty()) extend(NID_subject_alt_name, names);
  EVP_PKEY* signing = issuer != nullptr ? issuer->key.get() : made.key.get();
  if (X509_sign(certificate, signing, EVP_sha256()) == 0) throw std::runtime_error("not signed");
  return made;
}

inline void WriteCertificate(const TestCertificate& certificate, const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path.c_str(), "w"), fclose);
  if (!file || PEM_write_X509(file.get(), certificate.certificate.get()) != 1) {
    throw std::runtime_error(path);
  }
}

inline void WriteKey(const TestCertificate& certificate, const std::string& path,
                     const char* passphrase = nullptr) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path.c_str(), "w"), fclose);
  const EVP_CIPHER* cipher = passphrase != nullptr ? EVP_aes_256_cbc() : nullptr;
  if (!file || PEM_write_PKCS8PrivateKey(file.get(), certificate.key.get(), cipher, nullptr, 0,
                                         nullptr, const_cast<char*>(passphrase)) != 1) {
    throw std::runtime_error(path);
  }
}

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
