// Both ways between this library and prometheus-cpp: a histogram of ours on a page that
// prometheus-cpp writes, and a counter of prometheus-cpp on a page of ours.
#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <cstdio>
#include <memory>

#include "exporter/expose/page.h"
#include "exporter/expose/prometheus_bridge.h"
#include "exporter/expose/prometheus_collectable.h"
#include "exporter/expose/writer.h"
#include "exporter/metrics/family.h"
#include "exporter/metrics/histogram.h"

namespace {

using namespace spire_exporter;

constexpr std::array kLabels = {LabelDescription{"method", "of the call"}};
constexpr FamilyDescription kLatency{.name = "shop_call_duration_seconds",
                                     .type = MetricType::kHistogram,
                                     .unit = "seconds",
                                     .labels = kLabels,
                                     .help = "Duration of every call."};

std::shared_ptr<const Snapshot> Ours() {
  NativeHistogram latency(HistogramLayout::Make(3, {0.1, 1}).value());
  for (const double seconds : {0.05, 0.5, 2.0}) latency.Observe(seconds);
  FamilyBuilder families;
  families.Add(kLatency, {"buy"}, latency.Snapshot());
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->families = families.Take();
  return snapshot;
}

}  // namespace

int main() {
  // Theirs: Exposer::RegisterCollectable() takes the collectable as it is.
  const auto collectable = MakePrometheusCollectable(
      [] { return std::vector<std::shared_ptr<const Snapshot>>{Ours()}; });
  std::puts(prometheus::TextSerializer().Serialize(collectable->Collect()).c_str());

  const auto registry = std::make_shared<prometheus::Registry>();
  prometheus::BuildCounter()
      .Name("shop_orders_total")
      .Help("Orders.")
      .Register(*registry)
      .Add({{"kind", "book"}})
      .Increment(3);
  const PrometheusBridge bridge(registry, {}, Undescribed::kTaken);
  const auto taken = bridge.Take(SystemTime());
  if (!taken.ok()) return 1;
  std::string page;
  Write(Format::kOpenMetrics, Page::Merge({Ours(), taken->snapshot}), {}, page);
  std::puts(page.c_str());
  return 0;
}
