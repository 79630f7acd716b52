#include "collectors/clients/spiffe/test_identity.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace spire_exporter::spiffe {
namespace {

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Certificate = std::unique_ptr<X509, void (*)(X509*)>;

void Check(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("test identity: ") + what);
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Key ParseKey(std::string_view pkcs8) {
  const unsigned char* at = Bytes(pkcs8);
  Key key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(pkcs8.size())), EVP_PKEY_free);
  Check(key != nullptr, "no key");
  return key;
}

std::string KeyDer(EVP_PKEY* key) {
  const std::unique_ptr<PKCS8_PRIV_KEY_INFO, void (*)(PKCS8_PRIV_KEY_INFO*)> info(
      EVP_PKEY2PKCS8(key), PKCS8_PRIV_KEY_INFO_free);
  unsigned char* der = nullptr;
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der);
  Check(size > 0, "no PKCS #8");
  std::string out(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return out;
}

Certificate ParseCertificate(std::string_view der) {
  const unsigned char* at = Bytes(der);
  Certificate parsed(d2i_X509(nullptr, &at, static_cast<long>(der.size())), X509_free);
  Check(parsed != nullptr, "no certificate");
  return parsed;
}

std::string ToDer(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  Check(size > 0, "no DER");
  std::string out(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return out;
}

std::string Drain(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return std::string(data, static_cast<size_t>(size));
}

void SetTime(ASN1_TIME* time, std::chrono::sys_seconds at) {
  Check(ASN1_TIME_set(time, at.time_since_epoch().count()) != nullptr, "no time");
}

class Extender {
 public:
  Extender(X509* certificate, X509* issuer) : certificate_(certificate) {
    X509V3_set_ctx(&context_, issuer, certificate, nullptr, nullptr, 0);
  }
  void Add(int id, const std::string& value) {
    const std::unique_ptr<X509_EXTENSION, void (*)(X509_EXTENSION*)> extension(
        X509V3_EXT_conf_nid(nullptr, &context_, id, value.c_str()), X509_EXTENSION_free);
    Check(extension && X509_add_ext(certificate_, extension.get(), -1) == 1, "no extension");
  }
  void AddUnknownCritical(const std::string& object_id) {
    const std::unique_ptr<ASN1_OBJECT, void (*)(ASN1_OBJECT*)> id(OBJ_txt2obj(object_id.c_str(), 1),
                                                                  ASN1_OBJECT_free);
    const std::unique_ptr<ASN1_OCTET_STRING, void (*)(ASN1_OCTET_STRING*)> value(
        ASN1_OCTET_STRING_new(), ASN1_OCTET_STRING_free);
    ASN1_OCTET_STRING_set(value.get(), Bytes("\x05\x00"), 2);
    const std::unique_ptr<X509_EXTENSION, void (*)(X509_EXTENSION*)> extension(
        X509_EXTENSION_create_by_OBJ(nullptr, id.get(), 1, value.get()), X509_EXTENSION_free);
    Check(extension && X509_add_ext(certificate_, extension.get(), -1) == 1, "no extension");
  }

 private:
  X509* certificate_;
  X509V3_CTX context_;
};

std::string NamesOf(const TestCertificateOptions& options) {
  std::string names;
  for (const std::string& uri : options.uris) names += ",URI:" + uri;
  for (const std::string& dns : options.dns_names) names += ",DNS:" + dns;
  return names.empty() ? names : names.substr(1);
}

struct Group {
  const char* name;
  size_t bytes;
};
Group GroupOf(const std::string& algorithm) {
  if (algorithm == "ES384") return {"P-384", 48};
  if (algorithm == "ES512") return {"P-521", 66};
  return {"P-256", 32};
}

std::string NumberOf(EVP_PKEY* key, const char* name, size_t bytes = 0) {
  BIGNUM* number = nullptr;
  Check(EVP_PKEY_get_bn_param(key, name, &number) == 1, "no number");
  const std::unique_ptr<BIGNUM, void (*)(BIGNUM*)> owned(number, BN_free);
  std::string out(bytes != 0 ? bytes : static_cast<size_t>(BN_num_bytes(number)), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
  return out;
}

std::string Sign(const TestJwtKey& made, std::string_view text) {
  const Key key = ParseKey(made.key);
  const std::string digest = "SHA" + made.algorithm.substr(2);
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  EVP_PKEY_CTX* rules = nullptr;
  Check(EVP_DigestSignInit_ex(context.get(), &rules, digest.c_str(), nullptr, nullptr, key.get(),
                              nullptr) == 1,
        "no signer");
  if (made.algorithm.starts_with("PS")) {
    EVP_PKEY_CTX_set_rsa_padding(rules, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(rules, RSA_PSS_SALTLEN_DIGEST);
  }
  size_t size = 0;
  EVP_DigestSign(context.get(), nullptr, &size, Bytes(text), text.size());
  std::string signature(size, '\0');
  Check(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       Bytes(text), text.size()) == 1,
        "not signed");
  signature.resize(size);
  if (!made.algorithm.starts_with("ES")) return signature;
  const unsigned char* at = Bytes(signature);
  const std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> pair(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)), ECDSA_SIG_free);
  const size_t bytes = GroupOf(made.algorithm).bytes;
  std::string raw(2 * bytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, static_cast<int>(bytes));
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + bytes, static_cast<int>(bytes));
  return raw;
}

}  // namespace

