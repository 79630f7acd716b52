#include "exporter/expose/prometheus_bridge.h"

#include <prometheus/client_metric.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <exception>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "exporter/base/utf8.h"

namespace spire_exporter {
namespace {

// A description that was made, with the text that its views look at.
struct OwnedDescription {
  std::string name;
  std::string help;
  FamilyDescription description;
};

// Addresses in a deque stay, so that descriptions may point at their neighbours' strings.
struct OwnedSnapshot {
  Snapshot snapshot;
  std::deque<OwnedDescription> descriptions;
};

bool IsName(std::string_view name, bool colons) {
  const auto first = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':');
  };
  return !name.empty() && first(name.front()) && std::all_of(name.begin(), name.end(), [&](char c) {
    return first(c) || (c >= '0' && c <= '9');
  });
}

bool IsLabelName(std::string_view name) {
  return IsName(name, false) && name.substr(0, 2) != "__";
}

std::string ValidUtf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const size_t length = DecodeUtf8(text).length;
    valid.append(length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length));
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return valid;
}

MetricType TypeOf(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return MetricType::kCounter;
    case prometheus::MetricType::Gauge:
      return MetricType::kGauge;
    case prometheus::MetricType::Summary:
    case prometheus::MetricType::Histogram:
      return MetricType::kHistogram;
    case prometheus::MetricType::Untyped:
      break;
  }
  return MetricType::kUnknown;
}

// Whether a family that prometheus-cpp holds as `held` may go by a description of type `described`:
// it has no types of its own for info and state sets.
bool MayBe(MetricType held, MetricType described) {
  if (held == described) return true;
  return held == MetricType::kGauge &&
         (described == MetricType::kInfo || described == MetricType::kStateSet);
}

std::shared_ptr<const LabelSet> LabelsOf(const prometheus::ClientMetric& metric, bool histogram) {
  std::vector<Label> labels;
  labels.reserve(metric.label.size());
  for (const auto& label : metric.label) {
    if (!IsLabelName(label.name) || (histogram && label.name == "le")) return nullptr;
    labels.push_back({label.name, label.value});
  }
  return LabelSet::Make(labels);
}

// Whether the bounds rise strictly, above minus infinity, and the counts do not fall. `+Inf`, which
// may be missing, is the count.
bool IsCumulative(const prometheus::ClientMetric::Histogram& histogram) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double bound = -kInfinity;
  uint64_t count = 0;
  for (const auto& bucket : histogram.bucket) {
    if (!(bucket.upper_bound > bound) || bucket.cumulative_count < count) return false;
    bound = bucket.upper_bound;
    count = bucket.cumulative_count;
  }
  return bound == kInfinity ? count == histogram.sample_count : count <= histogram.sample_count;
}

// Null when it is none. `bounds` is shared with the series before, where it is the same.
std::shared_ptr<const HistogramValue> HistogramOf(
    const prometheus::ClientMetric::Histogram& histogram,
    std::shared_ptr<const std::vector<double>>& bounds) {
  if (!IsCumulative(histogram)) return nullptr;
  auto value = std::make_shared<HistogramValue>();
  value->count = histogram.sample_count;
  value->sum = histogram.sample_sum;
  std::vector<double> own;
  for (const auto& bucket : histogram.bucket) {
    if (!std::isfinite(bucket.upper_bound)) continue;  // `+Inf` is the count
    own.push_back(bucket.upper_bound);
    value->cumulative.push_back(bucket.cumulative_count);
  }
  if (own.empty()) value->unplaced = value->count;
  if (bounds == nullptr || *bounds != own) {
    bounds = std::make_shared<const std::vector<double>>(std::move(own));
  }
  value->bounds = bounds;
  return value;
}

std::shared_ptr<const HistogramValue> SummaryOf(const prometheus::ClientMetric::Summary& summary) {
  auto value = std::make_shared<HistogramValue>();
  value->count = summary.sample_count;
  value->sum = summary.sample_sum;
  value->unplaced = summary.sample_count;
  return value;
}

double ValueOf(prometheus::MetricType type, const prometheus::ClientMetric& metric) {
  if (type == prometheus::MetricType::Counter) return metric.counter.value;
  if (type == prometheus::MetricType::Gauge) return metric.gauge.value;
  return metric.untyped.value;
}

