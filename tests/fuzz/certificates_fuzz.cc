// Fuzzes what reads and verifies X.509-SVIDs: whatever an agent or a server sends, nothing crashes,
// and nothing is good that is not.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "collectors/clients/spiffe/spiffe_id.h"
#include "collectors/clients/spiffe/x509_svid.h"

using spire_exporter::SystemTime;
using spire_exporter::spiffe::IsSpiffeId;
using spire_exporter::spiffe::IsWorkloadId;
using spire_exporter::spiffe::ReadLeaf;
using spire_exporter::spiffe::SplitCertificates;
using spire_exporter::spiffe::Verdict;
using spire_exporter::spiffe::VerifyX509Svid;

namespace {

void Require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view der(reinterpret_cast<const char*>(data), size);
  const auto leaf = ReadLeaf(der);
  if (leaf.ok()) {
    Require(leaf->not_before.time_since_epoch().count() >= 0);
    Require(leaf->not_after.time_since_epoch().count() <= 253'402'300'799);
    Require(leaf->spiffe_id.empty() || IsSpiffeId(leaf->spiffe_id));
    Require(leaf->authority_key_id.size() <= 128);
  }
  const auto certificates = SplitCertificates(der);
  if (!certificates.ok()) return 0;
  std::string whole;
  for (const std::string& one : *certificates) whole += one;
  Require(whole == der);
  Require(certificates->size() <= 100);

  const SystemTime now(std::chrono::seconds(1'800'000'600));
  const auto roots = std::span(*certificates).subspan(certificates->empty() ? 0 : 1);
  const Verdict verdict = VerifyX509Svid(*certificates, roots, now);
  if (verdict == Verdict::kGood) {
    Require(leaf.ok() && IsWorkloadId(leaf->spiffe_id) && !leaf->ca);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
    Require(leaf->not_before <= seconds && seconds <= leaf->not_after);
  }
  Require(VerifyX509Svid(*certificates, {}, now) != Verdict::kGood);
  return 0;
}
