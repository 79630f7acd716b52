// What is shown of versions.
#ifndef COLLECTORS_SKEW_SKEW_FAMILIES_H_
#define COLLECTORS_SKEW_SKEW_FAMILIES_H_

#include <span>

#include "collectors/skew/skew_judge.h"
#include "exporter/metrics/description.h"
#include "exporter/metrics/family.h"

namespace spire_exporter::skew {

std::span<const FamilyDescription* const> SkewFamilies();
void AddSkew(const SkewView& view, FamilyBuilder& families);

}  // namespace spire_exporter::skew

#endif  // COLLECTORS_SKEW_SKEW_FAMILIES_H_
