// The authorities of a trust domain as people and programs hand them around: PEM, or the JSON of
// SPIFFE (SPIFFE_Trust_Domain_and_Bundle.md, section 4), which the JWKS of a Workload API is too.
#ifndef COLLECTORS_CLIENTS_SPIFFE_BUNDLE_DOCUMENT_H_
#define COLLECTORS_CLIENTS_SPIFFE_BUNDLE_DOCUMENT_H_

#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/result.h"

namespace spire_exporter::spiffe {

struct BundleDocument {
  std::vector<std::string> certificates;  // X.509 authorities as DER, in the order written
  std::vector<std::string> key_ids;       // of the keys that verify tokens
};

inline constexpr size_t kBundleDocumentBytesMax = size_t{512} << 10;

// JSON when the first character is `{`, else PEM. Keys without a use are those of tokens, as agents
// serve them. What lies between the certificates of PEM is passed over. kDataLoss for what is
// neither, for one authority that cannot be read, and for none at all; kResourceExhausted for more
// than 1000 or a longer text. Safe from any thread.
Result<BundleDocument> ReadBundleDocument(std::string_view text);

}  // namespace spire_exporter::spiffe

#endif  // COLLECTORS_CLIENTS_SPIFFE_BUNDLE_DOCUMENT_H_
