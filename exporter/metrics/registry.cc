#include "exporter/metrics/registry.h"

#include <cmath>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace spire_exporter {
namespace {

void AddRelaxed(std::atomic<double>& value, double amount, double before) {
  // No fetch_add: clang 14's library has it for doubles only in part.
  while (!value.compare_exchange_weak(before, before + amount, std::memory_order_relaxed)) {
  }
}

void RequireType(const FamilyDescription& description, MetricType type) {
  if (description.type == type) return;
  throw std::logic_error(std::string(description.name) + ": a " +
                         std::string(MetricTypeName(description.type)) + " used as a " +
                         std::string(MetricTypeName(type)));
}

}  // namespace

void FloatCounter::Add(double amount) {
  if (!std::isfinite(amount) || amount < 0) return;
  AddRelaxed(value_, amount, value_.load(std::memory_order_relaxed));
}

void Gauge::Add(double amount) {
  double before = value_.load(std::memory_order_relaxed);
  while (!value_.compare_exchange_weak(before, (std::isnan(before) ? 0 : before) + amount,
                                       std::memory_order_relaxed)) {
  }
}

Histogram::Histogram(std::shared_ptr<const HistogramLayout> layout)
    : histogram_(std::move(layout)) {}

void Histogram::Observe(double value) {
  MutexLock lock(mutex_);
  histogram_.Observe(value);
}

std::shared_ptr<const HistogramValue> Histogram::Snapshot() const {
  MutexLock lock(mutex_);
  return histogram_.Snapshot();
}

Registry::Registry(const Clock& clock, RegistryLimits limits) : clock_(clock), limits_(limits) {}

Registry::Described& Registry::FamilyOf(const FamilyDescription& description) {
  Described& family = families_[description.name];
  if (family.description == nullptr) family.description = &description;
  return family;
}

Registry::Entry* Registry::EntryOf(const FamilyDescription& description,
                                   std::shared_ptr<const LabelSet> labels) {
  Described& family = FamilyOf(description);
  RequireType(*family.description, description.type);
  if (const auto found = family.entries.find(labels->rendered()); found != family.entries.end()) {
    return &found->second;
  }
  if (series_ >= limits_.series_max || family.entries.size() >= description.series_max) {
    refused_.Increment();
    return nullptr;
  }
  ++series_;
  Entry& entry = family.entries[labels->rendered()];
  entry.labels = std::move(labels);
  entry.created_seconds = UnixSeconds(clock_.System());
  return &entry;
}

template <typename Instrument, typename... Args>
Instrument& Registry::Make(const FamilyDescription& description, Values values,
                           std::unique_ptr<Instrument>& spare, const Args&... args) {
  Entry* const entry =
      EntryOf(description, MakeLabels(description, {values.begin(), values.size()}));
  if (entry == nullptr) {
    if (spare == nullptr) spare = std::make_unique<Instrument>(args...);
    return *spare;
  }
  if (std::holds_alternative<std::monostate>(entry->instrument)) {
    entry->instrument.template emplace<Instrument>(args...);
  }
  Instrument* const instrument = std::get_if<Instrument>(&entry->instrument);
  if (instrument == nullptr) {
    throw std::logic_error(std::string(description.name) + ": two kinds of instrument");
  }
  return *instrument;
}

Counter& Registry::MakeCounter(const FamilyDescription& description, Values values) {
  RequireType(description, MetricType::kCounter);
  MutexLock lock(mutex_);
  return Make(description, values, spare_counter_);
}

FloatCounter& Registry::MakeFloatCounter(const FamilyDescription& description, Values values) {
  RequireType(description, MetricType::kCounter);
  MutexLock lock(mutex_);
  return Make(description, values, spare_float_counter_);
}

Gauge& Registry::MakeGauge(const FamilyDescription& description, Values values) {
  RequireType(description, MetricType::kGauge);
  MutexLock lock(mutex_);
  return Make(description, values, spare_gauge_);
}

Histogram& Registry::MakeHistogram(const FamilyDescription& description, Values values,
                                   std::shared_ptr<const HistogramLayout> layout) {
  RequireType(description, MetricType::kHistogram);
  MutexLock lock(mutex_);
  return Make(description, values, spare_histogram_, layout);
}

void Registry::SetInfo(const FamilyDescription& description, Values values) {
  RequireType(description, MetricType::kInfo);
  const auto labels = MakeLabels(description, {values.begin(), values.size()});
  MutexLock lock(mutex_);
  Described& family = FamilyOf(description);
  series_ -= family.entries.size();
  family.entries.clear();
  if (Entry* const entry = EntryOf(description, labels); entry != nullptr) {
    entry->instrument.emplace<Gauge>().Set(1);
  }
}

void Registry::SetState(const FamilyDescription& description, Values values,
                        std::string_view state) {
  RequireType(description, MetricType::kStateSet);
  FamilyBuilder states;
  states.AddState(description, values, state);
  MutexLock lock(mutex_);
  for (const Family& family : states.Take()) {
    for (const Series& series : family.series) {
      Entry* const entry = EntryOf(description, series.labels);
      if (entry == nullptr) continue;
      if (std::holds_alternative<std::monostate>(entry->instrument)) {
        entry->instrument.emplace<Gauge>();
      }
      std::get<Gauge>(entry->instrument).Set(series.value);
    }
  }
}

void Registry::AddTo(FamilyBuilder& families, const FamilyDescription& description,
                     const Entry& entry) {
  Series series{entry.labels, 0, nullptr, 0};
  const auto read = [&](const auto& instrument) {
    using Instrument = std::decay_t<decltype(instrument)>;
    if constexpr (std::is_same_v<Instrument, Histogram>) {
      series.histogram = instrument.Snapshot();
    } else if constexpr (!std::is_same_v<Instrument, std::monostate>) {
      series.value = static_cast<double>(instrument.value());
    }
    if constexpr (!std::is_same_v<Instrument, Gauge>)
      series.created_seconds = entry.created_seconds;
  };
  std::visit(read, entry.instrument);
  if (!std::isnan(series.value)) families.AddSeries(description, std::move(series));
}

std::shared_ptr<const Snapshot> Registry::Take() const {
  FamilyBuilder families;
  auto snapshot = std::make_shared<Snapshot>();
  {
    MutexLock lock(mutex_);
    snapshot->taken = clock_.System();
    for (const auto& [name, family] : families_) {
      for (const auto& [labels, entry] : family.entries) {
        AddTo(families, *family.description, entry);
      }
    }
  }
  snapshot->families = families.Take();
  return snapshot;
}

}  // namespace spire_exporter
