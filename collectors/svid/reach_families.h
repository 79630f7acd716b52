// The families of the servers as they are reached from here.
#ifndef COLLECTORS_SVID_REACH_FAMILIES_H_
#define COLLECTORS_SVID_REACH_FAMILIES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "collectors/svid/reach_judge.h"
#include "collectors/svid/reach_probe.h"
#include "collectors/svid/trust_roots.h"
#include "exporter/metrics/family.h"
#include "exporter/metrics/histogram.h"

namespace spire_exporter::svid {

std::span<const FamilyDescription* const> ReachFamilies();

// What was tried since the start. Not safe from several threads.
class ReachCounts {
 public:
  explicit ReachCounts(double created_seconds);

  void Add(const ReachAttempt& attempt);
  void AddTo(FamilyBuilder* families) const;

 private:
  static constexpr size_t kStages = 4;  // name, connect, tls, bundle

  double created_seconds_;
  std::array<std::array<uint64_t, 3>, kStages> attempts_{};
  std::vector<NativeHistogram> durations_;  // by stage, without the name
};

// All that one reading says; what is absent is not shown.
struct ReachView {
  size_t resolved = 0;  // addresses that the name stands for
  bool name_failed = false;
  ReachVerdict verdict = ReachVerdict::kUnknown;
  ReachSummary summary;
  std::optional<double> last_served_seconds;  // Unix time
  std::optional<double> clock_offset_seconds;
  std::optional<size_t> views;              // of the last round that looked at every address
  const TrustedRoots* held = nullptr;       // null without an agent to ask
  const TrustedRoots* bootstrap = nullptr;  // null without a file
  ChainTally against_served, against_held, against_bootstrap;
};
void AddReach(const ReachView& view, SystemTime now, FamilyBuilder* families);

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_REACH_FAMILIES_H_
