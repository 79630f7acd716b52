// Fuzzes the reader of bundles in files and of an agent's JWKS: whatever people and agents hand
// over, nothing crashes, and what is read keeps its bounds and is certificates.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collectors/clients/spiffe/bundle_document.h"
#include "collectors/clients/spiffe/x509_svid.h"

using spire_exporter::spiffe::kBundleDocumentBytesMax;
using spire_exporter::spiffe::ReadBundleDocument;
using spire_exporter::spiffe::SplitCertificates;

namespace {

void Require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto document = ReadBundleDocument(text);
  if (!document.ok()) {
    Require(!document.error().what.empty());
    Require(document.error().what.find('\n') == std::string::npos);
    return 0;
  }
  Require(size <= kBundleDocumentBytesMax);
  const size_t authorities = document->certificates.size() + document->key_ids.size();
  Require(authorities > 0 && authorities <= 1000);
  for (const std::string& certificate : document->certificates) {
    const auto one = SplitCertificates(certificate);
    Require(one.ok() && one->size() == 1);
  }
  return 0;
}
