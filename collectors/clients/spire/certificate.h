// What an authority's certificate says of itself, without OpenSSL's types.
#ifndef COLLECTORS_CLIENTS_SPIRE_CERTIFICATE_H_
#define COLLECTORS_CLIENTS_SPIRE_CERTIFICATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/clients/spire/authority.h"

namespace spire_exporter::spire {

struct Certificate {
  std::string subject_key_id;    // lower-case hex; empty when there is none
  std::string authority_key_id;  // likewise
  UnixTime not_before;
  UnixTime not_after;
  uint64_t subject_hash = 0;
  bool self_issued = false;  // subject and issuer are the same
};

// The first certificate of `der`, which loses it; nothing when it is none. No signature is checked.
std::optional<Certificate> TakeCertificate(std::string_view* der);

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_CERTIFICATE_H_
