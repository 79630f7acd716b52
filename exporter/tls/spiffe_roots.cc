#include "exporter/tls/spiffe_roots.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "exporter/tls/tls_context.h"

namespace spire_exporter {
namespace {

constexpr std::string_view kScheme = "spiffe://";

std::string_view TrustDomainOf(std::string_view id) {
  id.remove_prefix(kScheme.size());
  return id.substr(0, id.find('/'));
}

// An authority could make itself any ID; only what it signs is a workload's.
bool IsOfAWorkload(X509* leaf) {
  if ((X509_get_extension_flags(leaf) & (EXFLAG_CA | EXFLAG_INVALID)) != 0) return false;
  const uint32_t usage = X509_get_key_usage(leaf);  // all bits where there is no such extension
  return usage == UINT32_MAX || (usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) == 0;
}

}  // namespace

Result<std::shared_ptr<const SpiffeRoots>> SpiffeRoots::Make(const TlsMaterial& material,
                                                             std::span<const std::string> foreign) {
  std::shared_ptr<SpiffeRoots> made(new SpiffeRoots());
  made->domains_.insert(foreign.begin(), foreign.end());
  if (!material.trust_domain.empty()) made->domains_.insert(material.trust_domain);
  for (const auto& [domain, pem] : material.spiffe_roots) {
    if (domain != material.trust_domain &&
        std::find(foreign.begin(), foreign.end(), domain) == foreign.end()) {
      continue;
    }
    std::shared_ptr<X509_STORE> store(X509_STORE_new(), X509_STORE_free);
    Status added = AddRoots(store.get(), pem, "bundle of " + domain, nullptr);
    if (!added.ok()) return added.error();
    made->stores_.emplace(domain, std::move(store));
  }
  return std::shared_ptr<const SpiffeRoots>(std::move(made));
}

long SpiffeRoots::Verify(X509* leaf, STACK_OF(X509) * chain, Peer peer, std::string* id) const {
  const PeerCertificate names = NamesOf(leaf);
  const std::string_view said = SpiffeIdOf(names);
  if (said.empty()) return X509_V_ERR_INVALID_PURPOSE;
  if (!IsOfAWorkload(leaf)) return X509_V_ERR_INVALID_PURPOSE;
  const auto store = stores_.find(TrustDomainOf(said));
  if (store == stores_.end()) return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
  const long verdict = VerifyChain(store->second.get(), leaf, chain, peer == Peer::kClient);
  if (verdict == X509_V_OK) *id = said;
  return verdict;
}

// Any of the names counts, also of a certificate that is no SVID for having two.
bool SpiffeRoots::Claims(const PeerCertificate& names) const {
  return std::any_of(names.uris.begin(), names.uris.end(), [this](std::string_view uri) {
    return uri.substr(0, kScheme.size()) == kScheme && domains_.contains(TrustDomainOf(uri));
  });
}

}  // namespace spire_exporter
