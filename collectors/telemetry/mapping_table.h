// The table behind MapSeries, one row per key of SPIRE's telemetry page (doc/telemetry/telemetry.md
// of spiffe/spire) and per key that only its code tells; kept apart so that a reader can hold the
// two against each other.
#ifndef COLLECTORS_TELEMETRY_MAPPING_TABLE_H_
#define COLLECTORS_TELEMETRY_MAPPING_TABLE_H_

#include <array>
#include <span>
#include <string_view>

#include "collectors/telemetry/mapping.h"

namespace spire_exporter::telemetry {

enum class Sender { kServer, kAgent, kEither };

// How SPIRE emits a key, in the words of its page.
enum class Emitted {
  kCall,     // "Call Counter": a counter, and a timer under the key with `.elapsed_time`; both with
             // `status`
  kLatency,  // "Latency": such a timer alone, without `status`
  kCounter,  // "Counter"
  kGauge,    // "Gauge"
  kTotal,    // a gauge that only ever grows
  kHeartbeat,  // the gauge that says that SPIRE lives
  kAmount,     // "Sample" of something to add up
  kSample,     // "Sample" whose distribution matters
};

// Keys that are whole groups: what follows the row's key names the labels.
enum class Group {
  kNone,
  kRpc,        // <service>_<method>
  kDatastore,  // <object>_<operation>
};

struct FixedLabel {
  std::string_view name;
  std::string_view value;
};

struct Row {
  Sender sender;
  std::string_view key;  // canonical, without SPIRE's prefix; the beginning of it for a group
  Emitted emitted;
  const FamilyDescription* family;
  std::array<FixedLabel, 3> labels = {};  // those that the key itself decides
  double scale = 1;
  double absent_below = -1e300;
  Group group = Group::kNone;
};

std::span<const Row> MappingTable();

// The pieces of group keys.
struct ServiceName {
  std::string_view key;      // `agent_v1_agent`
  std::string_view service;  // `agent.v1.agent`
};
std::span<const ServiceName> RpcServices();
// The same services by their gRPC name as SPIRE writes it into the label `method`
// (`_SpiffeWorkloadAPI_`).
std::span<const ServiceName> GrpcServices();

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_MAPPING_TABLE_H_
