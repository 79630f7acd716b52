// How the families of locks and capacity are described.
#ifndef COLLECTORS_POSTGRES_STATISTICS_DESCRIBE_H_
#define COLLECTORS_POSTGRES_STATISTICS_DESCRIBE_H_

#include <chrono>
#include <span>
#include <string_view>

#include "collectors/postgres/statistics_scope.h"
#include "exporter/metrics/description.h"

namespace spire_exporter::postgres {

// Nodes that bounds on series reckon with: a primary and the standbys behind one name.
inline constexpr uint32_t kStatisticsNodes = 8;

inline constexpr LabelDescription kStatisticsNode{
    "node", "The name in `postgres.nodes` and the number of the address behind it: `ro/0`."};
inline constexpr LabelDescription kNodeOnly[] = {kStatisticsNode};
inline constexpr LabelDescription kSpireTable{"table", "A table of SPIRE's.", kSpireTables};
inline constexpr LabelDescription kNodeTable[] = {kStatisticsNode, kSpireTable};

constexpr FamilyDescription DescribeStatistics(std::string_view name, MetricType type,
                                               std::span<const LabelDescription> labels,
                                               uint32_t series_per_node, std::string_view help,
                                               std::string_view source,
                                               std::string_view unit = {}) {
  FamilyDescription family;
  family.name = name;
  family.type = type;
  family.unit = unit;
  family.labels = labels;
  family.help = help;
  family.source = source;
  family.series_max = series_per_node * kStatisticsNodes;
  return family;
}

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_STATISTICS_DESCRIBE_H_
