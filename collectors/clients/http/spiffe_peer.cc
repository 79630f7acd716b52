#include "collectors/clients/http/spiffe_peer.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <span>
#include <utility>

#include "exporter/tls/spiffe_roots.h"

namespace spire_exporter {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
using Certificate = std::unique_ptr<X509, FreeCertificate>;
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

struct Verification {
  std::shared_ptr<const SpiffeRoots> roots;
  std::function<bool(std::string_view id)> is_who;
};

Bio Memory(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

int Verify(X509_STORE_CTX* verification, void* argument) {
  const auto* const by = static_cast<const Verification*>(argument);
  std::string id;
  long verdict = by->roots->Verify(X509_STORE_CTX_get0_cert(verification),
                                   X509_STORE_CTX_get0_untrusted(verification),
                                   SpiffeRoots::Peer::kServer, &id);
  if (verdict == X509_V_OK && !by->is_who(id)) verdict = X509_V_ERR_APPLICATION_VERIFICATION;
  X509_STORE_CTX_set_error(verification, static_cast<int>(verdict));
  return verdict == X509_V_OK ? 1 : 0;
}

Error Bad(const std::string& what) {
  ERR_clear_error();
  return {Code::kFailedPrecondition, "TLS: " + what, "", true};
}

Status UseCertificate(const TlsMaterial& material, SSL_CTX* context) {
  const Bio chain = Memory(material.certificate);
  const Certificate leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  if (leaf == nullptr || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    return Bad("no certificate in our SVID");
  }
  while (X509* more = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context, more) != 1) X509_free(more);
  }
  ERR_clear_error();  // the end of the text
  const Bio text = Memory(material.key);
  const Key key(PEM_read_bio_PrivateKey(text.get(), nullptr, nullptr, nullptr));
  if (key == nullptr || SSL_CTX_use_PrivateKey(context, key.get()) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return Bad("the key is not that of our SVID");
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const void>> UseSpiffe(const TlsMaterial& material, const SpiffePeer& peer,
                                              SSL_CTX* context) {
  if (Status used = UseCertificate(material, context); !used.ok()) return used.error();
  auto roots = SpiffeRoots::Make(material, std::span(&peer.trust_domain, 1));
  if (!roots.ok()) return Bad(roots.error().what);
  const auto verification =
      std::make_shared<Verification>(Verification{*std::move(roots), peer.is_who});
  SSL_CTX_set_cert_verify_callback(context, Verify, verification.get());
  return std::shared_ptr<const void>(verification);
}

}  // namespace spire_exporter
