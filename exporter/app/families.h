// Every family that the process can emit, by part: for the reference and its lint.
#ifndef EXPORTER_APP_FAMILIES_H_
#define EXPORTER_APP_FAMILIES_H_

#include <span>
#include <vector>

#include "exporter/app/reference.h"
#include "exporter/collect/module.h"

namespace spire_exporter {

std::vector<ReferenceSection> AllFamilies(std::span<const CatalogEntry> catalog);

}  // namespace spire_exporter

#endif  // EXPORTER_APP_FAMILIES_H_
