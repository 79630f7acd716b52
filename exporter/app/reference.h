// The metrics reference, made from the descriptions alone.
#ifndef EXPORTER_APP_REFERENCE_H_
#define EXPORTER_APP_REFERENCE_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/metrics/description.h"

namespace spire_exporter {

// The families of one part of the process, under a heading.
struct ReferenceSection {
  std::string_view title;
  std::string_view summary;
  std::vector<const FamilyDescription*> families;
};

// docs/reference/metrics.md, to the byte. Families come sorted by name within their section.
std::string ReferenceMarkdown(std::vector<ReferenceSection> sections);
// The same as JSON: an array of families with all their fields.
std::string ReferenceJson(std::vector<ReferenceSection> sections);

// What is wrong with the descriptions themselves (a name twice, a counter without `_total`, a unit
// that the name lacks, ...), one line each; empty when all is well.
std::vector<std::string> LintDescriptions(const std::vector<ReferenceSection>& sections);

}  // namespace spire_exporter

#endif  // EXPORTER_APP_REFERENCE_H_