TestIssued IssueTestCertificate(const TestCertificateOptions& options, const TestIssued* issuer) {
  const Key key =
      options.key != nullptr ? ParseKey(options.key->key) : Key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Certificate certificate(X509_new(), X509_free);
  X509* const made = certificate.get();
  X509_set_version(made, 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), options.serial);
  SetTime(X509_getm_notBefore(made), options.not_before);
  SetTime(X509_getm_notAfter(made), options.not_after);
  X509_set_pubkey(made, key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                             Bytes(options.common_name), -1, -1, 0);
  const Certificate above =
      issuer != nullptr ? ParseCertificate(issuer->der) : Certificate(nullptr, X509_free);
  X509* const signer = above ? above.get() : made;
  X509_set_issuer_name(made, X509_get_subject_name(signer));

  Extender extender(made, signer);
  extender.Add(NID_basic_constraints, options.ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  const std::string usage = options.key_usage.value_or(
      options.ca ? "critical,keyCertSign,cRLSign"
                 : "critical,digitalSignature,keyEncipherment,keyAgreement");
  if (!usage.empty()) extender.Add(NID_key_usage, usage);
  if (options.key_ids) {
    extender.Add(NID_subject_key_identifier, "hash");
    if (issuer != nullptr) extender.Add(NID_authority_key_identifier, "keyid");
  }
  const std::string names = NamesOf(options);
  if (!names.empty()) extender.Add(NID_subject_alt_name, names);
  if (!options.unknown_critical.empty()) extender.AddUnknownCritical(options.unknown_critical);
  const Key signing = ParseKey(issuer != nullptr ? issuer->key : KeyDer(key.get()));
  Check(X509_sign(made, signing.get(), EVP_sha256()) > 0, "not signed");
  return {ToDer(made), KeyDer(key.get())};
}

std::string CertificatePem(std::string_view der) {
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_X509(memory.get(), ParseCertificate(der).get());
  return Drain(memory.get());
}

std::string PrivateKeyPem(std::string_view pkcs8) {
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PKCS8PrivateKey(memory.get(), ParseKey(pkcs8).get(), nullptr, nullptr, 0, nullptr,
                                nullptr);
  return Drain(memory.get());
}

TestJwtKey MakeTestJwtKey(const std::string& id, const std::string& algorithm) {
  const Key key(
      algorithm.starts_with("ES") ? EVP_EC_gen(GroupOf(algorithm).name) : EVP_RSA_gen(2048),
      EVP_PKEY_free);
  return {id, algorithm, KeyDer(key.get())};
}

std::string SignTestJwt(const TestJwtKey& key, std::string_view payload) {
  return SignTestJwt(
      key, R"({"alg":")" + key.algorithm + R"(","kid":")" + key.id + R"(","typ":"JWT"})", payload);
}

std::string SignTestJwt(const TestJwtKey& key, std::string_view header, std::string_view payload) {
  const std::string text = EncodeBase64Url(header) + "." + EncodeBase64Url(payload);
  return text + "." + EncodeBase64Url(Sign(key, text));
}

std::string TestJwks(const std::vector<TestJwtKey>& keys, const std::string& use) {
  std::string out;
  for (const TestJwtKey& made : keys) {
    const Key key = ParseKey(made.key);
    out += out.empty() ? "" : ",";
    out += R"({"kid":")" + made.id + '"';
    if (!use.empty()) out += R"(,"use":")" + use + '"';
    const auto add = [&](const char* name, const std::string& number) {
      out += std::string(R"(,")") + name + R"(":")" + EncodeBase64Url(number) + '"';
    };
    if (made.algorithm.starts_with("ES")) {
      const size_t bytes = GroupOf(made.algorithm).bytes;
      out += R"(,"kty":"EC","crv":")" + std::string(GroupOf(made.algorithm).name) + '"';
      add("x", NumberOf(key.get(), OSSL_PKEY_PARAM_EC_PUB_X, bytes));
      add("y", NumberOf(key.get(), OSSL_PKEY_PARAM_EC_PUB_Y, bytes));
    } else {
      out += R"(,"kty":"RSA")";
      add("n", NumberOf(key.get(), OSSL_PKEY_PARAM_RSA_N));
      add("e", NumberOf(key.get(), OSSL_PKEY_PARAM_RSA_E));
    }
    out += '}';
  }
  return R"({"keys":[)" + out + "]}";
}

std::string EncodeBase64Url(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), Bytes(bytes),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  while (out.ends_with('=')) out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

}  // namespace spire_exporter::spiffe
