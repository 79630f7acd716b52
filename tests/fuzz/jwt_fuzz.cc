// Fuzzes what reads and verifies JWT-SVIDs. The input is a token, a line feed and a JWKS.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collectors/clients/spiffe/jwt_svid.h"
#include "collectors/clients/spiffe/spiffe_id.h"

using spire_exporter::SystemTime;
using spire_exporter::spiffe::IsWorkloadId;
using spire_exporter::spiffe::ReadJwt;
using spire_exporter::spiffe::Verdict;
using spire_exporter::spiffe::VerifyJwtSvid;

namespace {

void Require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = input.find('\n');
  const std::string_view token = input.substr(0, line);
  const std::string_view jwks = line == std::string_view::npos ? "" : input.substr(line + 1);
  const auto facts = ReadJwt(token);
  if (facts.ok()) {
    Require(IsWorkloadId(facts->subject));
    Require(facts->expires_at.time_since_epoch().count() >= 0);
    Require(facts->expires_at.time_since_epoch().count() <= 253'402'300'799);
  }
  const SystemTime now(std::chrono::seconds(1'800'000'100));
  const Verdict verdict = VerifyJwtSvid(token, jwks, "canary-7", now);
  if (!facts.ok()) Require(verdict == Verdict::kMalformed);
  if (verdict == Verdict::kGood) {
    Require(!facts->key_id.empty() && !jwks.empty());
    Require(facts->expires_at > std::chrono::floor<std::chrono::seconds>(now));
  }
  return 0;
}
