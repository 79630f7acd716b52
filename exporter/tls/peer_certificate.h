// What is known of the certificate that a client showed.
#ifndef EXPORTER_TLS_PEER_CERTIFICATE_H_
#define EXPORTER_TLS_PEER_CERTIFICATE_H_

#include <string>
#include <string_view>
#include <vector>

namespace spire_exporter {

// The subject alternative names of a leaf certificate, each kind in the order of the certificate.
struct PeerCertificate {
  bool verified = false;  // its chain ends in a root that the listener trusts, and it is in time
  // Verified by roots of the operator's beside the bundles: what it says of a SPIFFE ID is no
  // trust domain's word.
  bool by_fallback = false;
  double not_after_seconds = 0;  // Unix time of its end
  std::vector<std::string> dns_names;
  std::vector<std::string> email_addresses;
  std::vector<std::string> ip_addresses;  // as text
  std::vector<std::string> uris;
};

// The SPIFFE ID of an X.509-SVID: its one URI name, `spiffe://` and a trust domain of lower-case
// letters, digits, dots, dashes and underscores. Empty when the certificate is none: a second URI
// name, another scheme or a malformed id is not an identity (SPIFFE X509-SVID, section 2;
// SPIFFE-ID, section 2).
std::string_view SpiffeIdOf(const PeerCertificate& certificate);

}  // namespace spire_exporter

#endif  // EXPORTER_TLS_PEER_CERTIFICATE_H_
