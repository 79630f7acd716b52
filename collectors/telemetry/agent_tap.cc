#include "collectors/telemetry/agent_tap.h"

#include <string_view>

#include "collectors/telemetry/families.h"

namespace spire_exporter::telemetry {

Tap TapOf(const FamilyDescription& family, const LabelSet& labels) {
  if (&family == &kLruCacheSvids) return Tap::kCached;
  if (&family == &kSvidsDue) {
    if (labels.Get("cache") != "workload" || labels.Get("kind") != "x509") return Tap::kNone;
    if (labels.Get("reason") == "expiring") return Tap::kExpiring;
    return labels.Get("reason") == "outdated" ? Tap::kOutdated : Tap::kNone;
  }
  if (&family != &kCallDuration) return Tap::kNone;
  const bool well = labels.Get("status") == "OK";
  if (labels.Get("call") == "sync_entries") return well ? Tap::kSynced : Tap::kSyncFailed;
  if (labels.Get("call") == "sync_svids") return well ? Tap::kSigned : Tap::kSignFailed;
  // A server rotates its own as well.
  if (!well || labels.Get("component") != "agent") return Tap::kNone;
  for (const std::string_view call : {"svid_rotate", "node_attest", "node_reattest"}) {
    if (labels.Get("call") == call) return Tap::kOwnSvid;
  }
  return Tap::kNone;
}

}  // namespace spire_exporter::telemetry
