// What becomes of every key that SPIRE emits: one table, checkable against SPIRE's own telemetry
// page (doc/telemetry/telemetry.md of spiffe/spire).
#ifndef COLLECTORS_TELEMETRY_MAPPING_H_
#define COLLECTORS_TELEMETRY_MAPPING_H_

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/metrics/description.h"
#include "exporter/metrics/labels.h"

namespace spire_exporter::telemetry {

// How SPIRE sent it. The scrape knows the same three: counter, gauge, summary.
enum class WireKind { kCounter, kGauge, kTimer };

// What a mapped value does to its series.
enum class Effect {
  kObserve,     // a timer: observed as value * scale in a histogram family
  kCrossCheck,  // a call counter that a timer counts as well: adds nothing, is held against the
                // timer's count
  kAdd,         // a counter without a timer: adds value * scale
  kSet,  // a gauge: replaces. In a counter family: a running total that SPIRE sends as a gauge. In
         // an info family: replaces every series that differs in the value of its last label alone
  kSum,  // a plain sample that is an amount, sent as a timer: adds value * scale to a counter
  kHeartbeat,  // uptime: kSet, and the sign of life of its sender
  kSelf,       // the client's own telemetry: for the ledger alone
  kIgnore,     // understood and left out on purpose
};

struct Mapped {
  const FamilyDescription* family = nullptr;  // null for kSelf and kIgnore
  Effect effect = Effect::kIgnore;
  double scale = 1;
  // Names from the description, values owned: classes, never SPIFFE IDs. Labels of the description
  // that do not apply are left out.
  std::vector<std::pair<std::string, std::string>> labels;
  // False for the generic families that take what the table does not know.
  bool known = true;
  // Values below this mean "not yet" and are left out (SPIRE's zero time).
  double absent_below = -1e300;
};

// Maps one series. `key` is SPIRE's key in either spelling:
// `spire_server.rpc.agent.v1.agent.attest_agent` from the stream,
// `spire_server_rpc_agent_v1_agent_attest_agent` from the scrape; timers may or may not end in
// `.elapsed_time`. `prefix` is SPIRE's MetricPrefix where the operator set one, else empty;
// spire_server and spire_agent are recognised either way. A custom prefix does not say who the
// sender is: the label `component` then comes from what only a server or only an agent emits, else
// it is `component_hint` (the sidecar's role: `server`, `agent`), else `unknown`. Several of
// SPIRE's series may map to one of ours, as tags that are no classes are dropped. Pure; called once
// for each new series, so it may allocate. Costs about a microsecond.
Mapped MapSeries(std::string_view key, WireKind kind, std::span<const Label> tags,
                 std::string_view prefix, std::string_view component_hint = {});

// Every family that MapSeries can name, for the catalogue.
std::span<const FamilyDescription* const> MappedFamilies();
// Classic bounds for a histogram family of the table, in its unit; few, chosen for what it
// measures, none for the generic one. Each costs a line per series on every page.
std::span<const double> ClassicBounds(const FamilyDescription& family);

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_MAPPING_H_
