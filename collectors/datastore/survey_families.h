// The families of tier 2.
#ifndef COLLECTORS_DATASTORE_SURVEY_FAMILIES_H_
#define COLLECTORS_DATASTORE_SURVEY_FAMILIES_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/spiffe/class_map.h"
#include "collectors/datastore/survey_read.h"
#include "exporter/metrics/description.h"
#include "exporter/metrics/family.h"

namespace spire_exporter::datastore {

// One survey, or why there was none: then all parts are errors.
struct SurveyView {
  std::string_view election;          // elected, not_elected, no_primary
  std::optional<std::string> reader;  // the node that was read
  std::shared_ptr<const spiffe::ClassMap> classes;
  Result<AgentTtl> ttl = Error{};
  Result<AgentCounts> agents = Error{};
  Result<AgentTotals> agent_totals = Error{};
  Result<EntryTotals> entries = Error{};
  Result<std::vector<uint64_t>> entry_classes = Error{};
  Result<EntriesPerParent> parents = Error{};
};

std::span<const FamilyDescription* const> SurveyFamilies();

void AddSurvey(const SurveyView& view, FamilyBuilder& families);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_SURVEY_FAMILIES_H_
