// What a client says it is known by, and passwords held against their hashes.
#ifndef EXPORTER_WEB_CREDENTIALS_H_
#define EXPORTER_WEB_CREDENTIALS_H_

#include <string>
#include <string_view>

#include "exporter/base/result.h"

namespace spire_exporter {

struct Credentials {
  enum class Kind { kNone, kBasic, kBearer, kMalformed };
  Kind kind = Kind::kNone;
  std::string user;      // kBasic
  std::string password;  // kBasic
  std::string token;     // kBearer
};

// The value of an Authorization header: `Basic` with base64 (RFC 7617), `Bearer` with a token (RFC
// 6750), schemes in any case. Anything else is malformed, as is a password that bcrypt could not
// tell from another: with a zero byte, or longer than 72 bytes.
Credentials ParseAuthorization(std::string_view value);

// The cost of a bcrypt hash (`$2y$10$...`, also 2a and 2b); an error says what is wrong with it.
// Costs from 4 to 15: each step doubles the time of a check, and 15 takes some 1.4 s.
Result<int> BcryptCost(std::string_view hash);
// Takes as long as the cost wants. Safe from any thread.
bool PasswordFits(const std::string& password, const std::string& hash);

// Takes the same time whatever differs, but for the length.
bool EqualInConstantTime(std::string_view a, std::string_view b);

}  // namespace spire_exporter

#endif  // EXPORTER_WEB_CREDENTIALS_H_
