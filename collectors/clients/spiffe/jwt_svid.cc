#include "collectors/clients/spiffe/jwt_svid.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "collectors/clients/spiffe/jws_key.h"
#include "collectors/clients/spiffe/spiffe_id.h"

namespace spire_exporter::spiffe {
namespace {

using Json = nlohmann::json;

constexpr size_t kTokenBytesMax = size_t{16} << 10;
constexpr size_t kJwksBytesMax = size_t{512} << 10;
constexpr int kDepthMax = 16;
constexpr int kKeysTriedMax = 8;             // of one id, where one is usual
constexpr double kLatest = 253'402'300'799;  // the end of the year 9999

// An object, or null. Bounded in depth, so that what is built stays in proportion to the text.
Json ParseObject(std::string_view text) {
  bool deep = false;
  Json json = Json::parse(
      text.begin(), text.end(),
      [&deep](int depth, Json::parse_event_t, Json&) {
        deep = deep || depth > kDepthMax;
        return !deep;
      },
      false);
  return !deep && json.is_object() ? json : Json();
}

// Empty when there is none.
std::string Text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool Has(const Json& object, const char* name) {
  return object.contains(name);
}

// NumericDate (RFC 7519, section 2), within the years that we tell of.
std::optional<std::chrono::sys_seconds> Time(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  const double seconds = std::clamp(std::floor(found->get<double>()), 0.0, kLatest);
  return std::chrono::sys_seconds(std::chrono::seconds(static_cast<int64_t>(seconds)));
}

struct Token {
  JwtFacts facts;
  JwsAlgorithm algorithm;
  std::optional<std::chrono::sys_seconds> not_before;
  std::vector<std::string> audience;
  std::string_view signed_text;  // of the token
  std::string signature;
};

std::vector<std::string> Audience(const Json& payload) {
  std::vector<std::string> audience;
  const auto found = payload.find("aud");
  if (found == payload.end()) return audience;
  if (found->is_string()) audience.push_back(found->get<std::string>());
  if (found->is_array()) {
    for (const Json& one : *found) {
      if (one.is_string()) audience.push_back(one.get<std::string>());
    }
  }
  return audience;
}

// JWT-SVID.md, sections 2 and 3.
std::optional<Token> ParseToken(std::string_view text) {
  const size_t first = text.find('.');
  const size_t second = text.find('.', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto header_text = DecodeBase64Url(text.substr(0, first));
  const auto payload_text = DecodeBase64Url(text.substr(first + 1, second - first - 1));
  auto signature = DecodeBase64Url(text.substr(second + 1));
  if (!header_text || !payload_text || !signature) return std::nullopt;
  const Json header = ParseObject(*header_text);
  const Json payload = ParseObject(*payload_text);
  if (!header.is_object() || !payload.is_object()) return std::nullopt;

  const auto algorithm = FindJwsAlgorithm(Text(header, "alg"));
  const std::string type = Text(header, "typ");
  // `crit` names what a reader must understand, and we understand nothing more.
  if (!algorithm || Has(header, "crit")) return std::nullopt;
  if (Has(header, "typ") && type != "JWT" && type != "JOSE") return std::nullopt;
  Token token;
  token.algorithm = *algorithm;
  token.facts.key_id = Text(header, "kid");
  token.facts.subject = Text(payload, "sub");
  token.facts.issued_at = Time(payload, "iat");
  const auto expires_at = Time(payload, "exp");
  if (!IsWorkloadId(token.facts.subject) || !expires_at) return std::nullopt;
  token.facts.expires_at = *expires_at;
  token.not_before = Time(payload, "nbf");
  if (Has(payload, "nbf") && !token.not_before) return std::nullopt;
  token.audience = Audience(payload);
  token.signed_text = text.substr(0, second);
  token.signature = std::move(*signature);
  return token;
}

JwsKeyText KeyText(const Json& key) {
  return {Text(key, "kty"), Text(key, "crv"), Text(key, "n"),
          Text(key, "e"),   Text(key, "x"),   Text(key, "y")};
}

// Whether one of the keys signed it. Keys of other uses do not count: an X.509 authority's is in
// the same document in bundles of other trust domains.
bool SignedByOneOf(const Json& jwks, const Token& token) {
  const auto keys = jwks.find("keys");
  if (keys == jwks.end() || !keys->is_array()) return false;
  int tried = 0;
  return std::any_of(keys->begin(), keys->end(), [&](const Json& key) {
    if (!key.is_object() || Text(key, "kid") != token.facts.key_id) return false;
    if (Has(key, "use") && Text(key, "use") != "jwt-svid") return false;
    if (++tried > kKeysTriedMax) return false;
    return VerifyJws(token.algorithm, KeyText(key), token.signed_text, token.signature);
  });
}

}  // namespace

Result<JwtFacts> ReadJwt(std::string_view token) {
  if (token.size() > kTokenBytesMax) {
    return Error{Code::kResourceExhausted, "a token of more than 16 KiB", "", false};
  }
  auto parsed = ParseToken(token);
  if (!parsed) return Error{Code::kDataLoss, "text that is no JWT-SVID", "", false};
  return std::move(parsed->facts);
}

Verdict VerifyJwtSvid(std::string_view token, std::string_view jwks, std::string_view audience,
                      SystemTime now) {
  if (token.size() > kTokenBytesMax) return Verdict::kMalformed;
  const auto parsed = ParseToken(token);
  if (!parsed || parsed->facts.key_id.empty() || parsed->audience.empty()) {
    return Verdict::kMalformed;
  }
  if (jwks.size() > kJwksBytesMax) return Verdict::kUntrusted;
  const Json keys = ParseObject(jwks);
  if (!keys.is_object() || !SignedByOneOf(keys, *parsed)) return Verdict::kUntrusted;
  if (std::find(parsed->audience.begin(), parsed->audience.end(), audience) ==
      parsed->audience.end()) {
    return Verdict::kUntrusted;
  }
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  if (parsed->not_before && seconds < *parsed->not_before) return Verdict::kNotYetValid;
  return seconds < parsed->facts.expires_at ? Verdict::kGood : Verdict::kExpired;
}

}  // namespace spire_exporter::spiffe
