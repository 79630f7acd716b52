// Whether a peer is who its SPIFFE ID says, by the roots of the trust domain that the ID is of.
#ifndef EXPORTER_TLS_SPIFFE_ROOTS_H_
#define EXPORTER_TLS_SPIFFE_ROOTS_H_

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "exporter/base/result.h"
#include "exporter/tls/certificate_source.h"
#include "exporter/tls/peer_certificate.h"

struct x509_st;        // X509
struct x509_store_st;  // X509_STORE
struct stack_st_X509;  // STACK_OF(X509)

namespace spire_exporter {

// Immutable; safe from any thread.
class SpiffeRoots {
 public:
  enum class Peer { kClient, kServer };

  // The roots of the material's own trust domain, and of those of `foreign` that it has. The error
  // names the trust domain's bundle.
  static Result<std::shared_ptr<const SpiffeRoots>> Make(const TlsMaterial& material,
                                                         std::span<const std::string> foreign);

  // X509_V_OK when `leaf` is an X.509-SVID (one URI name, no authority: X509-SVID.md, 2 and 4) in
  // time, with a way over `chain` (may be null) to a root of its trust domain; else OpenSSL's
  // number of what is wrong. `id` is its SPIFFE ID then. About 0.2 ms.
  long Verify(x509_st* leaf, stack_st_X509* chain, Peer peer, std::string* id) const;

  // Whether a certificate says that it is of one of these trust domains, or of one that was asked
  // for and has no bundle yet; then nobody else may vouch for it.
  bool Claims(const PeerCertificate& names) const;

 private:
  SpiffeRoots() = default;

  std::set<std::string, std::less<>> domains_;
  std::map<std::string, std::shared_ptr<x509_store_st>, std::less<>> stores_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_TLS_SPIFFE_ROOTS_H_
