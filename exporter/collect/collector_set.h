// All collectors that are switched on: their modules, their runners, and what they serve right now.
#ifndef EXPORTER_COLLECT_COLLECTOR_SET_H_
#define EXPORTER_COLLECT_COLLECTOR_SET_H_

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/config_node.h"
#include "exporter/base/logger.h"
#include "exporter/base/result.h"
#include "exporter/collect/facts.h"
#include "exporter/collect/module.h"
#include "exporter/collect/runner.h"

namespace spire_exporter {

// Apply() belongs to one thread; everything else is safe from any thread, also while Apply() runs.
class CollectorSet {
 public:
  // The name of a collector that is wanted on the page.
  using Filter = std::function<bool(std::string_view collector)>;

  CollectorSet(std::span<const CatalogEntry> catalog, const ModuleDeps& deps);
  ~CollectorSet();
  CollectorSet(const CollectorSet&) = delete;
  CollectorSet& operator=(const CollectorSet&) = delete;

  // Makes what runs equal to what the configuration says, by difference: a target whose options are
  // unchanged keeps its thread, its reading and its counts; a module that stays keeps its sockets
  // and series. Everything is validated before anything is touched, so that a configuration with an
  // error changes nothing.
  Status Apply(const ConfigNode& config, std::span<const std::string_view> enabled,
               const Limits& limits);

  // The snapshots of the collectors that pass the filter. Waits at most until the deadline, and
  // only for live sources; each of them then gives its last state. Lets stale readings be read
  // again for the next scrape.
  std::vector<std::shared_ptr<const Snapshot>> Gather(const Filter& filter,
                                                      const Deadline& live_deadline);

  // The collectors that are switched on, sorted.
  std::vector<std::string> Enabled();
  // One state per runner, sorted by collector and target.
  std::vector<RunnerState> States();
  // True once every runner's first call has returned, well or not.
  bool Ready();
  // The age of what each live source gave last, by collector name; absent before the first.
  std::vector<std::pair<std::string, std::optional<Duration>>> LiveAges();

 private:
  struct Part {
    const CatalogEntry* entry = nullptr;
    std::unique_ptr<Module> module;                          // outlives the runners of its targets
    std::map<std::string, std::unique_ptr<Runner>> runners;  // by target
    std::shared_ptr<const Snapshot> last_live;
  };

  Status ApplyPart(Part& part, const ConfigNode& config, const Limits& limits, bool limits_changed);
  void Remove(std::string_view name);
  // Calls `visit` for every runner of a collector that passes, under the lock: what it does must
  // not wait.
  void ForEachRunner(const Filter& filter, const std::function<void(Runner&)>& visit);

  const std::span<const CatalogEntry> catalog_;
  const ModuleDeps deps_;
  FactsBoard facts_;
  Limits limits_;

  Mutex mutex_;  // guards the shape below; never held while a runner ends or a live source is
                 // waited for
  std::map<std::string, std::shared_ptr<Part>, std::less<>> parts_ GUARDED_BY(mutex_);
};

}  // namespace spire_exporter

#endif  // EXPORTER_COLLECT_COLLECTOR_SET_H_
