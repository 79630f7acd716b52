// The model that everything ends in: families of series with values, immutable once published.
// Collectors build it, writers read it, and no format is built from anything else.
#ifndef EXPORTER_METRICS_FAMILY_H_
#define EXPORTER_METRICS_FAMILY_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/metrics/description.h"
#include "exporter/metrics/labels.h"

namespace spire_exporter {

// A run of neighbouring native buckets: counts[0] is the bucket with index `first`.
struct BucketRun {
  int32_t first = 0;
  std::vector<uint64_t> counts;  // absolute, not deltas; may hold zeros inside, none at its ends
};

// One histogram, native and classic at once and consistent: count is the sum of the native buckets,
// the zero bucket and `unplaced`, and equals the classic `+Inf` bucket. What comes from elsewhere
// may be placed classically only: then there is no native part (no buckets, both zero_ members 0),
// and what count has beyond `unplaced` is in the classic buckets and `+Inf` alone.
struct HistogramValue {
  uint64_t count = 0;
  double sum = 0;
  // Native (sparse) part, as in Prometheus' native histograms: bucket i holds (2^((i-1)*2^-schema),
  // 2^(i*2^-schema)].
  int32_t schema = 3;
  double zero_threshold = 0;
  uint64_t zero_count = 0;
  std::vector<BucketRun> positive;  // rising, not touching
  std::vector<BucketRun> negative;
  // Classic part: cumulative counts for each bound, without `+Inf`. `cumulative` is empty when
  // there are only unplaced observations, and when `bounds` is null or empty.
  std::shared_ptr<const std::vector<double>> bounds;
  std::vector<uint64_t> cumulative;
  // Observations known by number and sum only: in count, sum and `+Inf`, and in no other bucket,
  // native or classic. All of them where there is neither part.
  uint64_t unplaced = 0;
};

struct Series {
  std::shared_ptr<const LabelSet> labels;
  double value = 0;                                 // every type but the histograms
  std::shared_ptr<const HistogramValue> histogram;  // histograms and gauge histograms only
  double created_seconds = 0;  // Unix time since when a cumulative value counts; 0 is unknown
};

struct Family {
  const FamilyDescription* description = nullptr;  // static storage
  std::vector<Series> series;                      // no two with equal labels
};

using FamilyList = std::vector<Family>;

// Immutable once shared. Readers keep it alive for as long as they need it.
struct Snapshot {
  SystemTime taken;
  FamilyList families;
};

// Builds a FamilyList for one reading. Not safe from several threads. Adding costs a hash look-up
// and the making of a LabelSet.
class FamilyBuilder {
 public:
  // Makes the family present even without series. Families come out in the order of their first
  // mention; descriptions of one name are one family, described by the first.
  void Declare(const FamilyDescription& description);
  // `values` are the label values in the order of description.labels, all of them (empty means
  // without that label). A second value for the same labels replaces the first. A wrong number of
  // values throws std::logic_error.
  void Add(const FamilyDescription& description, std::initializer_list<std::string_view> values,
           double value, double created_seconds = 0);
  void Add(const FamilyDescription& description, std::initializer_list<std::string_view> values,
           std::shared_ptr<const HistogramValue> histogram, double created_seconds = 0);
  // The same for a series whose labels stand already; they are not held against the description.
  void AddSeries(const FamilyDescription& description, Series series);
  // An info family: one series with value 1.
  void AddInfo(const FamilyDescription& description,
               std::initializer_list<std::string_view> values);
  // A state set: one series per value of the closed set of the description's last label, 1 for
  // `state`, else 0; so all are 0 for a state outside the set, whose names peers may choose.
  // `values` are those of the other labels. A last label without a closed set throws
  // std::logic_error.
  void AddState(const FamilyDescription& description,
                std::initializer_list<std::string_view> values, std::string_view state);

  // What was built; the builder is as new afterwards.
  FamilyList Take();

 private:
  // The place of each series in its family, by rendered labels. The views point into the LabelSets,
  // which do not move when the builder does.
  struct Index {
    std::unordered_map<std::string_view, size_t> series;
  };

  size_t FamilyAt(const FamilyDescription& description);

  FamilyList families_;
  std::vector<Index> indices_;                          // one for each family
  std::unordered_map<std::string_view, size_t> names_;  // of families; static storage
};

// The labels of a series of a described family: `values` in the order of description.labels. A
// wrong number of values throws std::logic_error.
std::shared_ptr<const LabelSet> MakeLabels(const FamilyDescription& description,
                                           std::span<const std::string_view> values);

}  // namespace spire_exporter

#endif  // EXPORTER_METRICS_FAMILY_H_
