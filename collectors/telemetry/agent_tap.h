// What the stream and SPIRE's page tell of an agent's renewals, as events in the order of arrival.
#ifndef COLLECTORS_TELEMETRY_AGENT_TAP_H_
#define COLLECTORS_TELEMETRY_AGENT_TAP_H_

#include <cstdint>

#include "collectors/telemetry/ledger.h"
#include "exporter/metrics/description.h"
#include "exporter/metrics/labels.h"

namespace spire_exporter::telemetry {

// The metrics that are tapped, after mapping; the value is in the unit of its family.
enum class Tap : uint8_t {
  kNone,
  kStarted,   // `started`: a new process
  kExpiring,  // cache_manager.expiring_svids: SVIDs about to be renewed
  kOutdated,  // cache_manager.outdated_svids: to be signed anew, as their entry has changed
  kCached,    // lru_cache_svid_map_size: SVIDs held, told whenever a batch has been signed
  kSynced,    // manager.sync.fetch_entries_updates: entries came; the value is how long it took
  kSyncFailed,
  kOwnSvid,  // agent_svid.rotate, node.attest*: the agent got an SVID of its own; how long it took
  kSigned,   // manager.sync.fetch_svids_updates: a batch was signed; how long it took
  kSignFailed,
};

// Takes the events of a tap. Called on the thread that reads the stream: a call is short, and its
// memory is bounded whatever a peer sends.
class EventTap {
 public:
  virtual ~EventTap() = default;
  virtual void OnEvent(Tap tap, double value, const Arrival& arrival) = 0;
};

// What a mapped series feeds, if anything. Pure; asked once for each new series.
Tap TapOf(const FamilyDescription& family, const LabelSet& labels);

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_AGENT_TAP_H_
