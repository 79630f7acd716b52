// Every method of SPIRE that this program can call. There is no other way to call one than by a row
// of this table, so that none of the methods beside them, which mint, sign, ban and delete, can be
// called by mistake. methods_test.cc holds it against rpc/*.proto and against the sources.
#ifndef COLLECTORS_CLIENTS_SPIRE_METHODS_H_
#define COLLECTORS_CLIENTS_SPIRE_METHODS_H_

#include <array>
#include <cstddef>

namespace spire_exporter::spire {

enum class Method {
  kFetchX509Svid,
  kFetchX509Bundles,
  kFetchJwtSvid,
  kFetchJwtBundles,
  kAgentInfo,
  kHealth,
  kBundle,
  kX509Authorities,
  kJwtAuthorities,
  kWitAuthorities,
  kRelationships,
};

struct MethodRow {
  const char* path;
  // Agents answer the Workload API only to who says that he means it (SPIFFE_Workload_Endpoint.md,
  // section 6.2).
  bool security_header = false;
};

// By Method.
inline constexpr std::array kMethods = {
    MethodRow{"/SpiffeWorkloadAPI/FetchX509SVID", true},
    MethodRow{"/SpiffeWorkloadAPI/FetchX509Bundles", true},
    MethodRow{"/SpiffeWorkloadAPI/FetchJWTSVID", true},
    MethodRow{"/SpiffeWorkloadAPI/FetchJWTBundles", true},
    MethodRow{"/spire.agent.debug.v1.Debug/GetInfo"},
    MethodRow{"/grpc.health.v1.Health/Check"},
    MethodRow{"/spire.api.server.bundle.v1.Bundle/GetBundle"},
    MethodRow{"/spire.api.server.localauthority.v1.LocalAuthority/GetX509AuthorityState"},
    MethodRow{"/spire.api.server.localauthority.v1.LocalAuthority/GetJWTAuthorityState"},
    MethodRow{"/spire.api.server.localauthority.v1.LocalAuthority/GetWITAuthorityState"},
    MethodRow{"/spire.api.server.trustdomain.v1.TrustDomain/ListFederationRelationships"},
};

constexpr const MethodRow& RowOf(Method method) {
  return kMethods[static_cast<size_t>(method)];
}

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_METHODS_H_
