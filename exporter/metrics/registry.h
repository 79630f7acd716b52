// Instruments for what the process counts itself, for code that counts as it goes instead of
// building a reading.
#ifndef EXPORTER_METRICS_REGISTRY_H_
#define EXPORTER_METRICS_REGISTRY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "exporter/base/clock.h"
#include "exporter/base/mutex.h"
#include "exporter/metrics/description.h"
#include "exporter/metrics/family.h"
#include "exporter/metrics/histogram.h"

namespace spire_exporter {

// Instruments are safe from any thread. Their atomics are relaxed: each is a lone number, nothing
// is published by it, and a snapshot promises no order between instruments.

class Counter {
 public:
  void Increment(uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// For seconds and other amounts that are not whole.
class FloatCounter {
 public:
  // What is negative or not finite is refused, as it would take the counter back or make it
  // useless.
  void Add(double amount);
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// Absent from snapshots until it is set.
class Gauge {
 public:
  void Set(double value) { value_.store(value, std::memory_order_relaxed); }
  // An unset gauge counts as 0 here.
  void Add(double amount);
  // Makes it absent again: the value is not known any more.
  void Clear() { Set(std::numeric_limits<double>::quiet_NaN()); }
  // NaN when it is not set.
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{std::numeric_limits<double>::quiet_NaN()};
};

// A NativeHistogram behind a lock, which is uncontended and some 20 ns where one thread observes.
// What is observed a million times a second belongs into a NativeHistogram of its thread.
class Histogram {
 public:
  explicit Histogram(std::shared_ptr<const HistogramLayout> layout);

  void Observe(double value) EXCLUDES(mutex_);
  std::shared_ptr<const HistogramValue> Snapshot() const EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  NativeHistogram histogram_ GUARDED_BY(mutex_);
};

struct RegistryLimits {
  size_t series_max = 2000;  // in all; that of a family is its description's
};

// Owns its instruments, which live and stay where they are as long as it does. Safe from any
// thread.
//
// Asking for an instrument gives the one there is for these labels, or a new one, at the cost of a
// look-up under a lock: keep the reference. Past a limit one gets a spare instrument that works and
// is in no snapshot, and the refusal is counted; so callers need not care. Using a description with
// an instrument of another type, or with a wrong number of label values, throws std::logic_error.
class Registry {
 public:
  // The clock, which outlives the registry, dates snapshots and the creation of counters.
  explicit Registry(const Clock& clock, RegistryLimits limits = {});
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  using Values = std::initializer_list<std::string_view>;

  Counter& MakeCounter(const FamilyDescription& description, Values values) EXCLUDES(mutex_);
  FloatCounter& MakeFloatCounter(const FamilyDescription& description, Values values)
      EXCLUDES(mutex_);
  Gauge& MakeGauge(const FamilyDescription& description, Values values) EXCLUDES(mutex_);
  // `layout` matters the first time only.
  Histogram& MakeHistogram(const FamilyDescription& description, Values values,
                           std::shared_ptr<const HistogramLayout> layout) EXCLUDES(mutex_);
  // An info family has one series, with value 1; this replaces it.
  void SetInfo(const FamilyDescription& description, Values values) EXCLUDES(mutex_);
  // See FamilyBuilder::AddState.
  void SetState(const FamilyDescription& description, Values values, std::string_view state)
      EXCLUDES(mutex_);

  // Families sorted by name, series by labels. A family without series that are set is left out.
  std::shared_ptr<const Snapshot> Take() const EXCLUDES(mutex_);

  // How often a limit was in the way.
  uint64_t refused() const { return refused_.value(); }

 private:
  // Neither copied nor moved once in its map, so that references to the instrument hold.
  struct Entry {
    std::shared_ptr<const LabelSet> labels;
    double created_seconds = 0;
    std::variant<std::monostate, Counter, FloatCounter, Gauge, Histogram> instrument;
  };
  struct Described {
    const FamilyDescription* description = nullptr;
    std::map<std::string_view, Entry> entries;  // by the rendered labels of the entry itself
  };

  Described& FamilyOf(const FamilyDescription& description) REQUIRES(mutex_);
  // The entry of these labels; null when a limit is in the way of a new one.
  Entry* EntryOf(const FamilyDescription& description, std::shared_ptr<const LabelSet> labels)
      REQUIRES(mutex_);
  // The instrument of these labels, or the spare one.
  template <typename Instrument, typename... Args>
  Instrument& Make(const FamilyDescription& description, Values values,
                   std::unique_ptr<Instrument>& spare, const Args&... args) REQUIRES(mutex_);
  static void AddTo(FamilyBuilder& families, const FamilyDescription& description,
                    const Entry& entry);

  const Clock& clock_;
  const RegistryLimits limits_;
  Counter refused_;
  mutable Mutex mutex_;
  std::map<std::string_view, Described> families_ GUARDED_BY(mutex_);  // names are static
  size_t series_ GUARDED_BY(mutex_) = 0;
  std::unique_ptr<Counter> spare_counter_ GUARDED_BY(mutex_);
  std::unique_ptr<FloatCounter> spare_float_counter_ GUARDED_BY(mutex_);
  std::unique_ptr<Gauge> spare_gauge_ GUARDED_BY(mutex_);
  std::unique_ptr<Histogram> spare_histogram_ GUARDED_BY(mutex_);
};

}  // namespace spire_exporter

#endif  // EXPORTER_METRICS_REGISTRY_H_
