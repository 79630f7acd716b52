// For tests: certificates and an authority that live for one test.
#ifndef EXPORTER_TLS_TEST_CERTIFICATES_H_
#define EXPORTER_TLS_TEST_CERTIFICATES_H_

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace spire_exporter {

struct TestCertificate {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;
};

// Makes a certificate for `names` ("DNS:spire.test,IP:127.0.0.1"), signed by `issuer` or by itself,
// then as an authority, as which `authority` makes it in any case.
inline TestCertificate MakeCertificate(const std::string& subject, const std::string& names,
                                       const TestCertificate* issuer, long valid_seconds = 3600,
                                       bool authority = false) {
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
  if (issuer == nullptr || authority) extend(NID_basic_constraints, "critical,CA:TRUE");
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

inline std::string TextOfMemory(BIO* memory) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  return {text, static_cast<size_t>(size)};
}

inline std::string PemOf(const TestCertificate& certificate) {
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_X509(memory.get(), certificate.certificate.get());
  return TextOfMemory(memory.get());
}

inline std::string DerOf(const TestCertificate& certificate) {
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new(BIO_s_mem()), BIO_free);
  i2d_X509_bio(memory.get(), certificate.certificate.get());
  return TextOfMemory(memory.get());
}

// As PKCS #8.
inline std::string KeyPemOf(const TestCertificate& certificate) {
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PKCS8PrivateKey(memory.get(), certificate.key.get(), nullptr, nullptr, 0, nullptr,
                                nullptr);
  return TextOfMemory(memory.get());
}

inline std::string KeyDerOf(const TestCertificate& certificate) {
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new(BIO_s_mem()), BIO_free);
  i2d_PKCS8PrivateKey_bio(memory.get(), certificate.key.get(), nullptr, nullptr, 0, nullptr,
                          nullptr);
  return TextOfMemory(memory.get());
}

}  // namespace spire_exporter

#endif  // EXPORTER_TLS_TEST_CERTIFICATES_H_
