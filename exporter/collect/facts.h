// Typed observations that one collector publishes and others read, so that no collector ever calls
// another.
#ifndef EXPORTER_COLLECT_FACTS_H_
#define EXPORTER_COLLECT_FACTS_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>

#include "exporter/base/clock.h"
#include "exporter/base/mutex.h"

namespace spire_exporter {

// An immutable observation of some type, with the name of what was observed (`rw/0`, `server`) and
// when. What needs which type is declared in the catalogue.
class Fact {
 public:
  template <typename T>
  static Fact Make(std::string subject, SteadyTime observed, T value) {
    return Fact(std::type_index(typeid(T)), std::move(subject), observed,
                std::make_shared<const T>(std::move(value)));
  }

 private:
  friend class FactsBoard;
  Fact(std::type_index type, std::string subject, SteadyTime observed,
       std::shared_ptr<const void> value)
      : type_(type), subject_(std::move(subject)), observed_(observed), value_(std::move(value)) {}

  std::type_index type_;
  std::string subject_;
  SteadyTime observed_;
  std::shared_ptr<const void> value_;
};

// The latest fact of each type and subject. Safe from any thread; both calls cost a map lookup
// under a lock.
class FactsBoard {
 public:
  FactsBoard() = default;
  FactsBoard(const FactsBoard&) = delete;
  FactsBoard& operator=(const FactsBoard&) = delete;

  template <typename T>
  struct Observed {
    std::shared_ptr<const T> value;
    SteadyTime at;
  };

  void Publish(Fact fact) EXCLUDES(mutex_);

  // The latest observation, however old: its age is the reader's to judge.
  template <typename T>
  std::optional<Observed<T>> Latest(std::string_view subject) const EXCLUDES(mutex_) {
    const std::optional<Fact> fact = Find(std::type_index(typeid(T)), subject);
    if (!fact) return std::nullopt;
    return Observed<T>{std::static_pointer_cast<const T>(fact->value_), fact->observed_};
  }

 private:
  std::optional<Fact> Find(std::type_index type, std::string_view subject) const EXCLUDES(mutex_);

  mutable Mutex mutex_;
  std::map<std::pair<std::type_index, std::string>, Fact, std::less<>> facts_ GUARDED_BY(mutex_);
};

}  // namespace spire_exporter

#endif  // EXPORTER_COLLECT_FACTS_H_
