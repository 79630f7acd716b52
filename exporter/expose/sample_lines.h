// The sample lines, which text 0.0.4 and OpenMetrics write alike: only the metadata around them
// differs.
#ifndef EXPORTER_EXPOSE_SAMPLE_LINES_H_
#define EXPORTER_EXPOSE_SAMPLE_LINES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/expose/output.h"
#include "exporter/metrics/family.h"

namespace spire_exporter {

// Lines of one sample name: `name{labels} value`.
class SampleLines {
 public:
  SampleLines(std::string_view name, std::string_view suffix);

  void Write(Output& out, const LabelSet& labels, double value) const;
  void WriteCount(Output& out, const LabelSet& labels, uint64_t count) const;

 private:
  char* PutHead(Output& out, const LabelSet& labels) const;

  BlockText name_;
};

// The buckets of the histograms of one family: `name_bucket{labels,le="1.0"} 3`, down to `+Inf`.
// Keeps the rendered bounds, which a family's series share.
class BucketLines {
 public:
  // `name` outlives this.
  explicit BucketLines(std::string_view name) : name_(name) {}

  void Write(Output& out, const LabelSet& labels, const HistogramValue& histogram);

 private:
  void Render(const HistogramValue& histogram);

  std::string_view name_;
  const std::vector<double>* rendered_for_ = nullptr;
  std::vector<BlockText> tails_;  // `1.0"} `, one for each bound
  size_t tails_size_ = 0;
  BlockText head_;  // `name_bucket{labels,le="`
};

}  // namespace spire_exporter

#endif  // EXPORTER_EXPOSE_SAMPLE_LINES_H_
