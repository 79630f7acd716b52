// What a SPIRE server says on its API socket, which is opt-in: whoever may connect to it has power
// over the whole trust domain, whatever he asks. Only what is declared here is ever called.
#ifndef COLLECTORS_CLIENTS_SPIRE_SERVER_SOCKET_H_
#define COLLECTORS_CLIENTS_SPIRE_SERVER_SOCKET_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/clients/spire/authority.h"
#include "collectors/clients/spire/call.h"
#include "collectors/clients/spire/channel.h"
#include "exporter/base/result.h"

namespace spire_exporter::spire {

struct LocalAuthority {
  std::string id;
  UnixTime expires_at;
  std::string upstream_id;  // subject key id of the authority above; empty without one
};

// The slots of one type; empty ones are absent.
struct LocalAuthorities {
  std::optional<LocalAuthority> active, prepared, old;
};

struct FederationRelationship {
  std::string trust_domain;
  bool https_spiffe = false;  // else https_web
  bool has_bundle = false;
};

// Safe from any thread.
class ServerSocket {
 public:
  explicit ServerSocket(std::shared_ptr<Channel> channel);

  // grpc.health.v1.Health/Check; true when it is serving.
  Result<bool> Serving(const Call& call) const;
  // LocalAuthority/Get{X509,JWT,WIT}AuthorityState: from memory, 0.3 ms. kUnimplemented for kWit
  // up to 1.15.3.
  Result<LocalAuthorities> Authorities(AuthorityType type, const Call& call) const;
  // TrustDomain/ListFederationRelationships, by pages of 500 up to `max`; kResourceExhausted
  // beyond.
  Result<std::vector<FederationRelationship>> Federation(size_t max, const Call& call) const;

 private:
  std::shared_ptr<Channel> channel_;
};

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_SERVER_SOCKET_H_
