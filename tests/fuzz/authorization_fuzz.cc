// The Authorization header comes from anybody: what is read from it is what it says, one text for
// each meaning.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "exporter/web/credentials.h"

namespace {

void Demand(bool good) {
  if (!good) std::abort();
}

std::string Encode(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < text.size(); i += 3) {
    uint32_t bits = 0;
    const size_t left = text.size() - i < 3 ? text.size() - i : 3;
    for (size_t k = 0; k < 3; ++k) {
      bits = (bits << 8) | (k < left ? static_cast<unsigned char>(text[i + k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      out += k <= left ? kDigits[(bits >> (18 - 6 * k)) & 63] : '=';
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using spire_exporter::Credentials;
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  const Credentials said = spire_exporter::ParseAuthorization(value);
  switch (said.kind) {
    case Credentials::Kind::kNone:
      Demand(value.empty());
      break;
    case Credentials::Kind::kBasic: {
      const std::string encoded = Encode(said.user + ":" + said.password);
      Demand(value.size() >= encoded.size());
      Demand(value.substr(value.size() - encoded.size()) == encoded);
      Demand(said.password.size() <= 72 && said.user.find(':') == std::string::npos);
      Demand(said.password.find('\0') == std::string::npos);
      break;
    }
    case Credentials::Kind::kBearer:
      Demand(!said.token.empty() && value.substr(value.size() - said.token.size()) == said.token);
      break;
    case Credentials::Kind::kMalformed:
      Demand(said.user.empty() && said.password.empty() && said.token.empty());
      break;
  }
  (void)spire_exporter::BcryptCost(value);
  return 0;
}
