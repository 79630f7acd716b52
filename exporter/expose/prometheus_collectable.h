// Shows our metrics to a program that exposes its own through prometheus-cpp: what a collector or a
// stream has seen appears on that program's page, with its classic buckets.
#ifndef EXPORTER_EXPOSE_PROMETHEUS_COLLECTABLE_H_
#define EXPORTER_EXPOSE_PROMETHEUS_COLLECTABLE_H_

#include <functional>
#include <memory>
#include <vector>

#include "exporter/metrics/family.h"

namespace prometheus {
class Collectable;
}  // namespace prometheus

namespace spire_exporter {

// For Exposer::RegisterCollectable(), which holds it weakly. Its Collect() asks `source`, from
// whichever thread, and merges what it gives as a page would. prometheus-cpp knows neither gauge
// histograms (three gauges, as in text 0.0.4), info, state sets (gauges), native buckets nor
// creation times; line feeds in help become blanks, since its serializer does not escape them.
std::shared_ptr<prometheus::Collectable> MakePrometheusCollectable(
    std::function<std::vector<std::shared_ptr<const Snapshot>>()> source);

}  // namespace spire_exporter

#endif  // EXPORTER_EXPOSE_PROMETHEUS_COLLECTABLE_H_