// Appends the family's series and returns how many could not be taken.
size_t TakeSeries(const prometheus::MetricFamily& from, Family& to) {
  const bool histogram = TypeOf(from.type) == MetricType::kHistogram;
  std::shared_ptr<const std::vector<double>> bounds;
  size_t left_out = 0;
  to.series.reserve(from.metric.size());
  for (const prometheus::ClientMetric& metric : from.metric) {
    Series series;
    series.labels = LabelsOf(metric, histogram);
    if (from.type == prometheus::MetricType::Histogram) {
      series.histogram = HistogramOf(metric.histogram, bounds);
    } else if (from.type == prometheus::MetricType::Summary) {
      series.histogram = SummaryOf(metric.summary);
    } else {
      series.value = ValueOf(from.type, metric);
    }
    const bool no_count = from.type == prometheus::MetricType::Counter && !(series.value >= 0);
    const bool no_histogram = histogram && series.histogram == nullptr;
    if (series.labels == nullptr || no_count || no_histogram) {
      ++left_out;
      continue;
    }
    to.series.push_back(std::move(series));
  }
  return left_out;
}

bool NameLess(const FamilyDescription* a, const FamilyDescription* b) {
  return a->name < b->name;
}

std::vector<const FamilyDescription*> Sorted(std::span<const FamilyDescription* const> all) {
  std::vector<const FamilyDescription*> sorted(all.begin(), all.end());
  std::sort(sorted.begin(), sorted.end(), NameLess);
  return sorted;
}

const FamilyDescription* Find(const std::vector<const FamilyDescription*>& sorted,
                              std::string_view name) {
  FamilyDescription wanted;
  wanted.name = name;
  const auto found = std::lower_bound(sorted.begin(), sorted.end(), &wanted, NameLess);
  return found != sorted.end() && (*found)->name == name ? *found : nullptr;
}

const FamilyDescription* Describe(const prometheus::MetricFamily& family, OwnedSnapshot& owner) {
  OwnedDescription& made = owner.descriptions.emplace_back();
  made.name = family.name;
  made.help = ValidUtf8(family.help);
  made.description.name = made.name;
  made.description.help = made.help;
  made.description.type = TypeOf(family.type);
  made.description.source = "prometheus-cpp";
  made.description.series_max = static_cast<uint32_t>(family.metric.size());
  return &made.description;
}

}  // namespace

PrometheusBridge::PrometheusBridge(std::shared_ptr<prometheus::Collectable> source,
                                   std::span<const FamilyDescription* const> descriptions,
                                   Undescribed undescribed)
    : source_(std::move(source)), descriptions_(Sorted(descriptions)), undescribed_(undescribed) {}

PrometheusBridge::~PrometheusBridge() = default;

Result<PrometheusBridge::Taken> PrometheusBridge::Take(SystemTime now) const {
  std::vector<prometheus::MetricFamily> collected;
  try {
    collected = source_->Collect();
  } catch (const std::exception& thrown) {
    return Error{Code::kInternal, std::string("prometheus-cpp metrics: ") + thrown.what(), "",
                 false};
  } catch (...) {
    return Error{Code::kInternal, "prometheus-cpp metrics: an exception of no known type", "",
                 false};
  }
  auto owner = std::make_shared<OwnedSnapshot>();
  owner->snapshot.taken = now;
  Taken taken;
  for (const prometheus::MetricFamily& from : collected) {
    const FamilyDescription* description = Find(descriptions_, from.name);
    const bool make = description == nullptr && undescribed_ == Undescribed::kTaken;
    if (make && IsName(from.name, true)) description = Describe(from, *owner);
    if (description == nullptr || !MayBe(TypeOf(from.type), description->type)) {
      ++taken.families_left_out;
      continue;
    }
    Family family{description, {}};
    taken.series_left_out += TakeSeries(from, family);
    owner->snapshot.families.push_back(std::move(family));
  }
  taken.snapshot = std::shared_ptr<const Snapshot>(owner, &owner->snapshot);
  return taken;
}

}  // namespace spire_exporter
