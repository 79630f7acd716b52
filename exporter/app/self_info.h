// What the process says about itself as a whole: role and threads.
#ifndef EXPORTER_APP_SELF_INFO_H_
#define EXPORTER_APP_SELF_INFO_H_

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "exporter/collect/module.h"
#include "exporter/metrics/family.h"

namespace spire_exporter {

std::span<const FamilyDescription* const> SelfInfoFamilies();
void AddSelfInfo(Role role, std::string_view trust_domain, FamilyBuilder& families);

// The process's threads by name, from /proc.
std::map<std::string, int> ThreadsByName();

}  // namespace spire_exporter

#endif  // EXPORTER_APP_SELF_INFO_H_
