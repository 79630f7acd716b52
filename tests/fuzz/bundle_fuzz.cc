// Fuzzes the reader of SPIRE's bundles: whatever the database holds, nothing crashes, and what is
// read keeps its bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collectors/clients/spire/records.h"

using spire_exporter::spire::BundleAuthority;
using spire_exporter::spire::kAuthoritiesMax;
using spire_exporter::spire::ReadBundle;
using spire_exporter::spire::ShortId;
using spire_exporter::spire::TrustDomainName;

namespace {

void Require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bundle = ReadBundle(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!bundle.ok()) {
    Require(!bundle.error().what.empty());
    return 0;
  }
  Require(TrustDomainName(bundle->trust_domain) == bundle->trust_domain);
  Require(bundle->authorities.size() <= kAuthoritiesMax);
  for (const BundleAuthority& each : bundle->authorities) {
    Require(each.id.size() <= 256);
    Require(ShortId(each.id).size() == (each.id.empty() ? 0 : 8));
    if (each.not_after) Require(each.not_after->time_since_epoch().count() >= 0);
  }
  return 0;
}
