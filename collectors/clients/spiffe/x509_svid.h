// X.509-SVIDs and the bundles that they are verified against (X509-SVID.md).
#ifndef COLLECTORS_CLIENTS_SPIFFE_X509_SVID_H_
#define COLLECTORS_CLIENTS_SPIFFE_X509_SVID_H_

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::spiffe {

// What a certificate says, without OpenSSL's types. Times lie between 1970 and 9999, which is more
// than SystemTime can say (2262): compare and subtract in seconds.
struct LeafFacts {
  std::string spiffe_id;  // of its URI name; empty unless there is exactly one and it is one
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
  std::string authority_key_id;  // lower-case hex; empty when it has none
  bool ca = false;
};

// DER certificates one after the other, taken apart, at most 100 of at most 64 KiB each: kDataLoss
// for what is none, kResourceExhausted beyond the bounds.
Result<std::vector<std::string>> SplitCertificates(std::string_view der);

// The first certificate of `der`; kDataLoss when it is none. No signature is checked.
Result<LeafFacts> ReadLeaf(std::string_view der);

// Whether `chain` (DER, the leaf first) is an X.509-SVID that holders of `roots` (DER) accept at
// `now`, by signatures, basic constraints, key usage, times and the SPIFFE ID of the leaf. The
// trust domain of the leaf is not compared: give the roots of the one that is meant.
enum class Verdict {
  kGood,
  kExpired,      // it, or one of those above it
  kNotYetValid,  // likewise
  kUntrusted,    // no way from it to a root
  kMalformed,    // no certificate, or none of a workload
};
// `good`, `expired`, `not_yet_valid`, `untrusted`, `malformed`.
std::string_view VerdictName(Verdict verdict);
// About 0.2 ms a certificate. Safe from any thread.
Verdict VerifyX509Svid(std::span<const std::string> chain, std::span<const std::string> roots,
                       SystemTime now);

// 48 bits of what is trusted, as twelve lower-case hex digits: the same for the same set, whatever
// its order and however often one is named. Of the SHA-256 of the sorted SHA-256s of `authorities`
// (certificates as DER, keys by id), so that it does not tell them.
std::string TrustFingerprint(std::span<const std::string> authorities);

}  // namespace spire_exporter::spiffe

#endif  // COLLECTORS_CLIENTS_SPIFFE_X509_SVID_H_
