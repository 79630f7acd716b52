// Pages for tests: one with every type in it, and its parts.
#ifndef EXPORTER_EXPOSE_TEST_PAGES_H_
#define EXPORTER_EXPOSE_TEST_PAGES_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/expose/page.h"
#include "exporter/expose/writer.h"
#include "exporter/metrics/family.h"

namespace spire_exporter {

inline std::shared_ptr<const Snapshot> Take(FamilyBuilder& builder) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->families = builder.Take();
  return snapshot;
}

inline std::string Render(Format format, const Page& page, const WriteOptions& options = {}) {
  std::string out;
  Write(format, page, options, out);
  return out;
}

// A histogram with these classic buckets; its native part is left empty.
std::shared_ptr<const HistogramValue> ClassicHistogram(std::vector<double> bounds,
                                                       std::vector<uint64_t> cumulative,
                                                       uint64_t count, double sum);

// Every type, several series, odd labels and help, extreme values, and what only one of the formats
// can say.
std::shared_ptr<const Snapshot> EveryType();

}  // namespace spire_exporter

#endif  // EXPORTER_EXPOSE_TEST_PAGES_H_
