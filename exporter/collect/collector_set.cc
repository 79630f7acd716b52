#include "exporter/collect/collector_set.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace spire_exporter {
namespace {

void EndAll(std::map<std::string, std::unique_ptr<Runner>> ending) {
  for (auto& [target, runner] : ending) runner->RequestStop();
}

}  // namespace

CollectorSet::CollectorSet(std::span<const CatalogEntry> catalog, const ModuleDeps& deps)
    : catalog_(catalog), deps_(deps) {}

CollectorSet::~CollectorSet() {
  // All are asked first, so that the slowest call alone decides how long the end takes.
  ForEachRunner([](std::string_view) { return true; },
                [](Runner& runner) { runner.RequestStop(); });
}

Status CollectorSet::Apply(const ConfigNode& config, std::span<const std::string_view> enabled,
                           const Limits& limits) {
  const auto wanted = [enabled](std::string_view name) {
    return std::find(enabled.begin(), enabled.end(), name) != enabled.end();
  };
  for (const CatalogEntry& entry : catalog_) {
    if (const Status valid = entry.validate(config, deps_.role); !valid.ok()) return valid;
  }
  const bool limits_changed = !(limits == limits_);
  limits_ = limits;
  for (const CatalogEntry& entry : catalog_) {
    if (!wanted(entry.name)) {
      Remove(entry.name);
      continue;
    }
    std::shared_ptr<Part> part;
    {
      MutexLock lock(mutex_);
      if (const auto at = parts_.find(entry.name); at != parts_.end()) part = at->second;
    }
    const bool is_new = part == nullptr;
    if (is_new) {
      part = std::make_shared<Part>();
      part->entry = &entry;
      part->module = entry.make(deps_);
    }
    if (const Status applied = ApplyPart(*part, config, limits, limits_changed); !applied.ok()) {
      return applied;
    }
    if (is_new) {
      MutexLock lock(mutex_);
      parts_.emplace(std::string(entry.name), std::move(part));
    }
  }
  return {};
}

Status CollectorSet::ApplyPart(Part& part, const ConfigNode& config, const Limits& limits,
                               bool limits_changed) {
  // Runners refer to their module, and their targets may hold on to options that Apply() replaces:
  // a module must keep what a running target uses. What is replaced ends outside the lock.
  if (const Status applied = part.module->Apply(config); !applied.ok()) return applied;
  std::map<std::string, std::unique_ptr<Runner>> made;
  std::map<std::string, std::unique_ptr<Runner>> ending;
  std::vector<std::string> kept;
  for (std::unique_ptr<Collector>& target : part.module->Targets()) {
    std::string name(target->Target());
    const auto running = part.runners.find(name);
    if (running != part.runners.end() && !limits_changed &&
        running->second->fingerprint() == target->Fingerprint()) {
      kept.push_back(std::move(name));
    } else {
      made.emplace(std::move(name), std::make_unique<Runner>(std::move(target), limits, deps_.clock,
                                                             deps_.logger, facts_));
    }
  }
  {
    MutexLock lock(mutex_);
    for (const std::string& name : kept) made.insert(part.runners.extract(name));
    ending = std::exchange(part.runners, std::move(made));
  }
  EndAll(std::move(ending));
  return {};
}

void CollectorSet::Remove(std::string_view name) {
  std::shared_ptr<Part> part;
  {
    MutexLock lock(mutex_);
    const auto at = parts_.find(name);
    if (at == parts_.end()) return;
    part = std::move(at->second);
    parts_.erase(at);
  }
  // A scrape may still be waiting for the live source, for a few milliseconds: the module ends
  // here, not there.
  while (part.use_count() > 1) std::this_thread::yield();
  EndAll(std::exchange(part->runners, {}));
}

void CollectorSet::ForEachRunner(const Filter& filter, const std::function<void(Runner&)>& visit) {
  MutexLock lock(mutex_);
  for (const auto& [name, part] : parts_) {
    if (!filter(name)) continue;
    for (const auto& [target, runner] : part->runners) visit(*runner);
  }
}

std::vector<std::shared_ptr<const Snapshot>> CollectorSet::Gather(const Filter& filter,
                                                                  const Deadline& live_deadline) {
  std::vector<std::shared_ptr<Part>> live;
  {
    MutexLock lock(mutex_);
    for (const auto& [name, part] : parts_) {
      if (filter(name) && part->module->Live() != nullptr) live.push_back(part);
    }
  }
  std::vector<std::shared_ptr<const Snapshot>> snapshots;
  for (const std::shared_ptr<Part>& part : live) {
    std::shared_ptr<const Snapshot> snapshot = part->module->Live()->Acquire(live_deadline);
    if (!snapshot) continue;
    snapshots.push_back(snapshot);
    MutexLock lock(mutex_);
    part->last_live = std::move(snapshot);
  }
  ForEachRunner(filter, [&snapshots](Runner& runner) {
    if (std::shared_ptr<const Snapshot> snapshot = runner.Latest())
      snapshots.push_back(std::move(snapshot));
    runner.Nudge();
  });
  return snapshots;
}

std::vector<RunnerState> CollectorSet::States() {
  std::vector<RunnerState> states;
  ForEachRunner([](std::string_view) { return true; },
                [&states](Runner& runner) { states.push_back(runner.State()); });
  return states;
}

bool CollectorSet::Ready() {
  const std::vector<RunnerState> states = States();
  return std::all_of(states.begin(), states.end(),
                     [](const RunnerState& state) { return state.finished_once; });
}

std::vector<std::string> CollectorSet::Enabled() {
  std::vector<std::string> names;
  MutexLock lock(mutex_);
  for (const auto& [name, part] : parts_) names.push_back(name);
  return names;
}

std::vector<std::pair<std::string, std::optional<Duration>>> CollectorSet::LiveAges() {
  std::vector<std::pair<std::string, std::optional<Duration>>> ages;
  const SystemTime now = deps_.clock.System();
  MutexLock lock(mutex_);
  for (const auto& [name, part] : parts_) {
    if (part->module->Live() == nullptr) continue;
    std::optional<Duration> age;
    if (part->last_live) {
      age = std::max(Duration::zero(),
                     std::chrono::duration_cast<Duration>(now - part->last_live->taken));
    }
    ages.emplace_back(name, age);
  }
  return ages;
}

}  // namespace spire_exporter
