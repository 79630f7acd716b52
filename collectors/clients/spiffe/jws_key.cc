#include "collectors/clients/spiffe/jws_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <array>
#include <cstdint>
#include <memory>

#include "collectors/clients/spiffe/free.h"

namespace spire_exporter::spiffe {
namespace {

constexpr size_t kModulusBytesMax = 2048;
constexpr size_t kExponentBytesMax = 8;

using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;

enum class Scheme { kPkcs1, kPss, kEcdsa };

struct Row {
  std::string_view name;
  Scheme scheme;
  const char* digest;
  std::string_view curve;  // of ECDSA, as JWKS call it
  const char* group;       // as OpenSSL does
  size_t bytes;            // of a coordinate
};

// By JwsAlgorithm.
constexpr std::array<Row, 9> kRows = {{
    {"RS256", Scheme::kPkcs1, "SHA256", "", nullptr, 0},
    {"RS384", Scheme::kPkcs1, "SHA384", "", nullptr, 0},
    {"RS512", Scheme::kPkcs1, "SHA512", "", nullptr, 0},
    {"PS256", Scheme::kPss, "SHA256", "", nullptr, 0},
    {"PS384", Scheme::kPss, "SHA384", "", nullptr, 0},
    {"PS512", Scheme::kPss, "SHA512", "", nullptr, 0},
    {"ES256", Scheme::kEcdsa, "SHA256", "P-256", "P-256", 32},
    {"ES384", Scheme::kEcdsa, "SHA384", "P-384", "P-384", 48},
    {"ES512", Scheme::kEcdsa, "SHA512", "P-521", "P-521", 66},
}};

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number ToNumber(std::string_view bytes) {
  return Number(BN_bin2bn(Bytes(bytes), static_cast<int>(bytes.size()), nullptr));
}

Key Build(const char* kind, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return Key(key);
}

Key RsaKey(const JwsKeyText& text) {
  const auto n = DecodeBase64Url(text.n);
  const auto e = DecodeBase64Url(text.e);
  if (text.type != "RSA" || !n || !e || n->empty() || e->empty()) return nullptr;
  if (n->size() > kModulusBytesMax || e->size() > kExponentBytesMax) return nullptr;
  const Number modulus = ToNumber(*n), exponent = ToNumber(*e);
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!modulus || !exponent || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return nullptr;
  }
  return Build("RSA", builder.get());
}

// A point that is not on the curve makes no key: OpenSSL looks.
Key EcKey(const Row& row, const JwsKeyText& text) {
  const auto x = DecodeBase64Url(text.x);
  const auto y = DecodeBase64Url(text.y);
  if (text.type != "EC" || text.curve != row.curve || !x || !y) return nullptr;
  if (x->size() != row.bytes || y->size() != row.bytes) return nullptr;
  const std::string point = '\x04' + *x + *y;
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, row.group, 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return Build("EC", builder.get());
}

// The two numbers of a JWS, as OpenSSL wants them; empty when it is not two.
std::string EcdsaToDer(const Row& row, std::string_view signature) {
  if (signature.size() != 2 * row.bytes) return {};
  const std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>> pair(ECDSA_SIG_new());
  Number r = ToNumber(signature.substr(0, row.bytes)), s = ToNumber(signature.substr(row.bytes));
  if (!pair || !r || !s) return {};
  ECDSA_SIG_set0(pair.get(), r.release(), s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return out;
}

bool Verify(const Row& row, EVP_PKEY* key, std::string_view text, std::string_view signature) {
  const std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* rules = nullptr;  // owned by `context`
  if (!context || EVP_DigestVerifyInit_ex(context.get(), &rules, row.digest, nullptr, nullptr, key,
                                          nullptr) != 1) {
    return false;
  }
  if (row.scheme == Scheme::kPss &&
      (EVP_PKEY_CTX_set_rsa_padding(rules, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(rules, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(text),
                          text.size()) == 1;
}

}  // namespace

std::optional<JwsAlgorithm> FindJwsAlgorithm(std::string_view name) {
  for (size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].name == name) return static_cast<JwsAlgorithm>(i);
  }
  return std::nullopt;
}

bool VerifyJws(JwsAlgorithm algorithm, const JwsKeyText& key, std::string_view text,
               std::string_view signature) {
  const Row& row = kRows[static_cast<size_t>(algorithm)];
  const bool elliptic = row.scheme == Scheme::kEcdsa;
  const Key parsed = elliptic ? EcKey(row, key) : RsaKey(key);
  const std::string der = elliptic ? EcdsaToDer(row, signature) : std::string(signature);
  const bool good = parsed && !der.empty() && Verify(row, parsed.get(), text, der);
  ERR_clear_error();  // the thread's queue is nobody's to read
  return good;
}

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    uint32_t value = 0;
    if (c >= 'A' && c <= 'Z') {
      value = static_cast<uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      value = static_cast<uint32_t>(c - 'a') + 26;
    } else if (c >= '0' && c <= '9') {
      value = static_cast<uint32_t>(c - '0') + 52;
    } else if (c == '-') {
      value = 62;
    } else if (c == '_') {
      value = 63;
    } else {
      return std::nullopt;
    }
    bits = (bits << 6 | value) & 0xffffU;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>(bits >> held & 0xffU);
    }
  }
  // Of one text there is one form: the bits that are left over are zero.
  if ((bits & ((1U << held) - 1)) != 0) return std::nullopt;
  return out;
}

}  // namespace spire_exporter::spiffe
