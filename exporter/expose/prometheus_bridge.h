// Takes over what prometheus-cpp holds: the metrics of a prometheus::Registry, or of any other
// Collectable, become a snapshot like every other. For the way back see prometheus_collectable.h.
#ifndef EXPORTER_EXPOSE_PROMETHEUS_BRIDGE_H_
#define EXPORTER_EXPOSE_PROMETHEUS_BRIDGE_H_

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "exporter/metrics/family.h"

namespace prometheus {
class Collectable;
}  // namespace prometheus

namespace spire_exporter {

// What becomes of a family that none of the given descriptions has the name of.
enum class Undescribed {
  kLeftOut,
  kTaken,  // with a description made of its own name, type and help
};

// Safe from any thread if the source is (a prometheus::Registry is).
class PrometheusBridge {
 public:
  struct Taken {
    // Owns the descriptions that were made. A Family copied out of it must not outlive it.
    std::shared_ptr<const Snapshot> snapshot;
    // Families left out: not described, of another type than described, or with a name that is
    // none. Series left out: with a label name that is none or reserved, a counter that is negative
    // or not a number, or a histogram whose bounds do not rise or whose counts fall.
    size_t families_left_out = 0;
    size_t series_left_out = 0;
  };

  // The descriptions have static storage.
  PrometheusBridge(std::shared_ptr<prometheus::Collectable> source,
                   std::span<const FamilyDescription* const> descriptions, Undescribed undescribed);
  ~PrometheusBridge();

  // A histogram's buckets become the classic ones: it is placed classically only (HistogramValue).
  // A summary becomes a histogram that knows count and sum:
  // quantiles cannot be aggregated, and no format of ours has them. Invalid UTF-8 is replaced.
  // Fails only when the source throws.
  Result<Taken> Take(SystemTime now) const;

 private:
  const std::shared_ptr<prometheus::Collectable> source_;
  const std::vector<const FamilyDescription*> descriptions_;  // by name
  const Undescribed undescribed_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_EXPOSE_PROMETHEUS_BRIDGE_H_
