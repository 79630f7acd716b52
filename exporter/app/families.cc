#include "exporter/app/families.h"

#include "exporter/app/self_info.h"
#include "exporter/collect/self_metrics.h"
#include "exporter/expose/process_metrics.h"
#include "exporter/web/web_front.h"

namespace spire_exporter {

std::vector<ReferenceSection> AllFamilies(std::span<const CatalogEntry> catalog) {
  std::vector<ReferenceSection> sections;
  ReferenceSection own{"exporter", "The exporter about itself.", {}};
  for (const auto families :
       {SelfInfoFamilies(), CollectorMetricFamilies(), ProcessFamilies(), WebFamilies()}) {
    own.families.insert(own.families.end(), families.begin(), families.end());
  }
  sections.push_back(std::move(own));
  for (const CatalogEntry& entry : catalog) {
    sections.push_back({entry.name, entry.summary, {entry.families.begin(), entry.families.end()}});
  }
  return sections;
}

}  // namespace spire_exporter
