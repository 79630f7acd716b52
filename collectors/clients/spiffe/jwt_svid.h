// JWT-SVIDs and the bundles that they are verified against (JWT-SVID.md; RFC 7515, 7517, 7519).
#ifndef COLLECTORS_CLIENTS_SPIFFE_JWT_SVID_H_
#define COLLECTORS_CLIENTS_SPIFFE_JWT_SVID_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/clients/spiffe/x509_svid.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::spiffe {

struct JwtFacts {
  std::string subject;  // the SPIFFE ID
  std::string key_id;
  std::optional<std::chrono::sys_seconds> issued_at;
  std::chrono::sys_seconds expires_at;
};

// What the token says; nothing is checked but its form. kDataLoss when it is no JWT-SVID,
// kResourceExhausted when it is longer than 16 KiB.
Result<JwtFacts> ReadJwt(std::string_view token);

// Whether holders of `jwks` (a JWKS document of at most 512 KiB) accept it at `now` for `audience`:
// RS256 to PS512 and ES256 to ES512, `kid`, `exp`, `nbf`, `aud`, `sub`. kUntrusted when no key of
// its id signed it, and when it is for another audience. About 0.2 ms. Safe from any thread.
Verdict VerifyJwtSvid(std::string_view token, std::string_view jwks, std::string_view audience,
                      SystemTime now);

}  // namespace spire_exporter::spiffe

#endif  // COLLECTORS_CLIENTS_SPIFFE_JWT_SVID_H_
