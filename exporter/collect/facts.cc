#include "exporter/collect/facts.h"

namespace spire_exporter {

void FactsBoard::Publish(Fact fact) {
  std::pair<std::type_index, std::string> key(fact.type_, fact.subject_);
  MutexLock lock(mutex_);
  facts_.insert_or_assign(std::move(key), std::move(fact));
}

std::optional<Fact> FactsBoard::Find(std::type_index type, std::string_view subject) const {
  const std::pair<std::type_index, std::string> key(type, std::string(subject));
  MutexLock lock(mutex_);
  const auto at = facts_.find(key);
  if (at == facts_.end()) return std::nullopt;
  return at->second;
}

}  // namespace spire_exporter
