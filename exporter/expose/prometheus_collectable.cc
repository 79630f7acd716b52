#include "exporter/expose/prometheus_collectable.h"

#include <prometheus/client_metric.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "exporter/expose/number.h"
#include "exporter/expose/page.h"

namespace spire_exporter {
namespace {

prometheus::MetricType TypeOf(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return prometheus::MetricType::Counter;
    case MetricType::kHistogram:
      return prometheus::MetricType::Histogram;
    case MetricType::kGauge:
    case MetricType::kGaugeHistogram:
    case MetricType::kInfo:
    case MetricType::kStateSet:
      return prometheus::MetricType::Gauge;
    case MetricType::kUnknown:
      break;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::MetricFamily EmptyFamily(const FamilyDescription& description,
                                     std::string_view suffix) {
  prometheus::MetricFamily family;
  family.name.append(description.name).append(suffix);
  family.help = description.help;
  std::replace(family.help.begin(), family.help.end(), '\n', ' ');
  family.type = TypeOf(description.type);
  return family;
}

prometheus::ClientMetric EmptyMetric(const LabelSet& labels) {
  prometheus::ClientMetric metric;
  metric.label.reserve(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    metric.label.push_back({std::string(labels.name(i)), std::string(labels.value(i))});
  }
  return metric;
}

prometheus::ClientMetric GaugeMetric(const LabelSet& labels, double value) {
  prometheus::ClientMetric metric = EmptyMetric(labels);
  metric.gauge.value = value;
  return metric;
}

prometheus::ClientMetric HistogramMetric(const LabelSet& labels, const HistogramValue& histogram) {
  prometheus::ClientMetric metric = EmptyMetric(labels);
  metric.histogram.sample_count = histogram.count;
  metric.histogram.sample_sum = histogram.sum;
  for (size_t i = 0; i < histogram.cumulative.size(); ++i) {
    metric.histogram.bucket.push_back({histogram.cumulative[i], (*histogram.bounds)[i]});
  }
  metric.histogram.bucket.push_back({histogram.count, std::numeric_limits<double>::infinity()});
  return metric;
}

void AppendGaugeHistograms(const PageFamily& family, std::vector<prometheus::MetricFamily>& out) {
  prometheus::MetricFamily buckets = EmptyFamily(*family.description, "_bucket");
  prometheus::MetricFamily counts = EmptyFamily(*family.description, "_gcount");
  prometheus::MetricFamily sums = EmptyFamily(*family.description, "_gsum");
  for (const Series* series : family.series) {
    const HistogramValue& histogram = *series->histogram;
    const auto add_bucket = [&](double bound, uint64_t count) {
      char text[kNumberMax];
      prometheus::ClientMetric metric = GaugeMetric(*series->labels, static_cast<double>(count));
      metric.label.push_back({"le", std::string(text, WriteBound(text, bound))});
      buckets.metric.push_back(std::move(metric));
    };
    for (size_t i = 0; i < histogram.cumulative.size(); ++i) {
      add_bucket((*histogram.bounds)[i], histogram.cumulative[i]);
    }
    add_bucket(std::numeric_limits<double>::infinity(), histogram.count);
    counts.metric.push_back(GaugeMetric(*series->labels, static_cast<double>(histogram.count)));
    sums.metric.push_back(GaugeMetric(*series->labels, histogram.sum));
  }
  out.push_back(std::move(buckets));
  out.push_back(std::move(counts));
  out.push_back(std::move(sums));
}

void AppendFamily(const PageFamily& family, std::vector<prometheus::MetricFamily>& out) {
  const MetricType type = family.description->type;
  if (type == MetricType::kGaugeHistogram) {
    AppendGaugeHistograms(family, out);
    return;
  }
  prometheus::MetricFamily to = EmptyFamily(*family.description, "");
  for (const Series* series : family.series) {
    if (type == MetricType::kHistogram) {
      to.metric.push_back(HistogramMetric(*series->labels, *series->histogram));
      continue;
    }
    prometheus::ClientMetric metric = EmptyMetric(*series->labels);
    switch (to.type) {
      case prometheus::MetricType::Counter:
        metric.counter.value = series->value;
        break;
      case prometheus::MetricType::Gauge:
        metric.gauge.value = series->value;
        break;
      case prometheus::MetricType::Untyped:
        metric.untyped.value = series->value;
        break;
      case prometheus::MetricType::Summary:
      case prometheus::MetricType::Histogram:
        break;
    }
    to.metric.push_back(std::move(metric));
  }
  out.push_back(std::move(to));
}

class SnapshotCollectable final : public prometheus::Collectable {
 public:
  explicit SnapshotCollectable(std::function<std::vector<std::shared_ptr<const Snapshot>>()> source)
      : source_(std::move(source)) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    const Page page = Page::Merge(source_());
    std::vector<prometheus::MetricFamily> families;
    families.reserve(page.families().size());
    for (const PageFamily& family : page.families()) AppendFamily(family, families);
    return families;
  }

 private:
  const std::function<std::vector<std::shared_ptr<const Snapshot>>()> source_;
};

}  // namespace

std::shared_ptr<prometheus::Collectable> MakePrometheusCollectable(
    std::function<std::vector<std::shared_ptr<const Snapshot>>()> source) {
  return std::make_shared<SnapshotCollectable>(std::move(source));
}

}  // namespace spire_exporter
