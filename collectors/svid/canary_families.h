// The families of the canary.
#ifndef COLLECTORS_SVID_CANARY_FAMILIES_H_
#define COLLECTORS_SVID_CANARY_FAMILIES_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "collectors/svid/canary_judge.h"
#include "exporter/metrics/family.h"
#include "exporter/metrics/histogram.h"

namespace spire_exporter::svid {

std::span<const FamilyDescription* const> CanaryFamilies();

// Attempts since the start. Not safe from several threads.
class CanaryCounts {
 public:
  explicit CanaryCounts(double created_seconds);

  // `took` of an attempt that was answered, well or not; of others it is the deadline's.
  void Add(CanaryOperation operation, CanaryOutcome outcome, std::optional<Duration> took,
           SystemTime now);
  // Nothing of operations that were never tried: without an entry no token is asked for.
  void AddTo(FamilyBuilder& families) const;

 private:
  struct Of {
    bool tried = false;
    std::array<uint64_t, kCanaryOutcomes.size()> outcomes{};
    std::optional<CanaryOutcome> last;
    std::optional<SystemTime> last_ok;
  };

  const double created_seconds_;
  std::array<Of, kCanaryOperations.size()> operations_;
  std::vector<NativeHistogram> durations_;  // by operation
};

// What is known now; what is absent is not shown.
struct CanaryView {
  const spiffe::LeafFacts* leaf = nullptr;
  std::optional<std::chrono::sys_seconds> token_expires;
  std::optional<std::chrono::seconds> clock_offset;
  std::optional<bool> issuing;
  std::optional<FederatedSummary> federated;
};
void AddCanary(const CanaryView& view, SystemTime now, FamilyBuilder& families);

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_CANARY_FAMILIES_H_
