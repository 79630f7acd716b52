#include "collectors/datastore/agent_tally.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace spire_exporter::datastore {
namespace {

constexpr size_t kNameBytes = 64;
constexpr size_t kClassesFirst = 10;

std::shared_ptr<const HistogramLayout> SecondsLayout() {
  return *HistogramLayout::Make(
      2, {60, 300, 600, 1800, 3600, 10'800, 21'600, 43'200, 86'400, 604'800, 2'592'000});
}

std::shared_ptr<const HistogramLayout> RatioLayout() {
  return *HistogramLayout::Make(3, {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1});
}

}  // namespace

void NameCounts::Add(std::string_view name) {
  name = name.substr(0, kNameBytes);
  const auto found = counts_.find(name);
  if (found != counts_.end()) {
    ++found->second;
  } else if (counts_.size() < kNamesMax) {
    counts_.emplace(std::string(name), 1);
  } else {
    ++other_;
  }
}

std::vector<std::pair<std::string, uint64_t>> NameCounts::Top(size_t top) const {
  std::vector<std::pair<std::string, uint64_t>> names(counts_.begin(), counts_.end());
  std::stable_sort(names.begin(), names.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  uint64_t other = other_;
  // `other` takes the last place.
  const size_t kept = names.size() > top || other > 0 ? std::min(names.size(), top - 1) : top;
  while (names.size() > kept) {
    other += names.back().second;
    names.pop_back();
  }
  for (auto& [name, count] : names) {
    if (name.empty()) name = "unknown";
  }
  if (other > 0) names.emplace_back("other", other);
  return names;
}

std::string_view ClusterOf(std::string_view attestor, std::string_view spiffe_id) {
  if (attestor != "k8s_psat" && attestor != "k8s_sat") return {};
  // After scheme, empty authority prefix, trust domain, `spire`, `agent` and the attestor.
  for (int slashes = 0; slashes < 6; ++slashes) {
    const size_t slash = spiffe_id.find('/');
    if (slash == std::string_view::npos) return {};
    spiffe_id.remove_prefix(slash + 1);
  }
  return spiffe_id.substr(0, spiffe_id.find('/'));
}

AgentTally::AgentTally(std::shared_ptr<const spiffe::ClassMap> classes, int64_t now,
                       std::optional<double> ttl, std::optional<int64_t> renewed)
    : classes_(std::move(classes)),
      now_(now),
      ttl_(ttl),
      horizon_from_(ttl && renewed ? std::min(*renewed, now) +
                                         static_cast<int64_t>(std::ceil(kOverdueShare * *ttl))
                                   : now),
      lifetimes_(SecondsLayout(), now),
      seconds_(kTable),
      far_(RatioLayout()),
      ends_(spire::Horizon::kGroupsMax),
      class_first_(classes_->names().size(), std::numeric_limits<int64_t>::max()),
      class_ends_(classes_->names().size()) {
  counts_.classes.resize(classes_->names().size());
  if (ttl_) counts_.overdue = 0;
  batch_.reserve(kBatch);
}

void AgentTally::Add(int64_t expiry, std::string_view attestor, std::string_view version,
                     std::string_view spiffe_id) {
  const int64_t remaining = expiry - now_;
  const size_t of_class = classes_->Find(spiffe_id);
  if (expiry >= horizon_from_) AddEnd(expiry, of_class);
  if (remaining < 0) {
    counts_.lapsed += remaining >= -kLapsedSeconds ? 1 : 0;
    return;
  }
  const bool overdue = ttl_ && static_cast<double>(remaining) < kOverdueShare * *ttl_;
  overdue ? ++*counts_.overdue : ++counts_.active;
  counts_.expiring += remaining < kExpiringSeconds ? 1 : 0;
  versions_.Add(version);
  attestors_.Add(attestor);
  const std::string_view cluster = ClusterOf(attestor, spiffe_id);
  if (!cluster.empty()) clusters_.Add(cluster);
  ++counts_.classes[of_class];
  batch_.push_back(expiry);
  if (batch_.size() == kBatch) Flush();
  if (!ttl_) return;
  if (remaining < kTable) {
    ++seconds_[static_cast<size_t>(remaining)];
  } else {
    far_.Observe(static_cast<double>(remaining) / *ttl_);
  }
}

void AgentTally::Flush() {
  lifetimes_.Add(std::span<const int64_t>(batch_));
  batch_.clear();
}

void AgentTally::AddEnd(int64_t expiry, size_t of_class) {
  const int64_t after = expiry - horizon_from_;
  const auto last = static_cast<int64_t>(ends_.size()) - 1;
  ++ends_[static_cast<size_t>(std::min(after, last))];
  if (after >= last) first_beyond_ = std::min(first_beyond_, expiry);
  ++class_ends_[of_class];
  class_first_[of_class] = std::min(class_first_[of_class], expiry);
}

spire::Horizon AgentTally::MakeHorizon() const {
  const auto at = [](int64_t time) { return spire::UnixTime(std::chrono::seconds(time)); };
  spire::Horizon horizon;
  horizon.whole = true;
  for (size_t second = 0; second < ends_.size(); ++second) {
    if (ends_[second] == 0) continue;
    const bool last = second + 1 == ends_.size();
    horizon.groups.push_back(
        {at(last ? first_beyond_ : horizon_from_ + static_cast<int64_t>(second)), ends_[second]});
  }
  if (classes_->trivial()) return horizon;
  for (size_t i = 0; i < class_first_.size(); ++i) {
    if (class_ends_[i] == 0) continue;
    horizon.classes.push_back({classes_->names()[i], at(class_first_[i]), class_ends_[i]});
  }
  std::stable_sort(horizon.classes.begin(), horizon.classes.end(),
                   [](const auto& a, const auto& b) { return a.first_expiry < b.first_expiry; });
  if (horizon.classes.size() > kClassesFirst) horizon.classes.resize(kClassesFirst);
  return horizon;
}

AgentCounts AgentTally::Finish() {
  Flush();
  counts_.horizon = MakeHorizon();
  counts_.versions = versions_.Top(kVersionsMax);
  counts_.attestors = attestors_.Top(kAttestorsMax);
  counts_.clusters = clusters_.Top(kClustersMax);
  counts_.remaining = lifetimes_.Snapshot().living;
  if (ttl_) {
    for (int64_t second = 0; second < kTable; ++second) {
      const uint32_t times = seconds_[static_cast<size_t>(second)];
      if (times > 0) far_.Observe(static_cast<double>(second) / *ttl_, times);
    }
    const GaugeHistogram& remaining = counts_.remaining;
    counts_.ratio = GaugeHistogram{far_.Snapshot(), {}, {}};
    if (remaining.min) counts_.ratio->min = *remaining.min / *ttl_;
    if (remaining.max) counts_.ratio->max = *remaining.max / *ttl_;
  }
  return std::move(counts_);
}

}  // namespace spire_exporter::datastore
