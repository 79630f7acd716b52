#include "exporter/metrics/description.h"

namespace spire_exporter {

std::string_view MetricTypeName(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
    case MetricType::kGaugeHistogram:
      return "gaugehistogram";
    case MetricType::kInfo:
      return "info";
    case MetricType::kStateSet:
      return "stateset";
    case MetricType::kUnknown:
      break;
  }
  return "unknown";
}

std::string_view DetailName(Detail detail) {
  switch (detail) {
    case Detail::kMinimal:
      return "minimal";
    case Detail::kStandard:
      return "standard";
    case Detail::kFull:
      break;
  }
  return "full";
}

std::string_view StabilityName(Stability stability) {
  switch (stability) {
    case Stability::kStable:
      return "stable";
    case Stability::kExperimental:
      return "experimental";
    case Stability::kDeprecated:
      break;
  }
  return "deprecated";
}

}  // namespace spire_exporter
