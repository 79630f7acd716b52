// Signatures of tokens: JWS (RFC 7515, 7518) with the keys of a JWKS (RFC 7517).
#ifndef COLLECTORS_CLIENTS_SPIFFE_JWS_KEY_H_
#define COLLECTORS_CLIENTS_SPIFFE_JWS_KEY_H_

#include <optional>
#include <string>
#include <string_view>

namespace spire_exporter::spiffe {

enum class JwsAlgorithm {
  kRs256,
  kRs384,
  kRs512,
  kPs256,
  kPs384,
  kPs512,
  kEs256,
  kEs384,
  kEs512,
};
// By its name, `RS256`; nothing for those that a JWT-SVID must not have, `none` and HMAC above all.
std::optional<JwsAlgorithm> FindJwsAlgorithm(std::string_view name);

// A key as a JWKS has it: text, most of it base64url.
struct JwsKeyText {
  std::string type;   // `kty`
  std::string curve;  // `crv`
  std::string n, e;   // RSA
  std::string x, y;   // EC
};

// Whether `signature` (bytes) of `text` is by `key`. False for a key that cannot be read or is of
// another kind or curve than the algorithm's, RSA of more than 16384 bits. Safe from any thread.
bool VerifyJws(JwsAlgorithm algorithm, const JwsKeyText& key, std::string_view text,
               std::string_view signature);

// RFC 4648, section 5, without padding; nothing for what is not that.
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace spire_exporter::spiffe

#endif  // COLLECTORS_CLIENTS_SPIFFE_JWS_KEY_H_
