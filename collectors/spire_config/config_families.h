// What the families of SPIRE's configuration are, and the closed sets of their labels.
#ifndef COLLECTORS_SPIRE_CONFIG_CONFIG_FAMILIES_H_
#define COLLECTORS_SPIRE_CONFIG_CONFIG_FAMILIES_H_

#include <array>
#include <span>
#include <string_view>

#include "collectors/spire_config/config_judge.h"
#include "exporter/metrics/family.h"

namespace spire_exporter::spire_config {

inline constexpr std::array<std::string_view, 7> kFileStates = {
    "read", "missing", "no_right", "not_a_file", "too_large", "malformed", "failed"};

std::span<const FamilyDescription* const> ConfigFamilies();

// One of kFileStates, for what reading gave.
std::string_view FileStateOf(Code code);

void AddFileState(std::string_view component, std::string_view state, FamilyBuilder& families);
void AddConfig(const ConfigView& view, FamilyBuilder& families);

}  // namespace spire_exporter::spire_config

#endif  // COLLECTORS_SPIRE_CONFIG_CONFIG_FAMILIES_H_
