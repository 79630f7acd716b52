// Whether a text is a SPIFFE ID (SPIFFE-ID.md, section 2).
#ifndef COLLECTORS_CLIENTS_SPIFFE_SPIFFE_ID_H_
#define COLLECTORS_CLIENTS_SPIFFE_SPIFFE_ID_H_

#include <string_view>

namespace spire_exporter::spiffe {

inline constexpr std::string_view kSpiffeScheme = "spiffe://";

// `spiffe://example.org/ns/shop`: at most 2048 bytes, a trust domain of lower-case letters, digits,
// `.`, `-` and `_`, and a path of segments that are neither empty nor dots alone. The path may be
// missing: that is the trust domain itself.
bool IsSpiffeId(std::string_view text);

// The same with a path, as a workload has it.
bool IsWorkloadId(std::string_view text);

}  // namespace spire_exporter::spiffe

#endif  // COLLECTORS_CLIENTS_SPIFFE_SPIFFE_ID_H_
