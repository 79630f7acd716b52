// The landing page: what this process is, what it sees and what it lacks, for a person with a
// browser or a phone. HTML without anything from outside and without scripts.
#ifndef EXPORTER_APP_LANDING_H_
#define EXPORTER_APP_LANDING_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/app/pages.h"
#include "exporter/collect/collector_set.h"
#include "exporter/http/http_types.h"

namespace spire_exporter {

// Everything the page says, read at one moment. The views have static storage.
struct LandingView {
  enum class State { kWell, kFailing, kWaiting };
  // One target, or a collector's live stream.
  struct Source {
    std::string name;
    State state = State::kWaiting;
    std::string says;   // `well`, `failing`, `waiting for its first reading`
    std::string age;    // of what is served; empty when nothing is
    std::string error;  // of the last call, empty after a success
  };
  struct Collector {
    std::string_view name;
    std::string_view summary;
    bool enabled = false;
    size_t series = 0;
    size_t families = 0;                           // that it describes
    std::vector<const FamilyDescription*> absent;  // those without a series now, by name
  };
  std::vector<Source> sources;
  std::vector<Collector> collectors;  // in the catalogue's order
  bool reload_good = true;
};

// Waits for live sources at most until the deadline.
LandingView ReadLandingView(std::span<const CatalogEntry> catalog, CollectorSet& collectors,
                            const ReloadState& reload, const Deadline& live_deadline);

HttpResponse LandingPage(const ProcessFacts& facts, const LandingView& view, const Clock& clock);

}  // namespace spire_exporter

#endif  // EXPORTER_APP_LANDING_H_
