// A peer that is known by its SPIFFE ID and not by its name, and we by our SVID.
#ifndef COLLECTORS_CLIENTS_HTTP_SPIFFE_PEER_H_
#define COLLECTORS_CLIENTS_HTTP_SPIFFE_PEER_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "exporter/base/result.h"
#include "exporter/tls/certificate_source.h"

struct ssl_ctx_st;  // SSL_CTX

namespace spire_exporter {

struct SpiffePeer {
  // Our SVID, and the bundles that the peer is verified by; null where peers go by their names.
  std::shared_ptr<CertificateSource> source;
  std::string trust_domain;                         // of the peer
  std::function<bool(std::string_view id)> is_who;  // whether a SPIFFE ID of it is the peer's
};

// Shows the material's certificate to peers and verifies them by `peer`. What is returned is kept
// for as long as the context makes connections. kFailedPrecondition says what does not fit.
Result<std::shared_ptr<const void>> UseSpiffe(const TlsMaterial& material, const SpiffePeer& peer,
                                              ssl_ctx_st* context);

}  // namespace spire_exporter

#endif  // COLLECTORS_CLIENTS_HTTP_SPIFFE_PEER_H_
