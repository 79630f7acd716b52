// The families of the outage runway.
#ifndef COLLECTORS_RUNWAY_RUNWAY_FAMILIES_H_
#define COLLECTORS_RUNWAY_RUNWAY_FAMILIES_H_

#include <span>

#include "collectors/runway/runway_judge.h"
#include "exporter/metrics/description.h"
#include "exporter/metrics/family.h"

namespace spire_exporter::runway {

std::span<const FamilyDescription* const> RunwayFamilies();

// `system`: the time that the view was judged at.
void AddRunway(const RunwayView& view, SystemTime system, FamilyBuilder& families);

}  // namespace spire_exporter::runway

#endif  // COLLECTORS_RUNWAY_RUNWAY_FAMILIES_H_
