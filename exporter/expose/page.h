// What one scrape shows: the families of several snapshots as one sorted whole, ready for any
// writer.
#ifndef EXPORTER_EXPOSE_PAGE_H_
#define EXPORTER_EXPOSE_PAGE_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "exporter/metrics/description.h"
#include "exporter/metrics/family.h"

namespace spire_exporter {

// What Page::Merge() left out so that the page can be read. All zero unless a producer has a defect
// or two producers collide.
struct PageReport {
  size_t duplicate_series = 0;  // equal family and labels: the first snapshot's stays
  size_t type_conflicts = 0;    // families of one name and two types: the first snapshot's stays
  size_t name_clashes =
      0;  // families one of whose sample names is another's: the first in order stays
  size_t malformed_series =
      0;  // no labels object, a histogram without its value, a label that the format reserves

  size_t total() const {
    return duplicate_series + type_conflicts + name_clashes + malformed_series;
  }
};

// The series are at least one, sorted bytewise by rendered labels, and no two alike.
struct PageFamily {
  const FamilyDescription* description = nullptr;
  std::span<const Series* const> series;
};

// The name that OpenMetrics gives the family of a description, and that its sample names start with
// in every format: a counter's without `_total`, an info's without `_info`.
std::string_view BaseName(const FamilyDescription& description);

// Immutable; owns the snapshots, so that everything in it lives as long as it does. Reading is safe
// from any thread.
class Page {
 public:
  // Families sorted bytewise by name. A family without series is not on the page, metadata
  // included: a name without a value answers no query, and what could be there is what
  // `spire-exporter metrics` tells; nor is one of more detail than `most`. Null snapshots are
  // skipped. Costs a pass over the series, and a
  // sort where several snapshots share a family or one is unsorted.
  static Page Merge(std::vector<std::shared_ptr<const Snapshot>> snapshots,
                    Detail most = Detail::kFull);

  Page(Page&&) = default;
  Page& operator=(Page&&) = default;
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  std::span<const PageFamily> families() const { return families_; }
  size_t series_count() const;
  const PageReport& report() const { return report_; }

 private:
  Page() = default;
  void Append(const FamilyDescription& description, std::span<const Family* const> parts);
  // The series from `begin` on, if there are any.
  void AddFamily(const FamilyDescription& description, size_t begin);
  void DropNameClashes();

  std::vector<std::shared_ptr<const Snapshot>> snapshots_;
  std::vector<const Series*>
      series_;  // families_ are runs of it: never grows after Merge() has reserved it
  std::vector<PageFamily> families_;
  PageReport report_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_EXPOSE_PAGE_H_
