#include "collectors/postgres/statistics_parts.h"

#include <iterator>

#include "collectors/postgres/statistics_describe.h"

namespace spire_exporter::postgres {
namespace {

constexpr std::string_view kPartReasons[] = {"aborted",
                                             "cancelled",
                                             "deadline_exceeded",
                                             "failed_precondition",
                                             "internal",
                                             "invalid_argument",
                                             "not_found",
                                             "permission_denied",
                                             "resource_exhausted",
                                             "unauthenticated",
                                             "unavailable",
                                             "unimplemented",
                                             "unknown"};
constexpr LabelDescription kPart{"part", "What was asked.", kStatisticsParts};
constexpr LabelDescription kNodePart[] = {kStatisticsNode, kPart};
constexpr LabelDescription kNodePartReason[] = {
    kStatisticsNode,
    kPart,
    {"reason",
     "permission_denied: a right is missing; not_found: there is no such table, view or role; the "
     "others as for spire_exporter_collector_success.",
     kPartReasons}};

constexpr FamilyDescription kSuccess = DescribeStatistics(
    "spire_postgres_statistics_success", MetricType::kGauge, kNodePart, std::size(kStatisticsParts),
    "1 when the node told all of the part at the last round that asked for it, 0 when something "
    "is missing, and absent.",
    "this process");
constexpr FamilyDescription kProblem =
    DescribeStatistics("spire_postgres_statistics_problem", MetricType::kGauge, kNodePartReason,
                       std::size(kStatisticsParts),
                       "1 for why a part was not told whole; only for such parts.", "this process");
constexpr const FamilyDescription* kPartFamilies[] = {&kSuccess, &kProblem};

std::string_view NameOf(StatisticsPart part) {
  return kStatisticsParts[static_cast<size_t>(part)];
}

std::string_view ReasonOf(Code code) {
  const std::string_view name = CodeName(code);
  for (const std::string_view each : kPartReasons) {
    if (each == name) return each;
  }
  return "unknown";
}

}  // namespace

std::span<const FamilyDescription* const> PartsFamilies() {
  return kPartFamilies;
}

void PartsReport::Good(std::string_view node, StatisticsPart part, FamilyBuilder& families) {
  families.Add(kSuccess, {node, NameOf(part)}, 1);
}

void PartsReport::Bad(std::string_view node, StatisticsPart part, const Error& error,
                      FamilyBuilder& families) {
  families.Add(kSuccess, {node, NameOf(part)}, 0);
  families.Add(kProblem, {node, NameOf(part), ReasonOf(error.code)}, 1);
  Remember(node, error);
}

void PartsReport::AllBad(std::string_view node, const Error& error, FamilyBuilder& families) {
  for (const std::string_view part : kStatisticsParts) {
    families.Add(kSuccess, {node, part}, 0);
    families.Add(kProblem, {node, part, ReasonOf(error.code)}, 1);
  }
  Remember(node, error);
}

void PartsReport::Remember(std::string_view node, const Error& error) {
  ++problems_;
  if (first_) return;
  first_ = error;
  first_->what = std::string(node) + ": " + error.what;
}

Status PartsReport::Summary() const {
  if (!first_) return {};
  Error error = *first_;
  if (problems_ > 1) error.what += " (and " + std::to_string(problems_ - 1) + " more)";
  return error;
}

}  // namespace spire_exporter::postgres
