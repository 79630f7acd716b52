#include "exporter/web/credentials.h"

#include <crypt.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "exporter/base/ascii.h"

namespace spire_exporter {
namespace {

constexpr size_t kPasswordMax = 72;  // what bcrypt looks at
constexpr int kCostMin = 4;
constexpr int kCostMax = 15;

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

// RFC 4648, with its padding and nothing else.
std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const size_t padding = text.empty() ? 0 : text.size() - text.find_last_not_of('=') - 1;
  if (padding > 2) return std::nullopt;
  text.remove_suffix(padding);
  std::string decoded;
  uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    const int value = Base64Value(c);
    if (value < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<uint32_t>(value);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    decoded += static_cast<char>((bits >> have) & 0xff);
  }
  // What is left over must be zeros, or two texts would mean the same.
  if ((bits & ((1U << have) - 1)) != 0) return std::nullopt;
  return decoded;
}

// `rest` without the scheme and the blanks behind it, if it begins with it.
bool TakeScheme(std::string_view* rest, std::string_view scheme) {
  if (rest->size() <= scheme.size() || (*rest)[scheme.size()] != ' ') return false;
  if (!std::equal(scheme.begin(), scheme.end(), rest->begin(),
                  [](char a, char b) { return a == Lower(b); })) {
    return false;
  }
  rest->remove_prefix(std::min(rest->find_first_not_of(' ', scheme.size()), rest->size()));
  return true;
}

Credentials ReadBasic(std::string_view encoded) {
  Credentials found{Credentials::Kind::kMalformed, "", "", ""};
  const std::optional<std::string> decoded = DecodeBase64(encoded);
  if (!decoded) return found;
  const size_t colon = decoded->find(':');
  if (colon == std::string::npos || decoded->find('\0') != std::string::npos ||
      decoded->size() - colon - 1 > kPasswordMax) {
    return found;
  }
  found.kind = Credentials::Kind::kBasic;
  found.user = decoded->substr(0, colon);
  found.password = decoded->substr(colon + 1);
  return found;
}

}  // namespace

Credentials ParseAuthorization(std::string_view value) {
  if (value.empty()) return {};
  std::string_view rest = value;
  if (TakeScheme(&rest, "basic")) return ReadBasic(rest);
  if (TakeScheme(&rest, "bearer") && !rest.empty()) {
    return {Credentials::Kind::kBearer, "", "", std::string(rest)};
  }
  return {Credentials::Kind::kMalformed, "", "", ""};
}

Result<int> BcryptCost(std::string_view hash) {
  constexpr size_t kSize = 60;
  const auto bad = [](const char* what) { return Error{Code::kInvalidArgument, what, "", false}; };
  const bool form = hash.size() == kSize && hash[0] == '$' && hash[1] == '2' &&
                    (hash[2] == 'a' || hash[2] == 'b' || hash[2] == 'y') && hash[3] == '$' &&
                    hash[6] == '$' && hash[4] >= '0' && hash[4] <= '9' && hash[5] >= '0' &&
                    hash[5] <= '9';
  if (!form || !std::all_of(hash.begin() + 7, hash.end(),
                            [](char c) { return c == '.' || (c != '+' && Base64Value(c) >= 0); })) {
    return bad("expected a bcrypt hash such as htpasswd -B makes");
  }
  const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
  if (cost < kCostMin || cost > kCostMax) {
    return bad(
        "expected a bcrypt cost from 4 to 15: each step doubles the time of a check, and 15 "
        "takes over a second");
  }
  return cost;
}

bool PasswordFits(const std::string& password, const std::string& hash) {
  const auto data = std::make_unique<crypt_data>();  // 32 KiB, too much for a stack
  const char* const made =
      crypt_rn(password.c_str(), hash.c_str(), data.get(), static_cast<int>(sizeof(crypt_data)));
  return made != nullptr && EqualInConstantTime(made, hash);
}

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned different = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    different |= static_cast<unsigned>(a[i] ^ b[i]);
  }
  return different == 0;
}

}  // namespace spire_exporter
