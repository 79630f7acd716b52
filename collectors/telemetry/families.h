// The families that SPIRE's telemetry ends in. What goes where is in mapping_table.cc.
#ifndef COLLECTORS_TELEMETRY_FAMILIES_H_
#define COLLECTORS_TELEMETRY_FAMILIES_H_

#include <span>
#include <string_view>

#include "exporter/metrics/description.h"

namespace spire_exporter::telemetry {

// The family, for those alone who ask for all details.
constexpr FamilyDescription Full(FamilyDescription family) {
  family.detail = Detail::kFull;
  return family;
}

// The names of gRPC's status codes as SPIRE sends them, and `other`.
std::span<const std::string_view> StatusValues();

// Timed calls.
extern const FamilyDescription kRpcDuration;
extern const FamilyDescription kDatastoreDuration;
extern const FamilyDescription kCallDuration;
extern const FamilyDescription kRateLimitWait;

// Events without a timer.
extern const FamilyDescription kSignatures;
extern const FamilyDescription kAuthorityActivations;
extern const FamilyDescription kBundlePrunes;
extern const FamilyDescription kFederatedBundleUpdates;
extern const FamilyDescription kConnectionsOpened;
extern const FamilyDescription kRateLimitRejections;
extern const FamilyDescription kCacheEntryChanges;
extern const FamilyDescription kJwtBundleUpdates;

// Amounts that SPIRE sends as if they were timers.
extern const FamilyDescription kSvidsDue;
extern const FamilyDescription kDiscoveredSelectors;
extern const FamilyDescription kGcPauseDuration;

// States.
extern const FamilyDescription kUptime;
extern const FamilyDescription kComponentInfo;
extern const FamilyDescription kCaExpiry;
extern const FamilyDescription kCaActivationLifetime;
extern const FamilyDescription kEventsCacheItems;
extern const FamilyDescription kSkippedEvents;
extern const FamilyDescription kEntryCacheDeletions;
extern const FamilyDescription kBootstrapped;
extern const FamilyDescription kBootstrapStart;
extern const FamilyDescription kBootstrapAttempts;
extern const FamilyDescription kSyncBundles;
extern const FamilyDescription kSyncEntries;
extern const FamilyDescription kSyncEntryDifferences;
extern const FamilyDescription kLruCacheRecords;
extern const FamilyDescription kLruCacheSvids;
extern const FamilyDescription kJwtCacheSvids;
extern const FamilyDescription kConnections;

// The Go runtime of SPIRE's process.
extern const FamilyDescription kAllocatedBytes;
extern const FamilyDescription kSystemBytes;
extern const FamilyDescription kHeapObjects;
extern const FamilyDescription kGoroutines;
extern const FamilyDescription kMallocs;
extern const FamilyDescription kFrees;
extern const FamilyDescription kGcRuns;
extern const FamilyDescription kGcPause;

// What the table does not know.
extern const FamilyDescription kUnmappedEvents;
extern const FamilyDescription kUnmappedDuration;
extern const FamilyDescription kUnmappedSample;
extern const FamilyDescription kUnmappedValue;

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_FAMILIES_H_
